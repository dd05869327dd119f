"""When entries are next due, as the scheduler is asked for it at any moment: it is what then comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from regsync.daemon.schedule import Every, parse_schedule
from tests.unit.daemon.test_scheduler import HOUR, START, Lab

SCHEDULES = {
    "often": Every(600),
    "as often": Every(600),
    "late": Every(600),
    "line": parse_schedule("TZ=UTC */25 * * * *"),
    "never": parse_schedule("TZ=UTC 0 0 30 2 *"),
}
DELAYS = {"late": 700.0, "line": 30.5}


@pytest.mark.parametrize("seconds", [0, 1, 599, 600, 650, 1299, 1300, 1301, 3000])
async def test_what_is_said_to_be_due_next_comes_then_and_nothing_of_the_entry_before(seconds: float) -> None:
    lab = Lab(SCHEDULES, delays=DELAYS)
    async with lab.running():
        await lab.clock.advance(seconds)
        lab.ran.clear()
        said = await lab.scheduler.dues(SCHEDULES)
        await lab.clock.advance(2 * HOUR)
    first = {job.entry: (moment, job.due) for moment, job in reversed(lab.ran)}
    assert first == {entry: (due, due) for entry, due in said.items()}
    assert said.keys() == SCHEDULES.keys() - {"never"}


async def test_only_those_asked_for_are_answered() -> None:
    lab = Lab(SCHEDULES, delays=DELAYS)
    async with lab.running():
        said = await lab.scheduler.dues({"as often": SCHEDULES["as often"]})
    assert said == {"as often": START + timedelta(seconds=600)}


async def test_it_is_known_though_the_scheduler_has_not_come_to_asking_for_itself() -> None:
    lines = {
        f"{day} {hour}": parse_schedule(f"TZ=UTC 0 {hour} {day} * *") for day in range(1, 28) for hour in range(24)
    }
    lab = Lab(lines)
    lab.scheduler.apply(lines)  # which asks nothing by itself
    said = await lab.scheduler.dues(dict([*lines.items()][:50]))
    assert said == {entry: lines[entry].next_after(START) for entry in [*lines][:50]}


async def test_what_was_put_off_is_due_by_the_moved_clock_when_it_comes_by_the_steady_one() -> None:
    schedules = {"a": parse_schedule("TZ=UTC 0 * * * *")}
    lab = Lab(schedules, delays={"a": 600.0})
    async with lab.running():
        await lab.clock.advance(HOUR)
        lab.clock.jump(-10 * HOUR)
        await lab.clock.advance(61)
        said = await lab.scheduler.dues(schedules)
        await lab.clock.advance(HOUR)
    assert lab.ran[0][0] == said["a"] == lab.ran[0][1].due


async def test_of_a_visit_put_off_and_one_that_another_delay_brings_before_it_the_first_one_is_said() -> None:
    schedules = {"a": Every(60)}
    lab = Lab(schedules, delays={"a": 150.0})
    async with lab.running():
        await lab.clock.advance(70)
        lab.scheduler.apply(schedules, {"a": 1.0})
        said = await lab.scheduler.dues(schedules)
        await lab.clock.advance(HOUR)
    assert lab.ran[0][0] == said["a"] == START + timedelta(seconds=121)
