"""Schedules become jobs: once per due time, at most one for many missed, and no storm when the wall clock moves."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import Event, JobQueued, JobSkipped, ignore
from tests.support.clock import FakeClock, settle

START = datetime(2026, 1, 1, 12, 0, 30, tzinfo=UTC)
HOUR, YEAR = 3600.0, 365 * 86400.0


@dataclass(frozen=True)
class Until:
    """A schedule that ends, so that a scheduler does."""

    schedule: Schedule
    end: datetime

    def next_after(self, moment: datetime) -> datetime | None:
        due = self.schedule.next_after(moment)
        return due if due is not None and due <= self.end else None

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        return self.schedule.after_jump(due, now=now, jump=jump)


class Gone(Until):
    """A schedule that is over once the clock is moved."""

    def next_after(self, moment: datetime) -> datetime | None:
        return self.schedule.next_after(moment)

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        return None


class Lab:
    """A scheduler on a virtual clock, with a worker that is done at once (or never, when `busy`)."""

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        clock: FakeClock | None = None,
        delays: Mapping[str, float] | None = None,
    ) -> None:
        self.clock = clock or FakeClock(START)
        self.queue = MemoryQueue()
        self.told: list[Event] = []
        self.ran: list[tuple[datetime, Job]] = []
        self.busy = False
        self.never: list[str] = []
        self.turns = Turns({}, self.queue, clock=self.clock, tell=self.told.append)
        self.scheduler = Scheduler(
            schedules, self.turns, clock=self.clock, never=self.never.append, delays=delays or {}
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self.scheduler.run()), asyncio.create_task(self.work())]
        await settle()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    async def work(self) -> None:
        while True:
            async with self.turns.take() as (job, _):
                self.ran.append((self.clock.now(), job))
                if self.busy:
                    await asyncio.Event().wait()

    @property
    def times(self) -> list[str]:
        return [f"{moment:%d %H:%M:%S}" for moment, _ in self.ran]


async def test_entries_run_when_they_are_due() -> None:
    lab = Lab({"often": Every(1200), "hourly": parse_schedule("TZ=UTC 15 * * * *")})
    async with lab.running():
        await lab.clock.advance(HOUR)
    assert [(f"{moment:%H:%M:%S}", job.entry, job.scope) for moment, job in lab.ran] == [
        ("12:15:00", "hourly", "changed"),
        ("12:20:30", "often", "changed"),
        ("12:40:30", "often", "changed"),
        ("13:00:30", "often", "changed"),
    ]
    assert all(moment == job.due for moment, job in lab.ran)
    assert lab.told == [JobQueued(job.entry, job.due) for _, job in lab.ran]


async def test_an_interval_first_runs_one_interval_after_the_start() -> None:
    lab = Lab({"a": Every(7.0)})
    async with lab.running():
        await lab.clock.advance(6.5)
        assert lab.ran == []
        await lab.clock.advance(1)
    assert lab.times == ["01 12:00:37"]


async def test_an_entry_due_while_it_runs_is_skipped_and_told_so() -> None:
    lab = Lab({"a": Every(60)})
    lab.busy = True
    async with lab.running():
        await lab.clock.advance(180)
    assert len(lab.ran) == 1
    assert [type(event) for event in lab.told] == [JobQueued, JobSkipped, JobSkipped]
    assert lab.told[-1] == JobSkipped("a", START + timedelta(seconds=180), 2)


async def test_a_schedule_that_never_comes_is_told_once() -> None:
    lab = Lab({"never": parse_schedule("TZ=UTC 0 0 30 2 *")})
    async with lab.running():
        await lab.clock.advance(HOUR)
    assert (lab.ran, lab.never) == ([], ["never"])


async def test_without_schedules_nothing_happens_until_there_are_some() -> None:
    lab = Lab({})
    async with lab.running():
        await lab.clock.advance(HOUR)
        assert lab.told == []
        lab.scheduler.apply({"a": Every(60)})
        await lab.clock.advance(60)
    assert [job.entry for _, job in lab.ran] == ["a"]


async def test_a_schedule_that_stays_keeps_its_due_time_and_a_new_one_counts_from_now() -> None:
    lab = Lab({"stays": Every(600), "goes": Every(660), "changes": Every(720)})
    async with lab.running():
        await lab.clock.advance(300)
        lab.scheduler.apply({"changes": Every(480), "stays": Every(600), "comes": parse_schedule("TZ=UTC 7 * * * *")})
        await lab.clock.advance(500)
    assert [(f"{moment:%H:%M:%S}", job.entry) for moment, job in lab.ran] == [
        ("12:07:00", "comes"),
        ("12:10:30", "stays"),
        ("12:13:30", "changes"),
    ]


async def test_a_schedule_that_goes_before_its_due_time_was_worked_out_never_comes() -> None:
    lab = Lab({"goes": Every(60), "stays": Every(90)})
    lab.scheduler.apply({"stays": Every(90)})
    async with lab.running():
        lab.scheduler.apply({"stays": Every(90), "comes": Every(30)})
        lab.scheduler.apply({"stays": Every(90)})
        await lab.clock.advance(100)
    assert [job.entry for _, job in lab.ran] == ["stays"]


async def test_entries_due_together_run_in_their_order() -> None:
    lab = Lab({"b": Every(60), "a": Every(60)})
    async with lab.running():
        await lab.clock.advance(60)
    assert [job.entry for _, job in lab.ran] == ["b", "a"]


async def test_fires_missed_while_the_loop_was_busy_come_to_one() -> None:
    lab = Lab({"a": Every(60), "b": parse_schedule("TZ=UTC * * * * *")})
    async with lab.running():
        lab.clock._passed += 10 * HOUR  # time goes by and nobody has a turn
        await lab.clock.advance(0)
        assert Counter(job.entry for _, job in lab.ran) == {"a": 1, "b": 1}
        await lab.clock.advance(120)
    assert Counter(job.entry for _, job in lab.ran) == {"a": 3, "b": 3}
    assert lab.told == [JobQueued(job.entry, job.due) for _, job in lab.ran]  # and nothing was skipped either


@pytest.mark.parametrize("jump", [HOUR, 8 * HOUR, 10 * YEAR])
async def test_a_clock_set_forward_makes_at_most_one_run_per_entry(jump: float) -> None:
    lab = Lab({"a": Every(600), "b": parse_schedule("TZ=UTC */10 * * * *")})
    async with lab.running():
        await lab.clock.advance(10)
        lab.clock.jump(jump)
        await lab.clock.advance(70)
        assert Counter(job.entry for _, job in lab.ran) == {"b": 1}
        await lab.clock.advance(600)
    assert Counter(job.entry for _, job in lab.ran) == {"a": 1, "b": 2}
    assert lab.told == [JobQueued(job.entry, job.due) for _, job in lab.ran]  # and nothing was skipped either


@pytest.mark.parametrize("jump", [HOUR, 2.5 * HOUR, 10 * YEAR])
async def test_an_interval_keeps_its_pace_when_the_clock_is_set_back(jump: float) -> None:
    lab = Lab({"a": Every(600)})
    async with lab.running():
        await lab.clock.advance(590)
        lab.clock.jump(-jump)
        await lab.clock.advance(20)
        assert len(lab.ran) == 1
        await lab.clock.advance(HOUR)
    assert len(lab.ran) == 7


async def test_a_due_time_does_not_come_twice_when_the_clock_is_set_back_an_hour() -> None:
    lab = Lab({"a": parse_schedule("TZ=UTC 5,55 * * * *")})
    async with lab.running():
        await lab.clock.advance(600)
        lab.clock.jump(-HOUR)
        await lab.clock.advance(2 * HOUR)
    assert lab.times == ["01 12:05:00", "01 12:55:00", "01 13:05:00"]


async def test_a_clock_that_was_years_ahead_is_believed_when_it_is_set_right() -> None:
    lab = Lab({"a": parse_schedule("TZ=UTC 0 * * * *")})
    async with lab.running():
        await lab.clock.advance(10)
        lab.clock.jump(-10 * YEAR)
        await lab.clock.advance(2 * HOUR)
    assert len(lab.ran) == 2


async def test_a_clock_set_back_for_a_day_that_never_comes_leaves_nothing_behind() -> None:
    end = START - timedelta(days=1)
    lab = Lab({"a": Every(60), "b": Gone(parse_schedule("TZ=UTC 0 * * * *"), end)})
    async with lab.running():
        lab.clock.jump(-10 * YEAR)
        await lab.clock.advance(2 * HOUR)
    assert {job.entry for _, job in lab.ran} == {"a"}


async def test_a_queue_that_takes_its_time_makes_nothing_late() -> None:
    asked: list[float] = []

    class SlowQueue(MemoryQueue):
        async def put(self, job: Job) -> bool:
            asked.append(clock.monotonic())
            await clock.sleep(20)
            return False

    clock = FakeClock(START)
    turns = Turns({}, SlowQueue(), clock=clock, tell=ignore)
    scheduler = Scheduler({"a": Every(30)}, turns, clock=clock, never=lambda _: None)
    running = asyncio.create_task(scheduler.run())
    await clock.advance(120)
    running.cancel()
    assert asked == [30, 60, 90, 120]


@pytest.mark.parametrize(("days", "more"), [(59, -1), (180, 0), (290, 1)])  # one lost in March, one more in November
async def test_four_weeks_of_cron_have_each_due_time_once_and_in_order(days: int, more: int) -> None:
    clock = FakeClock(START + timedelta(days=days), instant=True)
    end = clock.now() + timedelta(days=28)
    daily = Until(parse_schedule("TZ=America/New_York 30 1,2 * * *"), end)
    lab = Lab({"new york": daily, "weekly": Until(parse_schedule("TZ=UTC @weekly"), end)}, clock)
    tasks = [asyncio.create_task(lab.work()), asyncio.create_task(lab.scheduler.run())]
    while clock.now() <= end:  # noqa: ASYNC110  # time passes by itself
        await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    dues = [event.due for event in lab.told if isinstance(event, JobQueued)]
    assert Counter(event.entry for event in lab.told if isinstance(event, JobQueued)) == {
        "new york": 2 * 28 + more,
        "weekly": 4,
    }
    assert dues == sorted(dues)
    assert not any(isinstance(event, JobSkipped) for event in lab.told)
