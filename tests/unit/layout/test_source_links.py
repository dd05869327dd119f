"""Layouts made of links to files, as bazel makes them: read as sources, proved first, and never written through."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from regsync.errors import IntegrityError, RegsyncError, StorageError
from regsync.layout.files import Files
from regsync.oci.descriptor import Descriptor
from regsync.repository import Repository
from tests.support.images import an_image, bytes_of, described, image_bytes, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, place_of, tags_of

BUILT = image_bytes(b"one", b"two")
ONE = described(b"one")


def led_to(path: Path, away: Path) -> Path:
    """Move a file away and put a link in its place, as bazel does; return where it is now."""
    away.parent.mkdir(parents=True, exist_ok=True)
    path.rename(away)
    path.symlink_to(os.path.relpath(away, path.parent))
    return away


def linked(folder: Path, *, all_files: bool = False) -> Path:
    """Write a layout whose blobs, or all of whose files, are links to files in a cache; return that."""
    write_layout(folder, {"v1": BUILT})
    cache = folder.parent / "cache"
    for path in [path for path in folder.rglob("*" if all_files else "blobs/*/*") if path.is_file()]:
        led_to(path, cache / path.name)
    return cache


@pytest.mark.parametrize("all_files", [False, True])
async def test_a_layout_of_links_is_read(opener: Opener, folder: Path, *, all_files: bool) -> None:
    linked(folder, all_files=all_files)
    source = opener().open(str(folder))
    assert await tags_of(source) == ["v1"]
    head = await source.head_manifest("v1")
    assert str(head and head.digest) == BUILT.digest
    assert (await source.get_manifest("v1")).raw == BUILT.raw
    assert [await bytes_of(source, described(data)) for data in (b"one", b"two")] == [b"one", b"two"]
    assert await source.has_blob(ONE)
    assert await source.blob_size(ONE.digest) == 3


async def test_a_link_to_a_link_to_a_file_outside_is_followed(opener: Opener, folder: Path, tmp_path: Path) -> None:
    cache = linked(folder)
    led_to(cache / ONE.digest.hex, tmp_path / "far" / "away")
    assert await bytes_of(opener().open(str(folder)), ONE) == b"one"


async def test_a_change_behind_the_link_of_an_index_is_seen(opener: Opener, folder: Path) -> None:
    cache = linked(folder, all_files=True)
    source = opener().open(str(folder))
    assert await tags_of(source) == ["v1"]
    index = cache / "index.json"
    index.write_text(index.read_text().replace('"v1"', '"v1.0"'))
    assert await tags_of(source) == ["v1.0"]


async def first_byte(source: Repository, blob: Descriptor, *, start: int = 0) -> bytes:
    """Return the first bytes that are handed out, whether anybody would prove them or not."""
    async with source.open_blob(blob, start=start) as chunks:
        async for chunk in chunks:
            return chunk
    return b""


@pytest.mark.parametrize("start", [0, 1])
async def test_not_one_byte_of_another_file_leaves_by_a_link(opener: Opener, folder: Path, start: int) -> None:
    cache = linked(folder)
    (cache / ONE.digest.hex).write_bytes(b"key")  # of the same length
    source = opener().open(str(folder))
    with pytest.raises(StorageError, match="leads to a file that is not what its name says"):
        await first_byte(source, ONE, start=start)
    assert not await source.has_blob(ONE)


async def test_a_file_behind_a_link_that_changes_is_proved_again(opener: Opener, folder: Path) -> None:
    cache = linked(folder)
    source = opener().open(str(folder))
    assert await first_byte(source, ONE, start=1) == b"ne"
    (cache / ONE.digest.hex).write_bytes(b"key")
    with pytest.raises(StorageError, match="not what its name says"):
        await first_byte(source, ONE, start=1)


async def test_a_file_behind_a_link_is_hashed_once(opener: Opener, folder: Path) -> None:
    linked(folder)
    reads: list[Path] = []
    files = Files(lambda operation, path: reads.append(path) if operation == "read" else None)
    source = opener(files=files).open(str(folder))
    seen = []
    for _ in range(3):
        assert await bytes_of(source, ONE) == b"one"
        seen.append(len(reads))
    assert seen[1] - seen[0] == seen[2] - seen[1] < seen[0]


async def test_a_manifest_behind_a_link_is_proved(opener: Opener, folder: Path) -> None:
    cache = linked(folder)
    path = cache / BUILT.digest.partition(":")[2]
    path.write_bytes(path.read_bytes().replace(b"layers", b"Layers"))
    source = opener().open(str(folder))
    assert await source.head_manifest("v1") is None
    with pytest.raises(IntegrityError):
        await source.get_manifest("v1")


ELSEWHERE: dict[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "directory": Path.mkdir,
    "nothing": lambda path: None,
    "itself": lambda path: path.symlink_to(path),
    "device": lambda path: path.symlink_to("/dev/zero"),
}


@pytest.mark.parametrize("kind", ELSEWHERE)
async def test_a_link_that_leads_to_no_plain_file_is_refused_and_not_waited_for(
    opener: Opener, folder: Path, kind: str
) -> None:
    path = linked(folder) / ONE.digest.hex
    path.unlink()
    ELSEWHERE[kind](path)
    source = opener().open(str(folder))
    with pytest.raises(RegsyncError, match=str(place_of(folder, ONE))):
        await first_byte(source, ONE)


@contextmanager
def untouched(*places: Path) -> Iterator[None]:
    """Fail if anything in these changes."""
    before = [everything(place) for place in places]
    yield
    assert [everything(place) for place in places] == before


async def test_a_source_of_links_gives_its_bytes_and_not_its_links(
    opener: Opener, folder: Path, tmp_path: Path
) -> None:
    cache = linked(folder)
    layouts = opener()
    source = layouts.open(str(folder))
    async with layouts.writing(str(tmp_path / "target")) as target:
        with untouched(folder, cache):
            assert not await target.adopt_blob(ONE, source)
    assert not place_of(tmp_path / "target", ONE).is_symlink()


async def test_a_writer_trusts_no_link_and_writes_through_none(opener: Opener, folder: Path) -> None:
    cache = linked(folder)
    with untouched(cache):
        async with opener(grace=-1.0).writing(str(folder)) as layout:
            assert await layout.head_manifest("v1") is None
            assert not await layout.has_blob(ONE)
            await an_image(layout, b"new", tag="v1")
    assert (cache / ONE.digest.hex).read_bytes() == b"one"


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
async def test_a_layout_that_was_read_through_links_is_no_target(opener: Opener, folder: Path, name: str) -> None:
    write_layout(folder, {"v1": BUILT})
    led_to(folder / name, folder.parent / "cache" / name)
    layouts = opener()
    assert await tags_of(layouts.open(str(folder))) == ["v1"]
    with pytest.raises(StorageError, match=f"{folder / name}.*symbolic link"):
        async with layouts.writing(str(folder)) as layout:
            await an_image(layout, b"new", tag="v2")
