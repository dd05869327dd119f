from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regsync.pages.templating import ago, exact, until

THEN = datetime(2026, 1, 31, 12, 0, 5, tzinfo=UTC)


def test_moments_are_told_by_how_far_they_are() -> None:
    assert [ago(THEN, THEN + timedelta(seconds=seconds)) for seconds in (-3, 1, 61)] == [
        "just now",
        "just now",
        "1 min 1 s ago",
    ]
    assert [until(THEN, THEN - timedelta(seconds=seconds)) for seconds in (-1, 0, 7200)] == ["now", "now", "in 2 h"]
    assert exact(THEN) == "2026-01-31 12:00:05 UTC"
