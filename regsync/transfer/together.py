"""Structured concurrency for work of one kind: all of it, or the first failure."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable

from regsync.errors import RegsyncError


async def together(work: Iterable[Coroutine[object, object, None]]) -> None:
    """Run all at once; on the first failure cancel the rest and raise that failure itself, never a group of them."""
    try:
        async with asyncio.TaskGroup() as group:
            for coroutine in work:
                group.create_task(coroutine)
    except BaseExceptionGroup as failures:
        foremost = _foremost(failures)
        raise foremost from foremost.__cause__


def _foremost(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the failure to report: a bug of ours before anything that was to be expected."""
    flat = [failure for failure in failures.exceptions if not isinstance(failure, BaseExceptionGroup)]
    unexpected = [failure for failure in flat if not isinstance(failure, RegsyncError)]
    return (unexpected or flat or [failures])[0]
