"""Who may write while nobody collects garbage: counted within this process, locked between processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from regsync.clock import Clock
from regsync.errors import NotFound, StorageError
from regsync.layout.files import Files
from regsync.layout.opened import Lock
from regsync.layout.paths import Paths
from regsync.layout.threads import Threads

_PATIENCE: Final = 600.0  # seconds another process may keep us waiting
_FIRST_PAUSE, _LAST_PAUSE = 0.001, 0.05  # seconds between two tries


async def locked(path: Path, *, exclusive: bool, files: Files, threads: Threads, clock: Clock) -> Lock:
    """Wait for a lock; by asking again and again, since a thread that waits in `flock` cannot be cancelled."""
    began, pause = clock.monotonic(), _FIRST_PAUSE
    ask = partial(taken, path, exclusive=exclusive, files=files)
    while (lock := await threads.obtain(ask, undo=_give_back)) is None:
        if clock.monotonic() - began > _PATIENCE:
            raise StorageError(f"cannot lock {path}: another process has held it for {_PATIENCE:.0f} seconds")
        await clock.sleep(pause)
        pause = min(pause * 1.5, _LAST_PAUSE)
    return lock


def taken(path: Path, *, exclusive: bool, files: Files) -> Lock | None:
    """Take a lock if it is free, in a directory that is made for it; blocking, but waiting for nobody."""
    try:
        return files.lock(path, exclusive=exclusive)
    except NotFound:  # there is no such directory, or its last user has just removed it
        files.make_directory(path.parent)
    try:
        return files.lock(path, exclusive=exclusive)
    except NotFound:
        return None


def _give_back(lock: Lock | None) -> None:
    if lock is not None:
        lock.close()


class Lease:
    """The right to write into one layout, shared by all who hold it here; taken from the disk when first needed.

    `first` is done in a thread before it is taken.
    """

    def __init__(
        self, files: Files, paths: Paths, threads: Threads, *, clock: Clock, first: Callable[[], None]
    ) -> None:
        self.written = False
        self._first = first
        self._files = files
        self._paths = paths
        self._threads = threads
        self._clock = clock
        self._holders = 0
        self._lock: Lock | None = None
        self._turn = asyncio.Lock()

    @property
    def held(self) -> bool:
        """Say whether somebody here writes, or is about to."""
        return self._holders > 0

    @property
    def locked(self) -> bool:
        """Say whether the lock is taken."""
        return self._lock is not None

    def enter(self) -> None:
        """Become one of the holders."""
        self._holders += 1

    def leave(self) -> bool:
        """Stop being one; say whether that was the last one, who unlocks."""
        self._holders -= 1
        if self._holders:
            return False
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        return True

    async def lock(self) -> None:
        """Keep other processes from collecting garbage until the last holder leaves."""
        async with self._turn:
            if self._lock is not None:
                return
            await self._threads.run(self._first)
            path = self._paths.lease
            lock = await locked(path, exclusive=False, files=self._files, threads=self._threads, clock=self._clock)
            if self._holders:
                self._lock = lock
            else:
                lock.close()
