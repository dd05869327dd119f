"""Turn schedules into jobs. Knows time and turns, nothing of images.

A schedule has one due time ahead of it, never a list, so fires missed while the machine slept or the loop was busy come
to one; entries with equal schedules share it. Sleeping in slices and comparing the wall clock with the monotonic one
shows when the former was moved.

Working out a due time takes a cron line up to two milliseconds, and thousands may have to be asked at once (at the
start, when they were due together, when the clock was moved). So none is asked on the way to something else: questions
are put down, and a few are answered at a time, while what is due goes first and the event loop has its turn.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from types import MappingProxyType

from regsync.clock import Clock
from regsync.daemon.jobs import Job
from regsync.daemon.schedule import Schedule
from regsync.daemon.turns import Turns

_SLICE = 60.0  # seconds until a moved clock is noticed
_UNREST = timedelta(seconds=2)  # less is the clock being disciplined, and what the sleep itself took
_ASKED_AT_ONCE = 10  # schedules
_TAKEN_AT_ONCE = 500  # schedules

_Question = Callable[[], datetime | None]
_Due = tuple[int, float, str, datetime]  # an entry's position, since when (monotonic seconds), its name, when


class Scheduler:
    """Puts an entry's job whenever its schedule says so; of entries due together, in the order of `schedules`.

    `never` is told the entries that are not due any more, or never were. `delays` are the seconds by which an entry's
    jobs are put off, by the steady clock: who is due together may begin one after another.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        turns: Turns,
        *,
        clock: Clock,
        never: Callable[[str], None],
        delays: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._entries = _by_schedule(schedules)
        self._delays = delays
        self._turns = turns
        self._clock = clock
        self._never = never
        self._coming: list[tuple[datetime, int, Schedule]] = []
        self._put_off: list[tuple[float, int, str, datetime]] = []  # monotonic seconds, position, entry, due
        self._asking: deque[tuple[Schedule, _Question]] = deque()
        self._wall, self._steady = clock.now(), clock.monotonic()
        self._woke = self._wall, self._steady
        self._nap: asyncio.Future[None] | None = None

    def apply(self, schedules: Mapping[str, Schedule], delays: Mapping[str, float] = MappingProxyType({})) -> None:
        """Go on with these: a schedule that stays keeps its due time, a new one counts from now."""
        self._entries, self._delays = _by_schedule(schedules), delays
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

    @property
    def looked(self) -> float:
        """Return when it last came round, on the monotonic clock; it does at least once a minute while it lives."""
        return self._steady

    async def dues(self, schedules: Mapping[str, Schedule]) -> dict[str, datetime]:
        """Return when a job of each of these entries is put next, if ever; `schedules` has those that are asked for."""
        found = [(entry, due) for _, _, entry, due in self._put_off if entry in schedules]
        wanted, delays = _by_schedule(schedules), self._delays
        known = {schedule: due for due, _, schedule in self._coming if schedule in wanted}
        for number, (schedule, question) in enumerate([one for one in self._asking if one[0] in wanted], start=1):
            if due := question():
                known[schedule] = due
            if not number % _ASKED_AT_ONCE:
                await self._clock.sleep(0)
        for schedule, due in known.items():
            found += [(entry, due + timedelta(seconds=delays.get(entry, 0.0))) for _, entry in wanted[schedule]]
        return dict(sorted(found, key=itemgetter(1), reverse=True))  # the first of each comes last, and stays

    async def run(self) -> None:
        """Put jobs as they fall due, for ever."""
        self._wall, self._steady = self._woke = self._clock.now(), self._clock.monotonic()
        self._asking = deque((schedule, partial(schedule.next_after, self._wall)) for schedule in self._entries)
        while True:
            left = self._left()
            if left <= 0:
                await self._put(sorted([*self._due_late(), *await self._due()]))
            elif self._asking:
                self._ask()
                await self._clock.sleep(0)
            else:
                await self._sleep(min(left, _SLICE))
                self._look()
                self._woke = self._wall, self._steady
                continue
            self._look()

    def _left(self) -> float:
        """Return how many seconds are left until something is due, or until it is time to look at the clocks."""
        coming = (self._coming[0][0] - self._wall).total_seconds() if self._coming else _SLICE
        return min(coming, self._put_off[0][0] - self._steady) if self._put_off else coming

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

    async def _due(self) -> list[_Due]:
        """Take what is due; when it is due next is yet to be asked.

        It fell due when we woke or, if it came while we were busy, later.
        """
        found: list[_Due] = []
        wall, (woke, steady) = self._wall, self._woke
        while self._coming and self._coming[0][0] <= wall:
            due, _, schedule = heapq.heappop(self._coming)
            self._asking.appendleft((schedule, partial(schedule.next_after, wall)))  # before who is in no hurry
            since = steady + max(0.0, (due - woke).total_seconds())
            for position, entry in self._entries[schedule]:
                if delay := self._delays.get(entry, 0.0):
                    late = self._steady + delay, position, entry, due + timedelta(seconds=delay)
                    heapq.heappush(self._put_off, late)
                else:
                    found.append((position, since, entry, due))
            if not len(self._asking) % _TAKEN_AT_ONCE:
                await self._clock.sleep(0)
        return found

    def _due_late(self) -> Iterator[_Due]:
        """Take what was put off until now."""
        while self._put_off and self._put_off[0][0] <= self._steady:
            since, position, entry, due = heapq.heappop(self._put_off)
            yield position, since, entry, due

    async def _put(self, jobs: list[_Due]) -> None:
        """Put jobs, leaders before their followers."""
        for _, since, entry, due in jobs:
            await self._turns.put(Job(entry, due, "changed"), since=min(since, self._clock.monotonic()))

    def _look(self) -> None:
        """Read both clocks; when the wall clock did not go as the steady one, ask each schedule what becomes of it."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        jump = wall - self._wall - timedelta(seconds=steady - self._steady)
        self._wall, self._steady = wall, steady
        if abs(jump) < _UNREST:
            return
        self._woke = wall, steady
        self._put_off = [(since, position, entry, due + jump) for since, position, entry, due in self._put_off]
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
