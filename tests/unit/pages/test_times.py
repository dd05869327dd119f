from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from regsync.pages.times import ago, exact, span, until

THEN = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (200, "3 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
        (86399, "23 h"),
        (86400, "1 day"),
        (2 * 86400 + 7200, "2 days 2 h"),
        (9 * 86400, "9 days"),
        (-5, "0 s"),
    ],
)
def test_a_duration_is_told_in_its_largest_unit_and_the_next_one_where_that_matters(
    seconds: float, expected: str
) -> None:
    assert span(seconds) == expected


def test_moments_are_told_by_how_far_they_are() -> None:
    assert [ago(THEN, THEN + timedelta(seconds=seconds)) for seconds in (-3, 1, 61)] == [
        "just now",
        "just now",
        "1 min 1 s ago",
    ]
    assert [until(THEN, THEN - timedelta(seconds=seconds)) for seconds in (-1, 0, 7200)] == ["now", "now", "in 2 h"]
    assert exact(THEN) == "2026-01-31 12:00:05 UTC"
