"""What goes on beside the work of a daemon for as long as that lasts: looks, beats, and what is kept of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from regsync.events import Tell, Warned

Work = Callable[[], Coroutine[None, None, None]]


@asynccontextmanager
async def going_on(tell: Tell, *works: Work) -> AsyncIterator[None]:
    """Have these done while the block lasts; one that a bug of ours ends is told of, and nothing else ends by it."""

    async def guarded(work: Work) -> None:
        try:
            await work()
        except Exception as bug:  # noqa: BLE001 - copies go on without it, and nobody else would ever hear of it
            tell(Warned("A bug ended what goes on beside the copies", {"what": _name(work), "error": _name(type(bug))}))

    tasks = [asyncio.create_task(guarded(work), name=_name(work)) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()


def _name(called: Callable[..., object]) -> str:
    return f"{getattr(getattr(called, 'func', called), '__qualname__', '')}"
