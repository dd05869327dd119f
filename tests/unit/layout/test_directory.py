"""Which directories are layouts, what others do to them, and what is never touched."""

from __future__ import annotations

from pathlib import Path

import pytest

from regsync.errors import StorageError
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from tests.support.images import (
    an_image,
    image_bytes,
    platforms_index,
    put_blob,
    read_layout,
    verified_once,
    write_layout,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files, everything, tags_of


@pytest.mark.parametrize("raw", [b"", b'{"schemaVersion":2,"manif', b"[]", b"not json", b"\0" * 64, None])
async def test_an_unreadable_index_is_an_error_and_nothing_is_touched(
    opener: Opener, folder: Path, raw: bytes | None
) -> None:
    async with opener().writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
        await an_image(layout, b"b", tag="v2")
    (folder / "index.json").unlink()
    if raw is not None:
        (folder / "index.json").write_bytes(raw)
    before = everything(folder)
    layouts = opener(grace=-1.0)
    with pytest.raises(StorageError, match=r"index\.json\.previous"):
        await tags_of(layouts.open(str(folder)))
    async with layouts.writing(str(folder)) as layout:
        with pytest.raises(StorageError, match=r"nothing was changed"):
            await put_blob(layout, verified_once(b"x"))
        with pytest.raises(StorageError, match=r"nothing was changed"):
            await an_image(layout, b"c", tag="v3")
    with pytest.raises(StorageError):
        await layouts.open(str(folder)).tidy()
    assert everything(folder) == before


@pytest.mark.parametrize("marker", [None, b'{"imageLayoutVersion":"2.0.0"}', b"", b"[]", b"{}"])
async def test_a_directory_that_is_no_layout_of_this_version_is_not_written_into(
    layouts: Layouts, folder: Path, marker: bytes | None
) -> None:
    (folder / "blobs" / "sha256").mkdir(parents=True)
    (folder / "blobs" / "sha256" / "file").write_text("mine")
    if marker is not None:
        (folder / "oci-layout").write_bytes(marker)
    before = everything(folder)
    with pytest.raises(StorageError, match="oci-layout"):
        await layouts.open(str(folder)).head_manifest("v1")
    async with layouts.writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="oci-layout"):
            await an_image(layout, b"a", tag="v1")
    assert everything(folder) == before


async def test_an_empty_directory_becomes_a_layout(layouts: Layouts, folder: Path) -> None:
    (folder / "lost+found").mkdir(parents=True)  # what a fresh volume holds
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
    assert (folder / "oci-layout").read_text() == '{"imageLayoutVersion":"1.0.0"}'
    assert list(read_layout(folder)[0]) == ["v1"]


async def test_layouts_may_be_nested_whichever_comes_first(layouts: Layouts, folder: Path) -> None:
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "README").write_text("mine")
    for path in (folder / "a" / "b", folder / "a", folder):
        async with layouts.writing(str(path)) as layout:
            await an_image(layout, b"a", tag="v1")
    for path in (folder, folder / "a", folder / "a" / "b"):
        assert list(read_layout(path)[0]) == ["v1"]
    assert (folder / "notes" / "README").read_text() == "mine"


@pytest.mark.parametrize("commits", [1, 2])
async def test_a_layout_of_ours_that_lost_its_index_is_an_error_and_nothing_is_removed(
    opener: Opener, folder: Path, commits: int
) -> None:
    for number in range(commits):
        async with opener().writing(str(folder)) as layout:
            await an_image(layout, bytes([number]), tag=f"v{number}")
    (folder / "index.json").unlink()
    before = blob_files(folder)
    async with opener(grace=-1.0).writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="it is missing"):
            await an_image(layout, b"new", tag="v9")
    assert blob_files(folder) == before


async def test_a_layout_of_others_that_lost_its_index_is_an_error_and_nothing_is_touched(
    opener: Opener, folder: Path
) -> None:
    write_layout(folder, {"v1": image_bytes(b"old")})
    (folder / "index.json").unlink()
    before = everything(folder)
    layouts = opener(grace=-1.0)
    with pytest.raises(StorageError, match="it is missing"):
        await tags_of(layouts.open(str(folder)))
    async with layouts.writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="it is missing"):
            await an_image(layout, b"new", tag="v2")
    assert {name: seen for name, seen in everything(folder).items() if ".regsync" not in name} == before


async def test_a_layout_by_others_is_read_and_added_to(layouts: Layouts, folder: Path) -> None:
    built = platforms_index("linux/amd64", "linux/arm64")
    write_layout(folder, {"registry.example:5000/a/b:v1": built})
    (folder / "ingest").mkdir()
    (folder / "oci-put-blob123").write_text("another tool's")
    async with layouts.writing(str(folder)) as layout:
        assert (await layout.get_manifest("v1")).raw == built.raw
        await an_image(layout, b"a", tag="v2")
    assert (folder / "oci-put-blob123").read_text() == "another tool's"
    assert list(read_layout(folder)[0]) == ["registry.example:5000/a/b:v1", "v2"]


async def test_a_program_without_locks_that_writes_meanwhile_loses_nothing(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"old": image_bytes(b"old")})
    raw = (folder / "index.json").read_bytes()
    theirs = image_bytes(b"theirs")
    rounds: list[str] = []

    def meddle(operation: str, path: Path) -> None:
        if operation == "sync" and path == folder / "blobs" and len(rounds) < 2:  # we have read the index by now
            rounds.append(operation)
            write_layout(folder, {"old": image_bytes(b"old"), f"theirs{len(rounds)}": theirs})

    async with opener(files=Files(meddle)).writing(str(folder)) as layout:
        await an_image(layout, b"ours", tag="ours")
    assert len(rounds) == 2
    assert (folder / "index.json").read_bytes() != raw
    assert sorted(read_layout(folder)[0]) == ["old", "ours", "theirs2"]


async def test_where_there_are_no_locks_nothing_is_written(opener: Opener, folder: Path) -> None:
    def no_locks(operation: str, path: Path) -> None:
        if operation == "lock":
            raise OSError(37, "No locks available")

    async with opener(files=Files(no_locks)).writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="no locks"):
            await an_image(layout, b"a", tag="v1")
    assert blob_files(folder) == []
