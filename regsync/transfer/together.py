"""Structured concurrency for work of one kind: all of it, or the first failure.

Not `asyncio.TaskGroup`, for two reasons. It raises groups of failures, which nobody above knows what to do with; and
before Python 3.13 a task that is cancelled while one of its groups is failing never hears of it, so that a signal in
the wrong moment would be lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

from regsync.errors import RegsyncError


class Group:
    """Tasks that end together: the first failure cancels the rest, and only it is raised."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failures: list[BaseException] = []
        self._ending = False

    def start(self, work: Coroutine[object, object, None]) -> None:
        """Run this beside the others; whoever starts something must wait in `joined`."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        if self._ending:
            task.cancel()

    def cancel(self) -> None:
        """Cancel whatever is still under way: nobody needs it any more, and that is no failure."""
        self._end()

    async def joined(self) -> None:
        """Return when all have ended, or raise what the first of them raised; a cancellation is never swallowed."""
        cancelled: asyncio.CancelledError | None = None
        while self._tasks:
            try:
                await asyncio.wait(self._tasks)
            except asyncio.CancelledError as error:
                cancelled = error
                self._end()
        if cancelled is not None:
            raise cancelled
        if self._failures:
            foremost = _foremost(self._failures)
            raise foremost from foremost.__cause__

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            failure: BaseException | None = None if self._ending else RuntimeError("a task was cancelled from within")
        else:
            failure = task.exception()
        if failure is not None:
            self._failures.append(failure)
            self._end()

    def _end(self) -> None:
        if not self._ending:  # a second cancellation would break into the clean-up the first one began
            self._ending = True
            for task in self._tasks:
                task.cancel()


async def together(work: Iterable[Coroutine[object, object, None]]) -> None:
    """Run all at once; on the first failure cancel the rest and raise that failure itself."""
    group = Group()
    for coroutine in work:
        group.start(coroutine)
    await group.joined()


def _foremost(failures: list[BaseException]) -> BaseException:
    """Return the failure to report: a bug of ours before anything that was to be expected."""
    unexpected = [failure for failure in failures if not isinstance(failure, RegsyncError)]
    return (unexpected or failures)[0]
