"""Durations as people read them: as measured, as far off, and as short as a column is narrow."""

from __future__ import annotations

import pytest

from regsync.record.words import human_age, human_seconds, human_span


def test_what_was_measured_is_told_with_all_that_was_seen() -> None:
    measured = (0, 9.94, 59, 60, 3599, 3600, 172_799, 172_800, 1_047_600)
    assert [human_seconds(seconds) for seconds in measured] == [
        "0.0 s", "9.9 s", "59 s", "1 min 0 s", "59 min 59 s", "1 h 0 min", "47 h 59 min", "2 days 0 h", "12 days 3 h",
    ]  # fmt: skip


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
    assert human_span(seconds) == expected


def test_ages_are_written_as_there_is_room_for() -> None:
    day = 86400
    assert [human_age(age) for age in (-5, 0, 119, 120, 7200, 2 * day, 729 * day, 730 * day)] == [
        "0s", "0s", "119s", "2m", "2h", "2d", "729d", "2y",
    ]  # fmt: skip
