"""When an entry is told of as old."""

from __future__ import annotations

from datetime import datetime

from regsync.daemon.overdue import overdue_at
from regsync.daemon.schedule import Every
from regsync.notify.stale import Ages, OverdueAt
from tests.unit.notify.runs import a_run, failed, minutes

HOURLY = Every(3600)


class Asked:
    """Knows when an entry is overdue, and how often it was asked for that."""

    def __init__(self, schedule: Every = HOURLY) -> None:
        self.times = 0
        self._schedule = schedule

    def __call__(self, _: str, since: datetime) -> datetime | None:
        self.times += 1
        return overdue_at(self._schedule, since)


def looked(ages: Ages, at: float, asked: OverdueAt | None = None) -> list[str]:
    """Who is told of when it is looked so many minutes after noon; every hour is due unless said otherwise."""
    now, overdue_at = minutes(at), asked or Asked()
    return [reason.entry for entry in ages.due(now) if (reason := ages.look(entry, now, overdue_at)) is not None]


def of_one() -> Ages:
    ages = Ages()
    ages.follow({"one"}, minutes(0))
    return ages


def test_an_entry_is_told_of_when_three_due_times_have_passed_and_then_once_an_hour() -> None:
    ages = of_one()
    assert [looked(ages, at) for at in (179, 180, 181, 182, 240, 242, 301, 303)] == [
        [], [], ["one"], [], [], ["one"], [], ["one"],
    ]  # fmt: skip


def test_failures_make_no_entry_younger_and_good_runs_do() -> None:
    ages = of_one()
    assert [*ages.hear(a_run(failed("x"), at=100))] == []
    assert [*ages.hear(a_run(at=100, scope="missing"))] == []
    assert looked(ages, 181) == ["one"]
    ages = of_one()
    assert [*ages.hear(a_run(at=100))] == []
    assert looked(ages, 181) == []
    assert looked(ages, 281) == ["one"]


def test_a_good_run_ends_what_was_told_and_it_may_be_told_again() -> None:
    ages = of_one()
    assert looked(ages, 181) == ["one"]
    (over,) = ages.hear(a_run(at=190))
    assert over.error == "source and target were not seen equal since 2026-01-01 12:00 UTC"
    assert [*ages.hear(a_run(at=191))] == []
    assert [looked(ages, at) for at in (240, 370, 372)] == [[], [], ["one"]]


def test_one_that_is_old_again_soon_after_a_good_run_is_told_of_again() -> None:
    ages, often = of_one(), Asked(Every(600))
    assert looked(ages, 31, often) == ["one"]
    assert len([*ages.hear(a_run(at=32))]) == 1
    assert [looked(ages, at, often) for at in (61, 63)] == [[], ["one"]]


def test_schedules_are_asked_for_when_it_matters_and_no_oftener() -> None:
    asked, ages = Asked(), of_one()
    for at in range(0, 600, 2):
        if not at % 60:
            assert [*ages.hear(a_run(at=at))] == []
        assert looked(ages, at, asked) == []
    assert asked.times < 8
    assert [looked(ages, at, asked) for at in range(740, 860)].count(["one"]) == 2
    assert asked.times < 16


def test_what_is_known_from_before_counts_and_what_is_new_is_young() -> None:
    ages = Ages()
    ages.follow(("one", "two"), minutes(0), {"one": minutes(-100), "three": minutes(-1000)})
    assert looked(ages, 81) == ["one"]
    ages.follow(("one", "two", "four"), minutes(100))
    assert looked(ages, 102) == []
    assert looked(ages, 181) == ["one", "two"]


def test_an_entry_that_is_never_due_is_never_old() -> None:
    assert looked(of_one(), 1_000_000, lambda _, __: None) == []
