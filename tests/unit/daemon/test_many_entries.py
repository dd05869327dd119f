"""Thousands of schedules: nothing else waits while due times are worked out, and no question is asked twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from regsync.daemon.jobs import MemoryQueue
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import JobQueued, ignore
from tests.support.clock import FakeClock, settle
from tests.unit.daemon.lab import START, Daemon

ENTRIES = 10_000
DAY = 86400.0


@dataclass(frozen=True)
class Counted:
    """A schedule that counts how often it is asked, and how often before anybody else has had a turn."""

    schedule: Schedule
    number: int
    asked: Counter[str] = field(compare=False)

    def next_after(self, moment: datetime) -> datetime | None:
        self._count()
        return self.schedule.next_after(moment)

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        self._count()
        return self.schedule.after_jump(due, now=now, jump=jump)

    def _count(self) -> None:
        self.asked["all"] += 1
        self.asked["in a row"] += 1
        self.asked["most in a row"] = max(self.asked["most in a row"], self.asked["in a row"])


async def probe(asked: Counter[str]) -> None:
    """Have a turn, again and again."""
    while True:
        asked["in a row"] = 0
        asked["turns"] += 1
        await asyncio.sleep(0)


async def answered(asked: Counter[str], count: int) -> None:
    """Return when so many questions were answered."""
    while asked["all"] < count:
        await settle()


@pytest.mark.parametrize("moment", ["start", "due together", "clock set back"])
async def test_the_event_loop_has_its_turn_while_ten_thousand_schedules_are_asked(moment: str) -> None:
    asked: Counter[str] = Counter()
    clock = FakeClock(START)
    schedules = {f"{number}": Counted(Every(60), number, asked) for number in range(ENTRIES)}
    turns = Turns({}, MemoryQueue(), clock=clock, tell=ignore)
    scheduler = Scheduler(schedules, turns, clock=clock, never=lambda _: None)
    tasks = [asyncio.create_task(scheduler.run()), asyncio.create_task(probe(asked))]
    await answered(asked, ENTRIES)
    if moment != "start":
        if moment == "clock set back":
            clock.jump(-10 * 3600)
        asked.update({"turns": -asked["turns"], "most in a row": -asked["most in a row"]})
        await clock.advance(60)
        await answered(asked, 2 * ENTRIES)
    for task in tasks:
        task.cancel()
    assert asked["most in a row"] <= 10
    assert asked["turns"] >= ENTRIES / 10


async def test_what_is_due_does_not_wait_until_all_others_were_asked() -> None:
    asked: Counter[str] = Counter()
    clock = FakeClock(START)

    class Busy(Counted):
        """Takes a tenth of a second to work out."""

        def next_after(self, moment: datetime) -> datetime | None:
            clock._passed += 0.1
            return super().next_after(moment)

    told: list[tuple[float, str]] = []
    often: dict[str, Schedule] = {"often": Every(5)}
    schedules = often | {f"{number}": Busy(Every(DAY), number, asked) for number in range(1000)}
    queue = MemoryQueue()

    async def work() -> None:
        while True:
            async with turns.take() as (job, _):
                told.append((clock.monotonic(), job.entry))

    turns = Turns({}, queue, clock=clock, tell=ignore)
    scheduler = Scheduler(schedules, turns, clock=clock, never=lambda _: None)
    tasks = [asyncio.create_task(scheduler.run()), asyncio.create_task(work())]
    await answered(asked, 1000)
    for task in tasks:
        task.cancel()
    assert clock.monotonic() == pytest.approx(100)
    assert len([entry for _, entry in told if entry == "often"]) >= 100 / 6  # every 5 s, and 1 s is worked in a row


async def test_the_event_loop_has_its_turn_while_ten_thousand_jobs_are_put() -> None:
    asked: Counter[str] = Counter()
    daemon = Daemon({f"{number}": Every(60) for number in range(ENTRIES)})
    probing = asyncio.create_task(probe(asked))
    running = await daemon.start(*(f"{number}" for number in range(ENTRIES)))
    while len(daemon.events(JobQueued)) < ENTRIES:
        await settle()
    assert asked["turns"] >= ENTRIES / 200
    probing.cancel()
    daemon.runner.stop_now()
    await running


async def test_entries_with_the_same_schedule_ask_it_once() -> None:
    asked: Counter[str] = Counter()
    schedules = {f"{number}": Counted(Every(60), 0, asked) for number in range(1000)}
    daemon = Daemon({**schedules})
    running = await daemon.start()
    await daemon.clock.advance(60)
    while len(daemon.started) < 1000:
        await settle()
    assert asked["all"] == 2
    daemon.runner.stop()
    await running


def test_the_same_line_is_parsed_once() -> None:
    assert parse_schedule("TZ=Europe/Berlin 15 3 * * 1") is parse_schedule("TZ=Europe/Berlin 15 3 * * 1")


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Apia", "Local"])
def test_a_rare_date_costs_no_more_than_a_common_one(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    looks: Counter[str] = Counter()
    for line in ("15 3 * * *", "0 0 29 2 *"):
        schedule = parse_schedule(f"TZ={zone} {line}")
        real = type(schedule)._offset  # type: ignore[attr-defined]  # where a look at a zone costs its time

        def counted(self: object, moment: datetime, line: str = line, real: object = real) -> timedelta:
            looks[line] += 1
            return real(self, moment)  # type: ignore[operator,no-any-return]

        with monkeypatch.context() as patched:
            patched.setattr(type(schedule), "_offset", counted)
            assert schedule.next_after(datetime(2029, 3, 1, tzinfo=START.tzinfo)) is not None
    assert looks["0 0 29 2 *"] <= 2 * looks["15 3 * * *"] + 4
