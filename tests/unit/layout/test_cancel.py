"""A copy cancelled at any moment tears nothing, leaks nothing and leaves the lock to others."""

from __future__ import annotations

import asyncio
import shutil
import threading
from itertools import count
from pathlib import Path

import pytest

from regsync.layout.files import Files
from regsync.layout.repository import LayoutRepository
from tests.support.clock import settle
from tests.support.images import (
    Built,
    assert_whole,
    bytes_of,
    described,
    image_bytes,
    index_bytes,
    put_built,
    put_bytes,
    read_layout,
    some_bytes,
    write_layout,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import open_files, staged

OLD = {f"v{number}": image_bytes(f"old {number}".encode()) for number in range(3)}
LAYER = some_bytes((1 << 20) + 70_000)
NEW = image_bytes(b"a small layer", LAYER)


class Cancelling:
    """Cancels a task when the k-th file operation begins, from the thread that does it."""

    def __init__(self, at: int) -> None:
        self.done = False
        self.task: asyncio.Task[None] | None = None
        self._left = at
        self._loop = asyncio.get_running_loop()

    def __call__(self, operation: str, path: Path) -> None:
        self._left -= 1
        if self._left == 0 and self.task is not None:
            self.done = True
            self._loop.call_soon_threadsafe(self.task.cancel)


def assert_sound(folder: Path) -> None:
    tags, contents = read_layout(folder)
    for digest in tags.values():
        assert_whole(digest, contents)
    assert {tag: tags.get(tag) for tag in OLD} == {tag: image.digest for tag, image in OLD.items()}


async def put_and_read(opener: Opener, folder: Path, files: Files, built: Built) -> None:
    layouts = opener(files=files)
    try:
        async with layouts.writing(str(folder)) as layout:
            await put_built(layout, built, tag="new")
            assert await bytes_of(layout, described(LAYER)) == LAYER
    finally:
        await asyncio.to_thread(layouts.close)


async def test_cancelling_at_any_file_operation_tears_nothing(opener: Opener, tmp_path: Path) -> None:
    write_layout(tmp_path / "origin", OLD)
    await asyncio.to_thread(int)  # whose thread pool stays
    before = open_files()
    for at in count(1):
        folder = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "origin", folder)
        cancelling = Cancelling(at)
        cancelling.task = asyncio.create_task(put_and_read(opener, folder, Files(cancelling), NEW))
        await asyncio.wait({cancelling.task})
        await asyncio.sleep(0)
        if not cancelling.done:
            await cancelling.task
            assert at > 50
            break
        assert_sound(folder)
        assert open_files() == before
        assert staged(folder) == []
        async with opener().writing(str(folder)) as layout:
            await put_built(layout, NEW, tag="new")
        shutil.rmtree(folder)
        before = open_files()


@pytest.mark.parametrize("turns", range(0, 120, 3))
async def test_cancelling_at_any_turn_of_the_loop_tears_nothing(opener: Opener, tmp_path: Path, turns: int) -> None:
    write_layout(tmp_path, OLD)
    task = asyncio.create_task(put_and_read(opener, tmp_path, Files(), NEW))
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert_sound(tmp_path)
    async with opener().writing(str(tmp_path)) as layout:
        await put_built(layout, NEW, tag="new")
    assert read_layout(tmp_path)[0]["new"] == NEW.digest


async def test_changes_of_cancelled_writers_do_not_hold_up_the_others(opener: Opener, tmp_path: Path) -> None:
    named, loop = asyncio.Event(), asyncio.get_running_loop()

    def watch(operation: str, path: Path) -> None:
        if (operation, path.name) == ("rename to", "index.json"):
            loop.call_soon_threadsafe(named.set)

    async with opener(files=Files(watch)).writing(str(tmp_path / "layout")) as layout:
        tasks = [
            asyncio.create_task(put_built(layout, image_bytes(f"{number}".encode()), tag=f"v{number}"))
            for number in range(20)
        ]
        await named.wait()
        for task in tasks[::2]:
            task.cancel()
        await asyncio.wait(tasks)
    tags, contents = read_layout(tmp_path / "layout")
    assert {f"v{number}" for number in range(1, 20, 2)} <= set(tags)
    for digest in tags.values():
        assert_whole(digest, contents)


async def test_who_is_cancelled_twice_while_the_disk_hangs_holds_the_layout_no_longer(
    opener: Opener, tmp_path: Path
) -> None:
    hanging, going_on = threading.Event(), threading.Event()

    def hang(operation: str, _: Path) -> None:
        if operation == "sync" and not hanging.is_set():
            hanging.set()
            going_on.wait(20)

    layouts, held = opener(files=Files(hang)), list[LayoutRepository]()

    async def put() -> None:
        async with layouts.writing(str(tmp_path / "layout")) as layout:
            held.append(layout)
            await put_bytes(layout, b"a blob")

    writer = asyncio.create_task(put())
    await asyncio.to_thread(hanging.wait, 20)
    for _ in range(2):
        writer.cancel()
        await settle()
    going_on.set()
    with pytest.raises(asyncio.CancelledError):
        await writer
    async with asyncio.timeout(20):
        while held[0].lease.held:  # until the thread has done what it began
            await asyncio.to_thread(going_on.wait, 0.01)
    assert not held[0].lease.locked
    async with layouts.writing(str(tmp_path / "layout")) as layout:
        await put_bytes(layout, b"another blob")
        assert layout.lease.locked


class Holding:
    """Holds up the first operation of a kind that is done to a file of this name, until told to let it go."""

    def __init__(self, operation: str, name: str) -> None:
        self.let_go = threading.Event()
        self.reached = threading.Event()
        self._what = operation, name

    def __call__(self, operation: str, path: Path) -> None:
        if (operation, path.name) == self._what and not self.reached.is_set():
            self.reached.set()
            self.let_go.wait(20)


async def test_a_look_that_nobody_waits_for_any_more_proves_nothing_to_a_later_writer(
    opener: Opener, tmp_path: Path
) -> None:
    write_layout(tmp_path, {"v1": index_bytes(NEW)})
    lost = tmp_path / "blobs" / "sha256" / described(LAYER).digest.hex
    holding = Holding("look at", lost.name)
    layouts = opener(files=Files(holding))

    async def look() -> None:
        async with layouts.writing(str(tmp_path)) as layout:
            await layout.head_manifest("v1")

    looking = asyncio.create_task(look())
    await asyncio.to_thread(holding.reached.wait, 20)
    looking.cancel()
    await asyncio.wait({looking})  # it has left, and its thread is still looking
    holding.let_go.set()
    for _ in range(20):
        assert await layouts.open(str(tmp_path)).head_manifest("v1") is not None
    lost.unlink()
    async with layouts.writing(str(tmp_path)) as layout:
        assert await layout.head_manifest("v1") is None
