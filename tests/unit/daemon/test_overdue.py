from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regsync.daemon.overdue import is_overdue, overdue_at
from regsync.daemon.schedule import Every, parse_schedule

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def test_three_due_times_may_pass() -> None:
    assert overdue_at(Every(60.0), THEN) == THEN + timedelta(minutes=3)
    assert overdue_at(parse_schedule("TZ=UTC @daily"), THEN) == THEN + timedelta(days=3)


@pytest.mark.parametrize(("seconds", "expected"), [(179, False), (180, False), (181, True)])
def test_an_entry_is_overdue_when_the_third_one_has_passed(seconds: int, expected: bool) -> None:
    assert is_overdue(Every(60.0), THEN, THEN + timedelta(seconds=seconds)) is expected


def test_what_is_never_due_or_was_never_visited_is_not_overdue() -> None:
    never = parse_schedule("0 0 30 2 *")
    assert not is_overdue(None, THEN, THEN + timedelta(days=1000))
    assert not is_overdue(Every(60.0), None, THEN)
    assert overdue_at(never, THEN) is None
    assert not is_overdue(never, THEN, THEN + timedelta(days=1000))
