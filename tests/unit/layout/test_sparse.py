"""Indexes in a layout of which some children are left out on purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.errors import Incomplete
from regsync.events import Event, Warned
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from tests.support.images import Built, image_bytes, index_bytes, manifest_of, platforms_index, put_built
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files, tags_of

INDEX = platforms_index("linux/amd64", "linux/arm64")
NESTED = index_bytes(INDEX, image_bytes(b"beside", platform="linux/arm64"))
ARM = Platforms.parse(["linux/arm64", ""])
AMD = Platforms.parse(["linux/amd64", ""])


async def filled(opener: Opener, folder: Path, built: Built, *present: Built) -> list[Event]:
    """Have a layout whose tag `v1` is this index, with these of what lies below it; return what is told of it."""
    told: list[Event] = []
    async with opener(tell=told.append, grace=-1).writing(str(folder)) as layout:
        for one in present:
            if one.children:
                await layout.put_manifest(manifest_of(one), sparse=ARM)
            else:
                await put_built(layout, one)
        await layout.put_manifest(manifest_of(built), at="v1", sparse=ARM)
    return told


CASES = [
    pytest.param(INDEX, (INDEX.children[1],), id="flat"),
    pytest.param(NESTED, (INDEX.children[1], INDEX, NESTED.children[1]), id="nested"),
]


@pytest.mark.parametrize(("built", "present"), CASES)
async def test_what_is_left_out_is_neither_missed_nor_told_of_while_the_same_is_asked_for(
    opener: Opener, folder: Path, built: Built, present: tuple[Built, ...]
) -> None:
    told = await filled(opener, folder, built, *present)
    files = len(blob_files(folder))
    async with opener(tell=told.append, grace=-1).writing(str(folder)) as layout:
        for _ in range(2):
            found = await layout.head_manifest("v1", sparse=ARM)
            assert found is not None
            assert str(found.digest) == built.digest
        layout_tags = await tags_of(layout)
        await put_built(layout, image_bytes(b"so that it is tidied"))
    assert layout_tags == ["v1"]
    assert told == []
    assert len(blob_files(folder)) == files  # and what was added has been collected


@pytest.mark.parametrize(("built", "present"), CASES)
@pytest.mark.parametrize("sparse", [None, AMD])
async def test_who_asks_for_what_was_left_out_finds_the_image_lacking(
    opener: Opener, folder: Path, built: Built, present: tuple[Built, ...], sparse: Platforms | None
) -> None:
    told = await filled(opener, folder, built, *present)
    async with opener(tell=told.append).writing(str(folder)) as layout:
        assert await layout.head_manifest("v1", sparse=ARM) is not None
        assert await layout.head_manifest("v1", sparse=sparse) is None
        with pytest.raises(Incomplete):
            await layout.put_manifest(manifest_of(built), at="v2", sparse=sparse)
    assert len([event for event in told if isinstance(event, Warned)]) == 1


@pytest.mark.parametrize(("built", "present"), CASES)
async def test_a_part_of_what_was_copied_that_gets_lost_is_found_missing(
    opener: Opener, folder: Path, built: Built, present: tuple[Built, ...]
) -> None:
    await filled(opener, folder, built, *present)
    lost = next(iter(present[0].blobs))
    (folder / "blobs" / "sha256" / lost[7:]).unlink()
    told: list[Event] = []
    async with opener(tell=told.append).writing(str(folder)) as layout:
        assert await layout.head_manifest("v1", sparse=ARM) is None
        assert await layout.head_manifest(Digest.parse(built.digest), sparse=ARM) is None
    assert isinstance(told[0], Warned)
    assert lost in str(told[0].fields["missing"])


async def test_an_index_whose_wanted_children_are_missing_gets_no_tag(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as layout:
        await put_built(layout, INDEX.children[0])
        with pytest.raises(Incomplete):
            await layout.put_manifest(manifest_of(INDEX), at="v1", sparse=ARM)
        assert await layout.head_manifest("v1", sparse=ARM) is None
