"""Turn schedules into jobs. Knows time and turns, nothing of images.

A schedule has one due time ahead of it, never a list, so fires missed while the machine slept or the loop was busy come
to one; entries with equal schedules share it. Sleeping in slices and comparing the wall clock with the monotonic one
shows when the former was moved.

Working out a due time takes a cron line up to a millisecond, and thousands may have to be asked at once (at the start,
when they were due together, when the clock was moved). So none is asked on the way to something else: questions are put
down, and a few are answered at a time, while what is due goes first and the event loop has its turn.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial

from regsync.clock import Clock
from regsync.daemon.jobs import Job
from regsync.daemon.schedule import Schedule
from regsync.daemon.turns import Turns

_SLICE = 60.0  # seconds until a moved clock is noticed
_UNREST = timedelta(seconds=2)  # less is the clock being disciplined, and what the sleep itself took
_ASKED_AT_ONCE = 10  # schedules

_Question = Callable[[], datetime | None]


class Scheduler:
    """Puts an entry's job whenever its schedule says so; of entries due together, in the order of `schedules`.

    `never` is told the entries that are not due any more, or never were.
    """

    def __init__(
        self, schedules: Mapping[str, Schedule], turns: Turns, *, clock: Clock, never: Callable[[str], None]
    ) -> None:
        self._entries = _by_schedule(schedules)
        self._turns = turns
        self._clock = clock
        self._never = never
        self._coming: list[tuple[datetime, int, Schedule]] = []
        self._asking: deque[tuple[Schedule, _Question]] = deque()
        self._wall, self._steady = clock.now(), clock.monotonic()
        self._woke = self._wall, self._steady
        self._nap: asyncio.Future[None] | None = None

    def apply(self, schedules: Mapping[str, Schedule]) -> None:
        """Go on with these: a schedule that stays keeps its due time, a new one counts from now."""
        self._entries = _by_schedule(schedules)
        self._coming = [
            (due, self._entries[schedule][0][0], schedule)
            for due, _, schedule in self._coming
            if schedule in self._entries
        ]
        heapq.heapify(self._coming)
        self._asking = deque((schedule, question) for schedule, question in self._asking if schedule in self._entries)
        known = {schedule for _, _, schedule in self._coming} | {schedule for schedule, _ in self._asking}
        now = self._clock.now()
        self._asking.extend((new, partial(new.next_after, now)) for new in self._entries if new not in known)
        if self._nap is not None:
            self._nap.cancel()

    async def run(self) -> None:
        """Put jobs as they fall due, for ever."""
        self._wall, self._steady = self._woke = self._clock.now(), self._clock.monotonic()
        self._asking = deque((schedule, partial(schedule.next_after, self._wall)) for schedule in self._entries)
        while True:
            left = (self._coming[0][0] - self._wall).total_seconds() if self._coming else _SLICE
            if left <= 0:
                await self._put(self._due())
            elif self._asking:
                self._ask()
                await self._clock.sleep(0)
            else:
                await self._sleep(min(left, _SLICE))
                self._look()
                self._woke = self._wall, self._steady
                continue
            self._look()

    async def _sleep(self, seconds: float) -> None:
        """Sleep for so long, or until there is something new to do."""
        self._nap = asyncio.ensure_future(self._clock.sleep(seconds))
        try:
            await asyncio.wait([self._nap])
        finally:
            self._nap.cancel()

    def _ask(self) -> None:
        for _ in range(min(_ASKED_AT_ONCE, len(self._asking))):
            schedule, question = self._asking.popleft()
            due, entries = question(), self._entries[schedule]
            if due is not None:
                heapq.heappush(self._coming, (due, entries[0][0], schedule))
                continue
            for _, entry in entries:
                self._never(entry)

    def _due(self) -> list[Job]:
        """Take what is due, leaders before their followers; when it is due next is yet to be asked."""
        jobs: list[tuple[int, Job]] = []
        while self._coming and self._coming[0][0] <= self._wall:
            due, _, schedule = heapq.heappop(self._coming)
            self._asking.appendleft((schedule, partial(schedule.next_after, self._wall)))  # before who is in no hurry
            jobs += [(position, Job(entry, due, "changed")) for position, entry in self._entries[schedule]]
        return [job for _, job in sorted(jobs, key=lambda placed: placed[0])]

    async def _put(self, jobs: list[Job]) -> None:
        """Put jobs that fell due when we woke or, if they came while we were busy, later."""
        wall, steady = self._woke
        for job in jobs:
            later = max(0.0, (job.due - wall).total_seconds())
            await self._turns.put(job, since=min(steady + later, self._clock.monotonic()))

    def _look(self) -> None:
        """Read both clocks; when the wall clock did not go as the steady one, ask each schedule what becomes of it."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        jump = wall - self._wall - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        if abs(jump) < _UNREST:
            return
        self._woke = wall, steady
        expected, self._coming = self._coming, []
        asked = [(schedule, _moved(schedule, question, wall, jump)) for schedule, question in self._asking]
        known = [(schedule, partial(schedule.after_jump, due, now=wall, jump=jump)) for due, _, schedule in expected]
        self._asking = deque([*asked, *known])


def _by_schedule(schedules: Mapping[str, Schedule]) -> dict[Schedule, list[tuple[int, str]]]:
    """Return which entries have each schedule, with their positions."""
    entries: dict[Schedule, list[tuple[int, str]]] = {}
    for position, (entry, schedule) in enumerate(schedules.items()):
        entries.setdefault(schedule, []).append((position, entry))
    return entries


def _moved(schedule: Schedule, question: _Question, now: datetime, jump: timedelta) -> _Question:
    """Return the same question as it stands after the clock was moved before anybody had answered it."""

    def answer() -> datetime | None:
        due = question()
        return None if due is None else schedule.after_jump(due, now=now, jump=jump)

    return answer
