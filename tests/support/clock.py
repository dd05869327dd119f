"""Time that belongs to the test: nothing passes until it is told to, or everything passes at once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_START = datetime(2026, 1, 1, tzinfo=UTC)
_TURNS = 50  # turns of the event loop after which everybody who could go on has done so


async def settle() -> None:
    """Let every task run until it waits for something that is not merely its turn."""
    for _ in range(_TURNS):
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True, eq=False)
class _Sleeper:
    """Somebody asleep until this second of the monotonic clock, or of the wall clock."""

    deadline: float
    wall: bool
    awake: asyncio.Future[None]


class FakeClock:
    """A `Clock` whose time moves by `advance`; an `instant` one moves by itself whenever somebody sleeps.

    `slept` lists what was asked for, in seconds, in the order of asking.
    """

    def __init__(self, start: datetime = _START, *, instant: bool = False) -> None:
        self.slept: list[float] = []
        self._start = start
        self._instant = instant
        self._passed = 0.0
        self._jumped = 0.0
        self._sleepers: list[_Sleeper] = []

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._passed + self._jumped)

    def monotonic(self) -> float:
        return self._passed

    @property
    def asleep(self) -> int:
        """How many sleep right now."""
        return len(self._sleepers)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self._sleep(self._passed + seconds, wall=False)

    async def sleep_until(self, moment: datetime) -> None:
        self.slept.append((moment - self.now()).total_seconds())
        await self._sleep((moment - self._start).total_seconds(), wall=True)

    async def advance(self, seconds: float) -> None:
        """Let this much time pass, waking every sleeper at its own moment, those who fall asleep meanwhile too."""
        end = self._passed + seconds
        await settle()
        while (step := self._nearest()) is not None and self._passed + step <= end:
            self._passed += max(step, 0.0)
            self._wake()
            await settle()
        self._passed = end
        self._wake()
        await settle()

    async def leap(self, seconds: float) -> None:
        """Let this much time pass in one step: who sleeps for less wakes late, as on a machine that was busy."""
        self._passed += seconds
        self._wake()
        await settle()

    async def advance_to(self, moment: datetime) -> None:
        """Let time pass until the wall clock shows this moment."""
        await self.advance((moment - self.now()).total_seconds())

    async def next(self) -> float:
        """Let time pass until somebody wakes; return how many seconds that took (0 when nobody sleeps)."""
        await settle()
        step = max(self._nearest() or 0.0, 0.0)
        await self.advance(step)
        return step

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as an operator or a time server does."""
        self._jumped += seconds
        self._wake()

    async def _sleep(self, deadline: float, *, wall: bool) -> None:
        sleeper = _Sleeper(deadline, wall, asyncio.get_running_loop().create_future())
        if self._instant:
            self._passed += max(self._left(sleeper), 0.0)
        if self._left(sleeper) <= 0:
            await asyncio.sleep(0)
            return
        self._sleepers.append(sleeper)
        try:
            await sleeper.awake
        finally:
            if sleeper in self._sleepers:
                self._sleepers.remove(sleeper)

    def _left(self, sleeper: _Sleeper) -> float:
        return sleeper.deadline - self._passed - (self._jumped if sleeper.wall else 0.0)

    def _nearest(self) -> float | None:
        return min((self._left(sleeper) for sleeper in self._sleepers), default=None)

    def _wake(self) -> None:
        for sleeper in [each for each in self._sleepers if self._left(each) <= 1e-9]:
            self._sleepers.remove(sleeper)
            if not sleeper.awake.done():
                sleeper.awake.set_result(None)
