"""Layouts inside each other: repositories called `app` and `app/blobs` are mirrored one into the other's folder."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import pytest

from regsync.errors import StorageError
from regsync.layout.layouts import Layouts
from tests.support.images import an_image, assert_whole, described, read_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, place_of, tags_of

NAMES = ["app", "app/blobs", "app/blobs/sha256", "app/blobs/blobs/x"]


def assert_tag(folder: Path, tag: str) -> None:
    tags, contents = read_layout(folder)
    assert tag in tags
    assert_whole(tags[tag], contents)


@pytest.mark.parametrize("order", list(permutations(NAMES)), ids="-".join)
async def test_a_layout_may_lie_in_the_blobs_of_another_whichever_comes_first(
    opener: Opener, tmp_path: Path, order: tuple[str, ...]
) -> None:
    layouts = opener(grace=-1.0)
    for tag in ("v1", "v2", "v1"):
        for name in order:
            async with layouts.writing(str(tmp_path / name)) as layout:
                await an_image(layout, f"{name} {tag}".encode(), tag=tag)
    for name in order:
        assert await tags_of(layouts.open(str(tmp_path / name))) == ["v1", "v2"]
        entries = {path.name for path in (tmp_path / name / "blobs" / "sha256").iterdir() if path.is_file()}
        assert len(entries - {"oci-layout", "index.json"}) == 6


async def test_a_nested_layout_is_no_lost_index_of_the_outer_one(layouts: Layouts, tmp_path: Path) -> None:
    async with layouts.writing(str(tmp_path / "app" / "blobs")) as layout:
        await an_image(layout, b"inner", tag="v1")
    assert await layouts.open(str(tmp_path / "app")).head_manifest("v1") is None


@pytest.mark.parametrize("name", ["index.json", "oci-layout"])
@pytest.mark.parametrize("outer_first", [True, False])
async def test_a_layout_in_the_place_of_a_file_of_another_is_refused_and_nothing_is_lost(
    layouts: Layouts, tmp_path: Path, name: str, *, outer_first: bool
) -> None:
    outer, inner = tmp_path / "app", tmp_path / "app" / name
    first, second = (outer, inner) if outer_first else (inner, outer)
    async with layouts.writing(str(first)) as layout:
        await an_image(layout, b"a", tag="v1")
    before = everything(tmp_path)
    with pytest.raises(StorageError, match=f"{inner}.*stands where a"):
        async with layouts.writing(str(second)) as layout:
            await an_image(layout, b"b", tag="v1")
    assert everything(tmp_path) == before


async def test_a_layout_in_the_place_of_a_blob_is_not_moved_away(layouts: Layouts, folder: Path) -> None:
    blob = described(b"a blob")
    inner = place_of(folder, blob)
    async with layouts.writing(str(inner)) as layout:
        await an_image(layout, b"inner", tag="v1")
    with pytest.raises(StorageError, match=f"{inner} is a layout"):
        async with layouts.writing(str(folder)) as layout:
            await an_image(layout, b"a blob", tag="v1")
    assert_tag(inner, "v1")
