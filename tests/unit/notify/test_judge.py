"""What of a run is told, and how often."""

from __future__ import annotations

import pytest

from regsync.notify.judge import Judge
from regsync.notify.message import Change, Message, Reason
from regsync.record.values import RunRecord
from tests.unit.notify.runs import NEW, OLD, a_run, copied, failed, minutes

DOWN = "GET manifest v1 at a.example: connection refused"


def ends(entry: str) -> tuple[str, str]:
    return (f"a.example/{entry}", f"b.example/{entry}")


def told(judge: Judge, run: RunRecord) -> list[Message]:
    return [*judge.judge(run, ends)]


def kinds(judge: Judge, *runs: RunRecord) -> list[list[str]]:
    return [[message.kind for message in told(judge, run)] for run in runs]


def test_a_failure_is_told_with_its_run_its_cause_and_its_images() -> None:
    (message,) = told(Judge(), a_run(failed(DOWN), failed(DOWN.replace("v1", "v2"), "v2")))
    (reason,) = message.reasons
    assert (message.kind, message.run, message.entry, message.at) == ("failure", "run-0", "one", minutes(0))
    assert (message.source, message.target) == ("a.example/one", "b.example/one")
    assert (reason.count, reason.images) == (2, ("b.example/x:v1", "b.example/x:v2"))
    assert "can be reached" in reason.advice


def test_the_same_cause_is_told_once_an_hour_and_then_with_how_often_it_was_met() -> None:
    judge = Judge()
    runs = [a_run(failed(DOWN), at=at) for at in (0, 1, 59, 60, 61)]
    assert kinds(judge, *runs) == [["failure"], [], [], ["failure"], []]
    (again,) = told(judge, a_run(failed(DOWN), at=121))
    assert (again.reasons[0].repeated, again.reasons[0].since) == (1, minutes(60))


def test_another_cause_is_told_beside_one_that_was() -> None:
    judge = Judge()
    told(judge, a_run(failed(DOWN)))
    (message,) = told(judge, a_run(failed(DOWN), failed("the disk is full", "v2"), at=1))
    assert [reason.error for reason in message.reasons] == ["the disk is full"]


@pytest.mark.parametrize(
    ("error", "later"),
    [
        (
            "PATCH blob at a.example: 17 of 4711 bytes were written",
            "PATCH blob at a.example: 18 of 4711 bytes were written",
        ),
        ("a.example asks to be left alone for 17 s", "a.example asks to be left alone for 3 s"),
        ("503 request id 0fe2-77", "502 request id 1ab2-90"),
        (f"manifest {OLD} is gone", f"manifest {NEW} is gone"),
    ],
)
def test_a_cause_is_the_same_whatever_numbers_and_digests_it_names(error: str, later: str) -> None:
    assert kinds(Judge(), a_run(failed(error)), a_run(failed(later), at=1)) == [["failure"], []]


def test_a_registry_that_says_something_else_each_time_is_told_of_so_many_times_an_hour_and_no_more() -> None:
    judge = Judge()
    words = [f"{first}{second}" for first in "abcdefgh" for second in "abcdefgh"]
    said = [told(judge, a_run(failed(word), at=at / 2)) for at, word in enumerate(words)]
    assert sum(map(len, said)) == 21
    assert len(told(judge, a_run(failed("something new"), at=200))) == 1


def test_causes_are_those_of_an_entry_and_not_of_all() -> None:
    judge = Judge()
    assert kinds(judge, a_run(failed(DOWN)), a_run(failed(DOWN, entry="two"), entry="two")) == [
        ["failure"],
        ["failure"],
    ]


def test_the_first_good_run_after_failures_is_told_once_with_what_is_over() -> None:
    judge = Judge()
    runs = [a_run(), a_run(failed(DOWN), at=1), a_run(failed(DOWN), at=2), a_run(failed("x"), at=3)]
    assert kinds(judge, *runs) == [[], ["failure"], [], ["failure"]]
    (message,) = told(judge, a_run(at=4))
    assert message.kind == "recovered"
    assert message.reasons == (
        Reason("one", DOWN, repeated=3, since=minutes(1)),
        Reason("one", "x", repeated=3, since=minutes(1)),
    )
    assert kinds(judge, a_run(at=5), a_run(failed(DOWN), at=6)) == [[], ["failure"]]


def test_a_run_that_was_cut_off_is_no_recovery() -> None:
    judge = Judge()
    assert kinds(judge, a_run(failed(DOWN)), a_run(at=1, cut=True), a_run(at=2)) == [["failure"], [], ["recovered"]]


def test_a_change_is_told_with_both_digests_and_a_refreshed_image_is_none() -> None:
    (message,) = told(Judge(), a_run(copied(), copied("v2", before=NEW), copied("v3", before="")))
    assert message.kind == "changed"
    assert message.changes == (
        Change("one", "a.example/x:v1", "b.example/x:v1", OLD, NEW),
        Change("one", "a.example/x:v3", "b.example/x:v3", "", NEW),
    )


def test_a_check_is_told_nobody() -> None:
    assert told(Judge(), a_run(failed(DOWN), copied(), scope="check")) == []


def test_a_run_over_all_entries_is_one_message_and_names_the_entry_if_it_is_about_one_alone() -> None:
    several = a_run(failed(DOWN), failed(DOWN, entry="two"), copied(entry="three"), entry="")
    failure, changed = told(Judge(), several)
    assert (failure.entry, failure.source, [reason.entry for reason in failure.reasons]) == ("", "", ["one", "two"])
    assert (changed.entry, changed.source) == ("three", "a.example/three")


def test_an_entry_that_is_gone_is_forgotten() -> None:
    judge = Judge()
    told(judge, a_run(failed(DOWN)))
    judge.keep_only({"two"})
    assert kinds(judge, a_run(failed(DOWN), at=1)) == [["failure"]]
