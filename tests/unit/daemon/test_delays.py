"""Entries that are due together begin one after another, each by its own delay, and that is the same every time."""

from __future__ import annotations

from datetime import timedelta

from regsync.daemon.schedule import Every, parse_schedule
from regsync.events import JobQueued
from tests.unit.daemon.test_scheduler import HOUR, START, Lab

DAY = 86400.0


async def test_each_job_is_put_off_by_the_delay_of_its_entry_whenever_it_is_due() -> None:
    schedules = {"a": Every(600), "b": Every(600), "c": parse_schedule("TZ=UTC */10 * * * *")}
    lab = Lab(schedules, delays={"a": 100.0, "c": 30.5})
    async with lab.running():
        await lab.clock.advance(1300)
    assert [(f"{moment:%M:%S.%f}"[:7], job.entry) for moment, job in lab.ran] == [
        ("10:30.0", "b"),
        ("10:30.5", "c"),  # due at 12:10
        ("12:10.0", "a"),
        ("20:30.0", "b"),
        ("20:30.5", "c"),
        ("22:10.0", "a"),
    ]
    assert [event.due for event in lab.told if isinstance(event, JobQueued) and event.entry == "a"] == [
        START + timedelta(seconds=700),
        START + timedelta(seconds=1300),
    ]


async def test_a_delay_longer_than_the_interval_loses_no_visit() -> None:
    lab = Lab({"a": Every(60)}, delays={"a": 150.0})
    async with lab.running():
        await lab.clock.advance(400)
    assert lab.times == ["01 12:04:00", "01 12:05:00", "01 12:06:00", "01 12:07:00"]


async def test_the_same_minute_of_every_day_is_kept_across_a_change_of_the_clocks() -> None:
    lab = Lab({"a": parse_schedule("TZ=Europe/Berlin 30 3 * * *")}, delays={"a": 252.0})
    await lab.clock.advance(86 * DAY)  # to the end of March
    async with lab.running():
        await lab.clock.advance(4 * DAY)
    assert lab.times == ["29 01:34:12", "30 01:34:12", "31 01:34:12", "01 01:34:12"]


async def test_what_was_put_off_waits_by_the_steady_clock_when_the_wall_clock_is_moved() -> None:
    lab = Lab({"a": parse_schedule("TZ=UTC 0 * * * *")}, delays={"a": 600.0})
    async with lab.running():
        await lab.clock.advance(HOUR)
        lab.clock.jump(-10 * HOUR)
        await lab.clock.advance(500)
        assert lab.ran == []
        await lab.clock.advance(100)
        assert len(lab.ran) == 1


async def test_an_entry_that_goes_while_it_is_put_off_is_not_begun() -> None:
    lab = Lab({"a": Every(60), "b": Every(60)}, delays={"a": 30.0, "b": 30.0})
    async with lab.running():
        await lab.clock.advance(70)
        lab.turns.apply({}, {"b"})
        lab.scheduler.apply({"b": Every(60)}, {"b": 10.0})
        await lab.clock.advance(65)
    assert [(f"{moment:%M:%S}", job.entry) for moment, job in lab.ran] == [("02:00", "b"), ("02:40", "b")]
