"""What goes on beside the work of a daemon."""

from __future__ import annotations

import asyncio
from functools import partial

from regsync.beside import going_on
from regsync.events import Event, Warned


async def breaks() -> None:
    raise LookupError("a secret")


async def goes_on(begun: asyncio.Event, ended: asyncio.Event) -> None:
    begun.set()
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def test_what_a_bug_ends_is_told_and_all_else_goes_on_until_the_block_ends() -> None:
    told: list[Event] = []
    begun, ended = asyncio.Event(), asyncio.Event()
    async with going_on(told.append, breaks, partial(goes_on, begun, ended)):
        await begun.wait()
        assert not ended.is_set()
    await ended.wait()
    what = {"what": "breaks", "error": "LookupError"}
    assert told == [Warned("A bug ended what goes on beside the copies", what)]
