"""`.regsync` holds nothing when nobody writes, but for what is needed to find a lost index."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import shutil
from itertools import count
from pathlib import Path

import pytest

from regsync.errors import IntegrityError, StorageError, Unavailable
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from regsync.layout.lease import taken
from tests.support.images import (
    an_image,
    described,
    image_bytes,
    put_blob,
    put_built,
    read_layout,
    some_bytes,
    verified_once,
    write_layout,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, names, place_of

HALF = some_bytes(3 << 20)


def corner(folder: Path) -> list[str] | None:
    """What `.regsync` holds, at any depth; None when it is not there."""
    hidden = folder / ".regsync"
    return sorted(str(path.relative_to(hidden)) for path in hidden.rglob("*")) if hidden.exists() else None


async def test_what_is_left_is_the_index_before_the_last_change_and_nothing_else(
    layouts: Layouts, folder: Path
) -> None:
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"a", tag="v1")
        assert corner(folder) == ["index.lock", "lease.lock", "stage"]
    assert corner(folder) is None
    async with layouts.writing(str(folder)) as layout:
        await an_image(layout, b"b", tag="v2")
    assert corner(folder) == ["index.json.previous"]


async def test_who_has_nothing_to_do_leaves_nothing_behind(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is None
        assert not await layout.has_blob(described(b"a"))
    assert names(folder.parent) == []
    write_layout(folder, {"v1": image_bytes(b"a")})
    before = everything(folder)
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        assert corner(folder) == ["lease.lock"]  # so that what was seen is not swept
    assert everything(folder) == before
    assert corner(folder) is None


@pytest.mark.parametrize("error", [Unavailable("gone"), IntegrityError("wrong"), KeyError("a bug")])
async def test_a_writer_that_fails_leaves_nothing_behind(layouts: Layouts, folder: Path, error: Exception) -> None:
    async def failing() -> None:
        async with layouts.writing(str(folder)) as layout, layout.write_blob(described(HALF * 2)) as writer:
            await writer.write(HALF)
            raise error

    with pytest.raises(type(error)):
        await failing()
    assert corner(folder) is None


async def test_a_writer_that_is_cancelled_leaves_nothing_behind(layouts: Layouts, folder: Path) -> None:
    stuck = asyncio.Event()

    async def waiting() -> None:
        async with layouts.writing(str(folder)) as layout, layout.write_blob(described(HALF * 2)) as writer:
            await writer.write(HALF)
            stuck.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(waiting())
    await stuck.wait()
    task.cancel()
    await asyncio.wait({task})
    assert corner(folder) is None


async def test_damage_that_was_set_aside_goes_with_the_last_writer(layouts: Layouts, folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"a layer")})
    place_of(folder, described(b"a layer")).write_bytes(b"A LAYER")
    async with layouts.writing(str(folder)) as layout:
        assert not await layout.has_blob(described(b"a layer"))
        assert len(corner(folder) or ()) == 3
        await put_blob(layout, verified_once(b"a layer"))
    assert corner(folder) is None


async def test_what_a_killed_writer_left_goes_before_the_next_one_needs_the_room(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"a")})
    for name in ("stage/1-abc", "quarantine/1-abc", "lease.lock", "index.lock"):
        (folder / ".regsync" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / ".regsync" / name).write_text("left")
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        assert corner(folder) == ["index.lock", "lease.lock"] or corner(folder) == ["lease.lock"]
    assert corner(folder) is None


async def test_what_another_process_has_staged_stays(opener: Opener, folder: Path) -> None:
    async with opener().writing(str(folder)) as theirs, theirs.write_blob(described(HALF)) as writer:
        await writer.write(HALF)
        async with opener().writing(str(folder)) as ours:
            await an_image(ours, b"ours", tag="ours")
        await writer.commit()
        assert await theirs.has_blob(described(HALF))
    assert corner(folder) is None


async def test_a_layout_that_cannot_be_written_can_still_be_found_current(opener: Opener, folder: Path) -> None:
    def read_only(operation: str, path: Path) -> None:
        if operation in {"create", "lock", "rename to", "remove", "write"}:
            raise OSError(errno.EROFS, "Read-only file system")

    write_layout(folder, {"v1": image_bytes(b"a")})
    async with opener(files=Files(read_only)).writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        assert await layout.has_blob(described(b"a"))
        for _ in range(2):
            with pytest.raises(StorageError, match="read-only"):
                await an_image(layout, b"new", tag="v2")


def test_a_lock_whose_file_is_removed_while_it_is_taken_is_taken_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lock"
    flock = fcntl.flock

    def late(descriptor: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", flock)
        path.unlink()  # its last holder leaves between our opening it and our locking it
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", late)
    lock = Files().lock(path, exclusive=True)
    assert lock is not None
    assert Files().lock(path, exclusive=False) is None  # others find the one we hold
    lock.close()


async def test_founding_a_layout_may_be_stopped_at_any_operation(opener: Opener, tmp_path: Path) -> None:
    for left in count():
        folder = tmp_path / f"{left}"
        stops = StopsFor(left)
        try:
            async with opener(files=Files(stops)).writing(str(folder)) as layout:
                await an_image(layout, b"a", tag="v1")
        except StorageError:
            pass
        else:
            if not stops.stopped:
                break
        async with opener(grace=-1.0).writing(str(folder)) as layout:
            await an_image(layout, b"a", tag="v1")
        assert list(read_layout(folder)[0]) == ["v1"]
        assert corner(folder) is None
        shutil.rmtree(folder)
    assert left > 40


class StopsFor:
    """Fails every operation from the k-th on, as if the process had been killed there."""

    def __init__(self, left: int) -> None:
        self.stopped = False
        self._left = left

    def __call__(self, operation: str, path: Path) -> None:
        self._left -= 1
        if self._left < 0:
            self.stopped = True
            raise OSError(errno.EIO, os.strerror(errno.EIO))


async def test_two_processes_that_found_one_layout_lose_nothing(opener: Opener, folder: Path) -> None:
    openers = [opener() for _ in range(6)]

    async def put(layouts: Layouts, name: str) -> None:
        async with layouts.writing(str(folder)) as layout:
            await put_built(layout, image_bytes(name.encode()), tag=name)

    await asyncio.gather(*(put(layouts, f"v{number}") for number, layouts in enumerate(openers)))
    assert sorted(read_layout(folder)[0]) == [f"v{number}" for number in range(6)]
    assert corner(folder) in (["index.json.previous"], None)


def test_a_lock_whose_folder_is_removed_each_time_is_waited_for(tmp_path: Path) -> None:
    def removed(operation: str, path: Path) -> None:
        if operation == "lock":
            path.parent.rmdir()

    (tmp_path / "corner").mkdir()
    assert taken(tmp_path / "corner" / "lock", exclusive=True, files=Files(removed).below(tmp_path)) is None
    lock = taken(tmp_path / "corner" / "lock", exclusive=True, files=Files().below(tmp_path))
    assert lock is not None
    lock.close()
