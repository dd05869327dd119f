"""Zones that change their clocks: a wall time that is skipped is not due, one that is repeated is due twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.daemon.schedule import Cron, Schedule, parse_schedule

# zone, the last second before its clocks change in 2026 (UTC), how the change goes (minutes)
CHANGES = [
    ("America/New_York", datetime(2026, 3, 8, 6, 59, 59, tzinfo=UTC), 60),
    ("America/New_York", datetime(2026, 11, 1, 5, 59, 59, tzinfo=UTC), -60),
    ("Europe/Berlin", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC), 60),
    ("Europe/Berlin", datetime(2026, 10, 25, 0, 59, 59, tzinfo=UTC), -60),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 29, 59, tzinfo=UTC), 30),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, 59, 59, tzinfo=UTC), -30),
    ("America/Santiago", datetime(2026, 9, 6, 3, 59, 59, tzinfo=UTC), 60),
    ("America/Santiago", datetime(2026, 4, 5, 2, 59, 59, tzinfo=UTC), -60),
]


def due_between(schedule: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found: list[datetime] = []
    moment = schedule.next_after(start)
    while moment is not None and moment <= end:
        found.append(moment)
        moment = schedule.next_after(moment)
    return found


def walls(zone: str, line: str, start: datetime, *, days: int) -> list[str]:
    moments = due_between(parse_schedule(f"TZ={zone} {line}"), start, start + timedelta(days=days))
    return [f"{moment.astimezone(ZoneInfo(zone)):%d %H:%M%z}" for moment in moments]


@pytest.mark.parametrize(("zone", "change", "minutes"), CHANGES)
def test_the_list_of_changes_is_true(zone: str, change: datetime, minutes: int) -> None:
    before = change.astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    after = (change + timedelta(seconds=1)).astimezone(ZoneInfo(zone)).replace(tzinfo=UTC)
    assert after - before == timedelta(minutes=minutes, seconds=1)


@pytest.mark.parametrize("line", ["30 2 * * *", "0 2 * * *"])
def test_a_time_in_the_gap_is_skipped_that_day(line: str) -> None:
    days = walls("America/New_York", line, datetime(2026, 3, 7, 5, tzinfo=UTC), days=3)
    assert [day[:2] for day in days] == ["07", "09"]


def test_the_hours_beside_the_gap_are_due() -> None:
    hours = walls("America/New_York", "0 */2 * * *", datetime(2026, 3, 8, 5, tzinfo=UTC) - timedelta(seconds=1), days=1)
    assert hours[:3] == ["08 00:00-0500", "08 04:00-0400", "08 06:00-0400"]


def test_a_time_that_comes_twice_is_due_twice() -> None:
    times = walls("America/New_York", "30 1 * * *", datetime(2026, 11, 1, 4, tzinfo=UTC), days=1)
    assert times == ["01 01:30-0400", "01 01:30-0500"]


def test_a_repeated_hour_comes_in_the_order_of_time() -> None:
    times = walls("Europe/Berlin", "*/30 2 25 10 *", datetime(2026, 10, 24, 12, tzinfo=UTC), days=1)
    assert times == ["25 02:00+0200", "25 02:30+0200", "25 02:00+0100", "25 02:30+0100"]


def test_a_yearly_time_is_found_at_its_first_pass_of_a_repeated_hour_from_months_away() -> None:
    times = walls("America/New_York", "30 1 1 11 *", datetime(2026, 1, 5, tzinfo=UTC), days=330)
    assert times == ["01 01:30-0400", "01 01:30-0500"]


def test_half_an_hour_skipped_and_half_an_hour_repeated() -> None:
    gap = walls("Australia/Lord_Howe", "*/15 2 4 10 *", datetime(2026, 10, 3, 1, tzinfo=UTC), days=2)
    assert gap == ["04 02:30+1100", "04 02:45+1100"]
    fold = walls("Australia/Lord_Howe", "*/15 1 5 4 *", datetime(2026, 4, 4, 1, tzinfo=UTC), days=2)
    assert [time[3:8] for time in fold] == ["01:00", "01:15", "01:30", "01:45", "01:30", "01:45"]


def test_a_midnight_that_does_not_exist_is_skipped() -> None:
    days = walls("America/Santiago", "0 0 * * *", datetime(2026, 9, 5, 3, tzinfo=UTC), days=3)
    assert [day[:2] for day in days] == ["05", "07", "08"]


def test_every_pays_no_heed_to_clock_changes() -> None:
    change = CHANGES[0][1]
    moments = due_between(parse_schedule("@every 20m"), change, change + timedelta(hours=3))
    assert moments == [change + timedelta(minutes=20 * count) for count in range(1, 10)]


MINUTES = st.sets(st.integers(0, 59), min_size=1, max_size=4)
HOURS = st.sets(st.integers(0, 4), min_size=1, max_size=5)


@settings(max_examples=60)
@given(st.sampled_from(CHANGES), MINUTES, HOURS)
def test_what_is_due_around_a_change_is_exactly_what_the_wall_clock_shows(
    change: tuple[str, datetime, int], minutes: set[int], hours: set[int]
) -> None:
    zone, last, _ = change
    start = (last - timedelta(hours=26)).replace(minute=0, second=0)
    line = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    every_minute = [start + timedelta(minutes=count) for count in range(1, 52 * 60 + 1)]
    shown = [(moment, moment.astimezone(ZoneInfo(zone))) for moment in every_minute]
    expected = [moment for moment, wall in shown if wall.minute in minutes and wall.hour in hours]
    assert due_between(Cron(line, ZoneInfo(zone)), start, every_minute[-1]) == expected


@pytest.mark.parametrize("zone", ["America/New_York", "Africa/Casablanca"])
def test_every_hour_of_a_year_is_due_once_whatever_the_clocks_do(zone: str) -> None:
    start = datetime(2027, 12, 31, 23, 59, tzinfo=UTC)
    moments = due_between(parse_schedule(f"TZ={zone} 0 * * * *"), start, start + timedelta(days=366))
    assert len(moments) == len(set(moments)) == 366 * 24


@pytest.fixture
def machine_in_new_york(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("machine_in_new_york")
def test_the_time_of_the_machine_follows_its_clock_changes() -> None:
    schedule = parse_schedule("30 1,2 * * *")
    spring = due_between(schedule, datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 3, 9, 4, tzinfo=UTC))
    autumn = due_between(schedule, datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 2, 5, tzinfo=UTC))
    assert [f"{moment:%H:%M}" for moment in spring] == ["06:30"]
    assert [f"{moment:%H:%M}" for moment in autumn] == ["05:30", "06:30", "07:30"]
