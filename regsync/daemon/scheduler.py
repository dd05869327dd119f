"""Turn schedules into jobs. Knows time and the queue, nothing of images.

An entry has one due time ahead of it, never a list, so fires missed while the machine slept or the loop was busy come
to one. Sleeping in slices and comparing the wall clock with the monotonic one shows when the former was moved.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from datetime import datetime, timedelta

from regsync.clock import Clock
from regsync.daemon.jobs import Job, JobQueue
from regsync.daemon.schedule import Schedule
from regsync.events import JobQueued, JobSkipped, Tell

_SLICE = 60.0  # seconds until a moved clock is noticed
_UNREST = timedelta(seconds=2)  # less is the clock being disciplined, and what the sleep itself took


class Scheduler:
    """Puts an entry's job whenever its schedule says so."""

    def __init__(self, schedules: Mapping[str, Schedule], queue: JobQueue, *, clock: Clock, tell: Tell) -> None:
        self._schedules = dict(schedules)
        self._queue = queue
        self._clock = clock
        self._tell = tell
        self._coming: list[tuple[datetime, str]] = []
        self._wall, self._steady = clock.now(), clock.monotonic()

    async def run(self) -> None:
        """Put jobs as they fall due; ends only when nothing ever will."""
        self._wall, self._steady = self._clock.now(), self._clock.monotonic()
        for entry in self._schedules:
            self._expect(entry, self._schedules[entry].next_after(self._wall))
        while self._coming:
            left = (self._coming[0][0] - self._wall).total_seconds()
            if left > 0:
                await self._clock.sleep(min(left, _SLICE))
                self._look()
                continue
            due, entry = heapq.heappop(self._coming)
            self._expect(entry, self._schedules[entry].next_after(self._wall))
            await self._offer(Job(entry, due, "changed"))
            self._look()

    def _expect(self, entry: str, due: datetime | None) -> None:
        if due is not None:
            heapq.heappush(self._coming, (due, entry))

    async def _offer(self, job: Job) -> None:
        if await self._queue.put(job):
            self._tell(JobQueued(job.entry, job.due))
        else:
            self._tell(JobSkipped(job.entry, job.due))

    def _look(self) -> None:
        """Read both clocks; when the wall clock did not go as the steady one, ask each schedule what becomes of it."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        jump = wall - self._wall - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        if abs(jump) < _UNREST:
            return
        expected, self._coming = self._coming, []
        for due, entry in expected:
            self._expect(entry, self._schedules[entry].after_jump(due, now=wall, jump=jump))
