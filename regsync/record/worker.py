"""One thread that does things in order, so that a disk that does not answer holds nobody else.

The thread is a daemon: it does not keep the process from ending, and what it had not done by then is lost, as it is in
a crash.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Full, Queue
from threading import Thread
from typing import TypeVar

from regsync.aside import promised
from regsync.clock import Clock

T = TypeVar("T")
_PAUSE = 0.1  # seconds until a full queue is tried again


class Worker:
    """A queue of at most `most` things to do, and the thread that does them from the first one on."""

    def __init__(self, name: str, *, most: int, clock: Clock) -> None:
        self._queue: Queue[Callable[[], None] | None] = Queue(most)
        self._clock = clock
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def begin(self, call: Callable[[], None]) -> bool:
        """Have this done, which must raise nothing; False when there is no room. This never waits."""
        try:
            self._queue.put_nowait(call)
        except Full:
            return False
        return True

    async def ask(self, call: Callable[[], T]) -> T:
        """Return what this returns, or raise what it raises, after all that was begun before."""
        work, answer = promised(call)
        while not self.begin(work):
            await self._clock.sleep(_PAUSE)
        return await answer

    def close(self, *, patience: float) -> bool:
        """End the thread when all is done; False if that takes longer than so many seconds."""
        try:
            self._queue.put(None, timeout=patience)
        except Full:
            return False
        self._thread.join(patience)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (call := self._queue.get()) is not None:
            call()
