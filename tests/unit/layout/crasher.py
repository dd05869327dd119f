"""Run as a program: forks a child per file operation that is killed at it, and looks at what it leaves.

`python -m tests.unit.layout.crasher FOLDER` prints how many deaths the layout survived. It is a process of its own
because it must have no threads when it forks. Who is killed at an operation that changes nothing, such as a look,
leaves what is left by who is killed at the next that does, so only those are counted; and as no death of a process
loses what was written, nothing is synced.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
from itertools import count
from pathlib import Path

from regsync.clock import SystemClock
from regsync.layout.files import Files
from regsync.layout.layouts import Layouts
from tests.support.images import assert_whole, image_bytes, put_built, read_layout, some_bytes, write_layout

OLD = {f"v{number}": image_bytes(f"old {number}".encode()) for number in range(5)}
NEW = image_bytes(b"a small layer", some_bytes((1 << 20) + 70_000))
CHANGES_NOTHING = {"look at", "read", "list", "sync", "close"}


async def put(folder: Path, files: Files) -> None:
    layouts = Layouts(SystemClock(), files=files, grace=-1.0)
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, NEW, tag="v0")  # moves a tag, so that there is something to collect
        await put_built(layout, NEW, tag="new")
    layouts.close()


def killed(folder: Path, *, at: int) -> bool:
    """Put in a child that dies at this operation; say whether it lived to do it."""
    left = at

    def die(operation: str, path: Path) -> None:
        nonlocal left
        left -= operation not in CHANGES_NOTHING
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        os.fsync = lambda fd: None
        asyncio.run(put(folder, Files(die)))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert status in (0, signal.SIGKILL), f"the child ended with {status} at operation {at}"
    return bool(status)


def check(folder: Path, *, done: bool) -> None:
    """Fail unless everything is as before, or as after the put."""
    tags, contents = read_layout(folder)
    for digest in tags.values():
        assert_whole(digest, contents)
    kept = {tag: image.digest for tag, image in OLD.items()}
    moved = {**kept, "v0": NEW.digest}
    assert tags in ([{**moved, "new": NEW.digest}] if done else [kept, moved, {**moved, "new": NEW.digest}])


def main(place: Path) -> None:
    origin, folder = place / "origin", place / "layout"
    write_layout(origin, OLD)
    for at in count(1):
        shutil.copytree(origin, folder)
        died = killed(folder, at=at)
        check(folder, done=not died)
        if not died:
            sys.stdout.write(f"{at - 1} deaths survived\n")
            return
        assert not killed(folder, at=-1)
        check(folder, done=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
