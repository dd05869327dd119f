"""An event loop in which time and threads belong to the test: the same numbers drawn, the same run.

Time passes only when everybody waits for it. What is handed to a thread pool takes its turn in the loop instead, after
a moment drawn; if the loop is `interleaving`, it does so in a thread that may let all others go first at each operation
that calls `take_turn`. At most one thread runs at any time.
"""

from __future__ import annotations

import asyncio
import selectors
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")
Call = Callable[[], Any]

_PATIENCE = 30.0  # real seconds in which a thread reaches its next turn, or its end, unless it waits for another
_LONGEST = 0.002  # simulated seconds between two turns of a thread

_LONGEST_PLAY = 1800.0  # simulated seconds after which nothing can be expected any more

_here = threading.local()
_idle: list[_Worker] = []


class Abandoned(BaseException):
    """Ends the threads of a loop that is closed."""


class _Passing(selectors.SelectSelector):
    """Lets the time pass instead of waiting: nobody outside has anything to say."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        assert timeout is not None, "everybody waits for ever"
        self.now += max(timeout, 0.0)
        return []


class _Worker:
    """A thread that runs only between `resume` and its next `park`."""

    def __init__(self) -> None:
        self._go, self._back = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._back.acquire()
        self.loop: SimulatedLoop | None = None
        self.call: Call | None = None
        threading.Thread(target=self._work, daemon=True).start()

    def resume(self) -> bool:
        """Let it go on; say whether its call has ended."""
        self._go.release()
        assert self._back.acquire(timeout=_PATIENCE), "a thread waits for another one that waits for its turn"
        return self.call is None

    def park(self) -> None:
        """Let others go first."""
        self._back.release()
        self._go.acquire()
        if self.loop is None:
            raise Abandoned

    def _work(self) -> None:
        _here.worker = self
        while True:
            self._go.acquire()
            if self.call is not None:
                self.call()
                self.call = None
            self._back.release()


class SimulatedLoop(asyncio.SelectorEventLoop):
    """`interleaving` is how likely a thread lets the others go first when it may: 0 takes no threads at all."""

    def __init__(self) -> None:
        self._passing = _Passing()
        super().__init__(self._passing)
        self.interleaving = 0.0
        self._random = Random(0)  # noqa: S311  # games are to be played again
        self._calls = 0
        self._parked: set[_Worker] = set()

    def time(self) -> float:
        return self._passing.now

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> asyncio.Future[Any]:
        future = self.create_future()
        self._calls += 1
        self.call_later(self._moment(), self._begin, partial(_settle, future, partial(func, *args)), future)
        return future

    def play(self, work: Coroutine[Any, Any, T], *, seed: int, interleaving: float = 0.0) -> T:
        """Run this, and whatever threads still have to do then; draw what there is to draw from the seed."""
        self._random = Random(seed)  # noqa: S311
        self.interleaving = interleaving
        return self.run_until_complete(self._played(work))

    def close(self) -> None:
        for worker in self._parked:
            worker.loop = None
            worker.resume()
        self._parked.clear()
        super().close()

    def lets_others_go_first(self) -> bool:
        return self._random.random() < self.interleaving

    async def _played(self, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(_LONGEST_PLAY):
            try:
                return await work
            finally:
                while self._calls:  # noqa: ASYNC110  # threads that nobody waits for any more
                    await asyncio.sleep(_LONGEST)

    def _moment(self) -> float:
        return self._random.random() * _LONGEST

    def _begin(self, call: Call, future: asyncio.Future[Any]) -> None:
        if future.cancelled():  # before a thread had begun
            self._calls -= 1
        elif not self.interleaving:
            call()
            self._calls -= 1
        else:
            worker = _idle.pop() if _idle else _Worker()
            worker.loop, worker.call = self, call
            self._parked.add(worker)
            self._resume(worker)

    def _resume(self, worker: _Worker) -> None:
        if worker.resume():
            self._parked.discard(worker)
            _idle.append(worker)
            self._calls -= 1
        else:
            self.call_later(self._moment(), self._resume, worker)


def take_turn() -> None:
    """Let others go first, if this is a thread of a loop that is interleaving and it is drawn so."""
    worker: _Worker | None = getattr(_here, "worker", None)
    if worker is not None and worker.loop is not None and worker.loop.lets_others_go_first():
        worker.park()


def _settle(future: asyncio.Future[Any], call: Call) -> None:
    """Do it and hand over what becomes of it, unless nobody waits for that any more."""
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001 - as a thread pool does
        if not future.done():
            future.set_exception(error)
    else:
        if not future.done():
            future.set_result(result)
