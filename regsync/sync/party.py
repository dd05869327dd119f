"""Images of one source that are being decided at the same time, so that those needed are copied by one reading.

Each member says what it needs, or that it needs nothing. The first who needs something leads: it waits until all have
spoken, but not for long (a target that does not answer shall not hold up the others), and copies for all who have.
Whoever speaks later copies for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from regsync.clock import Clock

N = TypeVar("N")
R = TypeVar("R")
_PATIENCE = 5.0  # seconds the one who leads waits for the others


@dataclass(slots=True)
class _Member(Generic[N, R]):
    needed: N
    result: asyncio.Future[R] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Party(Generic[N, R]):
    """So many members, whose needs `together` meets: it returns a result for each, in their order."""

    def __init__(self, size: int, together: Callable[[Sequence[N]], Awaitable[Sequence[R]]], clock: Clock) -> None:
        self._silent = size
        self._together = together
        self._clock = clock
        self._members: list[_Member[N, R]] | None = []
        self._spoken = asyncio.Event()

    def needs_nothing(self) -> None:
        """Say that one member is not to be waited for."""
        self._silent -= 1
        if self._silent <= 0:
            self._spoken.set()

    async def meet(self, needed: N) -> R:
        """Say what one member needs, and return what became of it."""
        self.needs_nothing()
        if self._members is None:  # the others have begun
            return (await self._together([needed]))[0]
        member: _Member[N, R] = _Member(needed)
        self._members.append(member)
        if len(self._members) > 1:
            return await member.result
        return await self._lead(member)

    async def _lead(self, leader: _Member[N, R]) -> R:
        members = [leader]
        try:
            await self._all_spoken()
            members, self._members = self._members or members, None
            results = await self._together([member.needed for member in members])
        except BaseException as error:
            members, self._members = self._members or members, None
            for member in members[1:]:
                _settle(member, error)
            raise
        for member, result in zip(members[1:], results[1:], strict=True):
            if not member.result.done():
                member.result.set_result(result)
        return results[0]

    async def _all_spoken(self) -> None:
        if self._spoken.is_set():
            return
        waits = (asyncio.ensure_future(self._spoken.wait()), asyncio.ensure_future(self._clock.sleep(_PATIENCE)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()


def _settle(member: _Member[N, R], error: BaseException) -> None:
    """Pass on how the leader ended."""
    if member.result.done():
        return
    if isinstance(error, asyncio.CancelledError):
        member.result.cancel()
    else:
        member.result.set_exception(error)
