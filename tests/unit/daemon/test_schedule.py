"""The grammar of schedules as robfig/cron v3 reads it; the expected times were worked out by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise

import pytest

from regsync.daemon.schedule import Cron, Every, Schedule, parse_schedule
from regsync.errors import Malformed

START = datetime(2026, 1, 1, 0, 17, tzinfo=UTC)  # a Thursday


def fires(schedule: Schedule, count: int, *, start: datetime = START) -> list[str]:
    found: list[str] = []
    moment: datetime | None = start
    for _ in range(count):
        moment = schedule.next_after(moment) if moment else None
        found.append(f"{moment:%Y-%m-%d %H:%M}" if moment else "never")
    return found


def utc(line: str) -> Schedule:
    return parse_schedule(f"TZ=UTC {line}")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("15 * * * *", ["2026-01-01 01:15", "2026-01-01 02:15"]),
        ("5/15 3 * * *", ["2026-01-01 03:05", "2026-01-01 03:20"]),
        ("1-9/4 3 * * *", ["2026-01-01 03:01", "2026-01-01 03:05", "2026-01-01 03:09", "2026-01-02 03:01"]),
        ("*/61 * * * *", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("0 0 1 MAR,jun-Jul *", ["2026-03-01 00:00", "2026-06-01 00:00", "2026-07-01 00:00", "2027-03-01 00:00"]),
        ("0 12 * * sun,Tue", ["2026-01-04 12:00", "2026-01-06 12:00"]),
        ("0 0 31 * *", ["2026-01-31 00:00", "2026-03-31 00:00", "2026-05-31 00:00"]),
        ("@hourly", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("@daily", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("@midnight", ["2026-01-02 00:00", "2026-01-03 00:00"]),
        ("@weekly", ["2026-01-04 00:00", "2026-01-11 00:00"]),
        ("@monthly", ["2026-02-01 00:00", "2026-03-01 00:00"]),
        ("@yearly", ["2027-01-01 00:00"]),
        ("@annually", ["2027-01-01 00:00"]),
        ("0\t0  1\u00a01 *", ["2027-01-01 00:00"]),
    ],
)
def test_a_cron_line_is_due_when_robfig_says(line: str, expected: list[str]) -> None:
    assert fires(utc(line), len(expected)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0-0 * * * *", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        (
            "0 0 1-1 * 1",
            ["2026-01-05 00:00", "2026-01-12 00:00", "2026-01-19 00:00", "2026-01-26 00:00", "2026-02-01 00:00"],
        ),
        ("0 0 */1 * 5", ["2026-01-02 00:00", "2026-01-09 00:00"]),
        ("0 ? ? * ?", ["2026-01-01 01:00", "2026-01-01 02:00"]),
        ("+15 0 +3 * *", ["2026-01-03 00:15", "2026-02-03 00:15"]),
        ("1,,2 0 * * *", ["2026-01-02 00:01", "2026-01-02 00:02"]),
        (",1 0 * * *", ["2026-01-02 00:01", "2026-01-03 00:01"]),
        ("1, 0 * * *", ["2026-01-02 00:01", "2026-01-03 00:01"]),
        ("*-5 1 * * *", ["2026-01-01 01:00", "2026-01-01 01:01"]),
    ],
)
def test_a_line_that_croniter_reads_otherwise_is_due_when_robfig_says(line: str, expected: list[str]) -> None:
    assert fires(utc(line), len(expected)) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("0 0 10 * *", ["2026-01-10", "2026-02-10"]),
        ("0 0 * * 1", ["2026-01-05", "2026-01-12"]),
        ("0 0 10 * 1", ["2026-01-05", "2026-01-10", "2026-01-12"]),
        ("0 0 10 * */2", ["2026-01-03", "2026-01-04", "2026-01-06", "2026-01-08", "2026-01-10"]),
        ("0 0 */10 * 1", ["2026-01-05", "2026-01-11", "2026-01-12"]),
        ("0 0 10 * *,1", ["2026-01-10", "2026-02-10"]),
        ("0 0 1,* * 1", ["2026-01-05", "2026-01-12"]),
        ("0 0 10 * 0-6", ["2026-01-02", "2026-01-03"]),
        ("0 0 1-31 * 1", ["2026-01-02", "2026-01-03"]),
        ("0 0 1-31 * */2", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("0 0 */2 * 0-6", ["2026-01-02", "2026-01-03", "2026-01-04"]),
        ("0 0 10 * */1", ["2026-01-10", "2026-02-10"]),
    ],
)
def test_both_day_fields_must_match_only_when_one_is_a_star(line: str, expected: list[str]) -> None:
    assert [moment[:10] for moment in fires(utc(line), len(expected))] == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("* * * * 7", "day of week '7': 0 to 6 was expected"),
        ("* * * * 1-7", "day of week"),
        ("* * * * 0-7", "day of week"),
        ("* 22-2 * * *", "no range backwards"),
        ("0 0 * * fri-mon", "no range backwards"),
        ("0 0 * nov-feb *", "no range backwards"),
        ("0 0 L * *", "day of month 'L': a whole number was expected"),
        ("0 0 * * L5", "day of week"),
        ("0 0 * * 5#2", "day of week"),
        ("0 0 15W * *", "day of month"),
        ("H * * * *", "minute"),
        ("R * * * *", "minute"),
        ("60 * * * *", "minute '60': 0 to 59 was expected"),
        ("0 0 0 * *", "day of month"),
        ("-5 * * * *", "minute"),
        ("1-2-3 * * * *", "more than one '-'"),
        ("1/2/3 * * * *", "more than one '/'"),
        ("*/0 * * * *", "a step of 0"),
        ("*/x * * * *", "a whole number was expected"),
        ("1_0 * * * *", "a whole number was expected"),
        ("\u0661 * * * *", "a whole number was expected"),
        ("jan * * * *", "minute 'jan'"),
        (", * * * *", "minute ',': no value in the list"),
        ("* * * *", "5 fields were expected"),
        ("0 * * * * *", "5 fields were expected"),
        ("", "a cron line such as"),
        ("@Daily", "not one of @yearly"),
        ("@reboot", "not one of @yearly"),
        ("@every", "'@every <duration>'"),
        ("@every 1d", "unknown unit 'd'"),
        ("@every 60", "missing unit"),
        ("9" * 5000 + " * * * *", "a whole number was expected"),
    ],
)
def test_what_robfig_refuses_is_refused_with_the_reason(line: str, complaint: str) -> None:
    for text in (line, f"TZ=UTC {line}"):
        with pytest.raises(Malformed) as refused:
            parse_schedule(text)
        assert complaint in str(refused.value)


@pytest.mark.parametrize(
    "zone", ["Nowhere/At-All", "../UTC", "/etc/localtime", "America", "a\0b", "\ud800", "zone.tab"]
)
def test_an_unknown_zone_is_refused_by_name(zone: str) -> None:
    with pytest.raises(Malformed, match="unknown time zone"):
        parse_schedule(f"TZ={zone} * * * * *")


def test_a_zone_without_a_cron_line_is_refused_where_robfig_panics() -> None:
    with pytest.raises(Malformed, match="a cron line"):
        parse_schedule("CRON_TZ=Asia/Tokyo")


@pytest.mark.parametrize("prefix", ["TZ=Asia/Tokyo ", "CRON_TZ=Asia/Tokyo "])
def test_a_prefix_names_the_zone_of_the_line(prefix: str) -> None:
    assert fires(parse_schedule(prefix + "0 9 * * *"), 1) == ["2026-01-02 00:00"]


def test_an_empty_zone_is_utc_and_a_moment_of_any_zone_is_understood() -> None:
    schedule = parse_schedule("TZ= 0 9 * * *")
    assert schedule.next_after(START.astimezone(timezone(timedelta(hours=5)))) == datetime(2026, 1, 1, 9, tzinfo=UTC)


def test_without_a_prefix_and_as_local_a_line_means_the_time_of_the_machine() -> None:
    assert parse_schedule("0 9 * * *") == Cron("0 9 * * *", None) == parse_schedule("TZ=Local 0 9 * * *")
    assert parse_schedule("@daily") != parse_schedule("TZ=UTC @daily")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("1h", 3600), ("1500ms", 1), ("999ms", 1), ("-5m", 1), ("0", 1), ("2.9s", 2)],
)
def test_every_counts_whole_seconds_and_at_least_one(text: str, seconds: int) -> None:
    schedule = parse_schedule(f"@every {text}")
    start = START + timedelta(microseconds=700_000)
    assert schedule.next_after(start) == START + timedelta(seconds=seconds)


def test_every_leaves_no_moment_twice() -> None:
    schedule = Every(1.0)
    moments = [START]
    for _ in range(100):
        moments.append(schedule.next_after(moments[-1]))
    assert all(after - before == timedelta(seconds=1) for before, after in pairwise(moments))


def test_a_due_time_is_never_the_moment_asked_about() -> None:
    at = datetime(2026, 1, 1, 9, tzinfo=UTC)
    daily = utc("0 9 * * *")
    assert daily.next_after(at) == at + timedelta(days=1)
    assert daily.next_after(at - timedelta(microseconds=1)) == at
    assert daily.next_after(at + timedelta(microseconds=1)) == at + timedelta(days=1)


def test_a_day_that_never_comes_is_never_due() -> None:
    assert utc("0 0 30 2 *").next_after(START) is None
    assert utc("0 0 31 4,6,9,11 *").next_after(START) is None


def test_the_leap_day_is_found_across_a_century_without_one() -> None:
    leap_days = utc("0 0 29 2 *")
    assert fires(leap_days, 2) == ["2028-02-29 00:00", "2032-02-29 00:00"]
    assert fires(leap_days, 1, start=datetime(2096, 3, 1, tzinfo=UTC)) == ["2104-02-29 00:00"]


def test_a_year_of_a_cron_line_has_every_hour_once() -> None:
    schedule = utc("15 * * * *")
    moments = [START - timedelta(minutes=2)]
    while moments[-1] < moments[0] + timedelta(days=365):
        following = schedule.next_after(moments[-1])
        assert following is not None
        moments.append(following)
    assert len(moments) == 365 * 24 + 1
    assert all(after - before == timedelta(hours=1) for before, after in pairwise(moments))


def test_cron_lines_live_beyond_2038() -> None:
    assert fires(utc("14 3 19 1 *"), 1, start=datetime(2038, 1, 1, tzinfo=UTC)) == ["2038-01-19 03:14"]
