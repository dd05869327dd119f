"""Nothing is written or removed through a link inside a target, and nothing that waits is opened."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from regsync.errors import StorageError
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from tests.support.clock import FakeClock
from tests.support.images import an_image, bytes_of, described, image_bytes, read_layout, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, tags_of

PLACES = ["blobs", "blobs/sha256", ".regsync", ".regsync/stage", "index.json", "oci-layout"]


def led_away(folder: Path, place: str) -> Path:
    """Move a part of the layout elsewhere and put a link in its place; return where it is now."""
    away = folder.parent / "elsewhere"
    inside = folder / place
    if inside.exists():
        inside.rename(away)
    else:
        inside.parent.mkdir(exist_ok=True)
        away.mkdir()
        (away / "12-mine-3").write_text("mine")
    inside.symlink_to(away)
    return away


def contents(place: Path) -> object:
    return everything(place) if place.is_dir() else place.read_bytes()


@pytest.mark.parametrize("place", PLACES)
async def test_a_target_with_a_link_inside_is_refused_by_name_and_left_alone(
    opener: Opener, folder: Path, place: str
) -> None:
    write_layout(folder, {"v1": image_bytes(b"one"), "v2": image_bytes(b"two")})
    write_layout(folder, {"v1": image_bytes(b"one")})
    away = led_away(folder, place)
    before = contents(away)
    with pytest.raises(StorageError, match=f"{folder / place}.*symbolic link"):
        async with opener(grace=-1.0).writing(str(folder)) as layout:
            await an_image(layout, b"new", tag="v1")
    assert contents(away) == before
    assert (folder / place).is_symlink()


@pytest.mark.parametrize("place", PLACES[:4])
async def test_a_link_put_there_while_we_write_is_not_followed(opener: Opener, folder: Path, place: str) -> None:
    write_layout(folder, {"v1": image_bytes(b"one"), "v2": image_bytes(b"two")})
    write_layout(folder, {"v1": image_bytes(b"one")})
    layouts = opener(grace=-1.0)
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"new", tag="v1")
        away = led_away(folder, place)
        before = contents(away)
        with pytest.raises(StorageError, match="symbolic link"):
            await an_image(layout, b"newer", tag="v1")
    assert contents(away) == before


@pytest.mark.parametrize("place", ["blobs", "blobs/sha256"])
async def test_a_shared_store_is_read_as_a_source(opener: Opener, folder: Path, place: str, tmp_path: Path) -> None:
    built = image_bytes(b"one")
    write_layout(folder, {"v1": built})
    led_away(folder, place)
    layouts = opener()
    source = layouts.open(str(folder))
    assert await tags_of(source) == ["v1"]
    assert (await source.get_manifest("v1")).raw == built.raw
    assert await bytes_of(source, described(b"one")) == b"one"
    async with layouts.writing(str(tmp_path / "target")) as target:
        assert await target.adopt_blob(described(b"one"), source)


async def test_the_layout_itself_may_be_given_through_a_link(layouts: Layouts, folder: Path) -> None:
    write_layout(folder, {})
    (folder.parent / "link").symlink_to(folder)
    async with layouts.writing(str(folder.parent / "link")) as layout:
        await an_image(layout, b"a", tag="v1")
    assert list(read_layout(folder)[0]) == ["v1"]


async def test_a_link_to_a_layout_that_is_turned_is_followed_by_the_next_writer(layouts: Layouts, folder: Path) -> None:
    link = folder.parent / "current"
    for name in ("monday", "tuesday"):
        write_layout(folder / name, {})
        link.unlink(missing_ok=True)
        link.symlink_to(folder / name)
        async with layouts.writing(str(link)) as layout:
            await an_image(layout, name.encode(), tag=name)
        assert await tags_of(layouts.open(str(link))) == [name]
        assert list(read_layout(folder / name)[0]) == [name]


async def test_where_a_path_leads_is_not_asked_on_the_event_loop_at_each_image(folder: Path) -> None:
    asked: list[bool] = []

    class Watched(Files):
        def real(self, path: str) -> Path:
            asked.append(threading.current_thread() is threading.main_thread())
            return super().real(path)

    clock = FakeClock()
    layouts = Layouts(clock, files=Watched())
    write_layout(folder, {"v1": image_bytes(b"a")})
    async with layouts.writing(str(folder)):
        for _ in range(100):
            layouts.open(str(folder))
    assert asked == [False]
    for _ in range(100):
        layouts.open("another")
    assert asked == [False, True]
    await clock.advance(61)
    layouts.open("another")
    assert asked == [False, True, True]
    layouts.close()


def as_fifo(path: Path) -> None:
    os.mkfifo(path)


def as_directory(path: Path) -> None:
    path.mkdir()


def as_link(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("name", ["lease.lock", "index.lock"])
@pytest.mark.parametrize("make", [as_fifo, as_directory, as_link])
async def test_a_lock_that_is_no_file_is_refused_at_once(
    layouts: Layouts, folder: Path, name: str, make: Callable[[Path], None]
) -> None:
    write_layout(folder, {"v1": image_bytes(b"a")})
    (folder / ".regsync").mkdir()
    make(folder / ".regsync" / name)
    with pytest.raises(StorageError, match=rf"cannot lock .*{name}: it is no plain file"):
        async with layouts.writing(str(folder)) as layout:
            await an_image(layout, b"b", tag="v2")


def with_fifo(path: Path) -> None:
    """Put a FIFO in place of a directory."""
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.rename(path.parents[1] / "moved away")
    os.mkfifo(path)


@pytest.mark.parametrize("name", [".regsync", ".regsync/stage", "blobs"])
async def test_a_fifo_where_a_directory_belongs_is_refused_at_once(layouts: Layouts, folder: Path, name: str) -> None:
    write_layout(folder, {})
    with_fifo(folder / name)
    with pytest.raises(StorageError, match=f"{folder / name}.*directory"):
        async with layouts.writing(str(folder)) as layout:
            await an_image(layout, b"b", tag="v2")


OPERATIONS: dict[str, Callable[[Files, Path], object]] = {
    "create": lambda files, path: files.create(path),
    "remove": lambda files, path: files.remove(path),
    "remove directory": lambda files, path: files.remove_directory(path),
    "make directory": lambda files, path: files.make_directory(path),
    "sync directory": lambda files, path: files.sync_directory(path.parent),
    "lock": lambda files, path: files.lock(path, exclusive=False),
    "rename from": lambda files, path: files.rename(path, path.parents[1] / "new"),
    "rename to": lambda files, path: files.rename(path.parents[1] / "file", path),
    "link to": lambda files, path: files.link(path.parents[1] / "file", path),
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_operation_that_changes_anything_goes_through_a_link(operation: str, tmp_path: Path) -> None:
    away, root = tmp_path / "away", tmp_path / "root"
    for folder in (away, root):
        folder.mkdir()
        (folder / "file").write_text("mine")
    (root / "link").symlink_to(away)
    before = everything(away)
    with pytest.raises(StorageError, match=f"{root / 'link'} is a symbolic link"):
        OPERATIONS[operation](Files().below(root), root / "link" / "file")
    assert everything(away) == before
    assert holds_what_it_held(root)


def holds_what_it_held(root: Path) -> bool:
    """Say whether the root holds what it held."""
    return sorted(path.name for path in root.iterdir()) == ["file", "link"]
