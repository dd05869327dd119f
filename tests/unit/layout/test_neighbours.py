"""Blobs taken from another layout by a link."""

from __future__ import annotations

import asyncio
import errno
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from tests.support.images import (
    described,
    image_bytes,
    put_blob,
    put_built,
    some_bytes,
    verified_once,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files, place_of, staged

BIG = some_bytes((5 << 20) + 17)


async def test_a_neighbours_blob_is_linked_and_not_copied(layouts: Layouts, folder: Path, tmp_path: Path) -> None:
    blob = described(BIG)
    async with layouts.writing(str(folder)) as source, layouts.writing(str(tmp_path / "other")) as target:
        await put_blob(source, verified_once(BIG))
        assert await target.adopt_blob(blob, source)
        assert await target.adopt_blob(blob, source)  # once more is no harm
        assert await target.has_blob(blob)
        assert await source.has_blob(blob)
    assert place_of(folder, blob).samefile(place_of(tmp_path / "other", blob))
    assert staged(tmp_path / "other") == []


async def test_many_layouts_take_a_blob_from_one_neighbour_at_the_same_time(
    layouts: Layouts, folder: Path, tmp_path: Path
) -> None:
    blobs = [described(f"blob {number}".encode()) for number in range(10)]
    async with AsyncExitStack() as stack:
        source, *targets = [
            await stack.enter_async_context(layouts.writing(str(one)))
            for one in (folder, *(tmp_path / f"other-{number}" for number in range(8)))
        ]
        for number in range(10):
            await put_blob(source, verified_once(f"blob {number}".encode()))
        for blob in blobs:
            assert all(await asyncio.gather(*(target.adopt_blob(blob, source) for target in targets)))


async def test_a_damaged_or_missing_neighbours_blob_is_not_adopted(
    layouts: Layouts, folder: Path, tmp_path: Path
) -> None:
    blob = described(b"small")
    async with layouts.writing(str(folder)) as source, layouts.writing(str(tmp_path / "other")) as target:
        assert not await target.adopt_blob(blob, source)
        await put_blob(source, verified_once(b"small"))
        place_of(folder, blob).write_bytes(b"SMALL")
        assert not await target.adopt_blob(blob, source)
    assert blob_files(tmp_path / "other") == []


@pytest.mark.parametrize("operation", ["look at", "read"])
async def test_a_neighbour_whose_disk_fails_harms_nobody_else(
    opener: Opener, folder: Path, tmp_path: Path, operation: str
) -> None:
    def broken(doing: str, path: Path) -> None:
        if doing == operation and path == place_of(folder, described(b"small")):
            raise OSError(errno.EIO, "Input/output error")

    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    layouts = opener(files=Files(broken))
    async with layouts.writing(str(tmp_path / "other")) as target:
        assert not await target.adopt_blob(described(b"small"), layouts.open(str(folder)))


async def test_a_neighbours_blob_that_goes_while_it_is_linked_is_not_adopted(
    opener: Opener, folder: Path, tmp_path: Path
) -> None:
    def removed(doing: str, path: Path) -> None:
        if doing == "link to" and path.parent.name == "stage":
            place_of(folder, described(b"small")).unlink()

    async with opener().writing(str(folder)) as layout:
        await put_blob(layout, verified_once(b"small"))
    layouts = opener(files=Files(removed))
    async with layouts.writing(str(tmp_path / "other")) as target:
        assert not await target.adopt_blob(described(b"small"), layouts.open(str(folder)))


async def test_where_links_are_not_possible_nothing_is_adopted(opener: Opener, folder: Path, tmp_path: Path) -> None:
    class Unlinked(Files):
        def link(self, path: Path, new: Path) -> bool:
            return False

    layouts = opener(files=Unlinked())
    async with layouts.writing(str(folder)) as source, layouts.writing(str(tmp_path / "other")) as target:
        built = image_bytes(b"a", b"b")
        await put_built(source, built, tag="v1")
        assert not await target.adopt_blob(described(b"a"), source)
        await put_built(target, built, tag="v1")
        await put_built(target, image_bytes(b"c"), tag="v2")  # the previous index is copied instead
    assert (tmp_path / "other" / ".regsync" / "index.json.previous").stat().st_nlink == 1
