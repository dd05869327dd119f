"""All of time in one Protocol: nothing else sleeps, so a test owns every second."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol

_SLICE = 60.0  # seconds: a suspended machine or a moved wall clock is noticed within one


class Clock(Protocol):
    """Wall time for schedules and stamps, monotonic time for durations."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back, from an arbitrary start."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds."""
        ...

    async def sleep_until(self, moment: datetime) -> None:
        """Return when the wall clock shows this moment or later."""
        ...


class Breath:
    """Lets everybody else have a turn after so many steps of whoever shares it, many as those may be.

    Work that finds all it asks for in memory never waits for anything, and so would nobody else get to run.
    """

    def __init__(self, clock: Clock, *, steps: int) -> None:
        self._clock = clock
        self._most = steps
        self._steps = 0

    async def step(self) -> None:
        """Return when it is all right to do one more."""
        while self._steps >= self._most:
            await self._clock.sleep(0)
        self._steps += 1
        if self._steps == self._most:
            asyncio.get_running_loop().call_soon(self._begin_anew)

    def _begin_anew(self) -> None:
        self._steps = 0


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the wall time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back, from an arbitrary start."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after this many seconds."""
        await asyncio.sleep(seconds)

    async def sleep_until(self, moment: datetime) -> None:
        """Return when the wall clock shows this moment or later, in slices so that a jump of that clock is seen."""
        left = (moment - self.now()).total_seconds()
        while left > 0:
            await self.sleep(min(left, _SLICE))
            left = (moment - self.now()).total_seconds()
