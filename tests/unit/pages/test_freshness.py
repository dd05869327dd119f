from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.daemon.overdue import is_overdue
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.pages.freshness import Freshness, freshness

THEN = datetime(2026, 1, 1, tzinfo=UTC)
HOURLY = Every(3600.0)
WEEKDAYS = parse_schedule("TZ=UTC 30 3 * * 1-5")


def how(schedule: Schedule | None, equal: datetime | None, began: datetime, now: datetime) -> Freshness:
    """How fresh it is; the answer holds until it is another one."""
    held = freshness(schedule, equal, began, now)
    assert held.until >= now
    if held.until < datetime(9999, 1, 1, tzinfo=UTC):
        assert freshness(schedule, equal, began, held.until).how == held.how
    return held.how


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(0, "fresh"), (1.5, "fresh"), (2.5, "late"), (3, "late"), (3.1, "overdue"), (999, "overdue")],
)
def test_an_entry_is_late_after_two_due_times_and_overdue_after_three(hours: float, expected: str) -> None:
    assert how(HOURLY, THEN, THEN, THEN + timedelta(hours=hours)) == expected


def test_an_entry_that_was_never_compared_is_new_until_it_should_have_been() -> None:
    began = THEN
    found = [how(HOURLY, None, began, began + timedelta(hours=hours)) for hours in (0, 1.5, 2.5, 3.5)]
    assert found == ["new", "new", "late", "overdue"]


def test_a_weekend_makes_nobody_late_who_is_due_on_weekdays() -> None:
    friday, monday = datetime(2026, 1, 2, 3, 30, 9, tzinfo=UTC), datetime(2026, 1, 5, 3, 30, tzinfo=UTC)
    assert how(WEEKDAYS, friday, THEN, monday + timedelta(hours=1)) == "fresh"
    assert how(WEEKDAYS, friday, THEN, monday + timedelta(days=1, hours=1)) == "late"


def test_what_is_never_due_has_no_freshness() -> None:
    assert how(None, THEN, THEN, THEN) == "unplanned"
    assert how(parse_schedule("0 0 30 2 *"), THEN, THEN, THEN + timedelta(days=9999)) == "fresh"


@pytest.mark.parametrize("schedule", [HOURLY, Every(90.5), WEEKDAYS, parse_schedule("TZ=UTC */7 * * * *")], ids=str)
@given(age=st.integers(0, 8 * 86400), fraction=st.integers(0, 999_999))
def test_it_is_overdue_exactly_where_status_says_so(schedule: Schedule, age: int, fraction: int) -> None:
    since = THEN + timedelta(seconds=age % 3600, microseconds=fraction)
    now = since + timedelta(seconds=age)
    assert (how(schedule, since, since, now) == "overdue") is is_overdue(schedule, since, now)
