"""The layout's own threads: nothing of it blocks the event loop or waits behind a name look-up.

Two pools, because a slow fsync must not hold up reads: one moves and hashes bytes, one commits. What is begun in the
second is finished even when its task is cancelled, so no commit is torn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class Threads:
    """Two small pools that are made when first used; `closing` is set when long work should stop."""

    def __init__(self) -> None:
        self.closing = Event()
        self._movers = ThreadPoolExecutor(8, "layout-move")
        self._committers = ThreadPoolExecutor(4, "layout-commit")

    def start(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Begin to move bytes; whoever never asks for the result misses no error of it."""
        future = asyncio.get_running_loop().run_in_executor(self._movers, call)
        future.add_done_callback(_seen)
        return future

    async def run(self, call: Callable[[], T]) -> T:
        """Do this in a thread; when cancelled, its result is dropped."""
        return await self.start(call)

    async def obtain(self, call: Callable[[], T], *, undo: Callable[[T], None]) -> T:
        """Open something in a thread; when cancelled, it is undone as soon as it is there."""
        future = self.start(call)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            future.add_done_callback(partial(_undone, undo))
            raise

    def begin_commit(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Begin what must not be left half done; the future belongs to the thread, so shield it."""
        future = asyncio.get_running_loop().run_in_executor(self._committers, call)
        future.add_done_callback(_seen)
        return future

    async def commit(self, call: Callable[[], T]) -> T:
        """Do in one go what must not be left half done; a cancelled caller leaves early, the work goes on."""
        return await asyncio.shield(self.begin_commit(call))

    def close(self) -> None:
        """Stop long reads, let commits end, and end the threads."""
        self.closing.set()
        self._movers.shutdown(wait=True, cancel_futures=True)
        self._committers.shutdown(wait=True)


def _seen(future: asyncio.Future[T]) -> None:
    if not future.cancelled():
        future.exception()


def _undone(undo: Callable[[T], None], future: asyncio.Future[T]) -> None:
    if not future.cancelled() and future.exception() is None:
        undo(future.result())
