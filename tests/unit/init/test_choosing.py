from __future__ import annotations

import pytest

from regsync.errors import Malformed
from regsync.init.choosing import choice_of, patterns_of, picked, times_of
from regsync.init.suggest import EVERYTHING, Choice
from regsync.sync.select import Filter

OFFERED = [Choice("the best", (Filter(allow=("best",)),)), EVERYTHING]
TAGS = ["1", "1.0", "1.1", "2.0", "latest", "edge"]


@pytest.mark.parametrize(
    ("words", "taken"),
    [
        (["suggested"], []),
        (["1"], ["1"]),
        (["all"], TAGS),
        (["latest"], ["latest"]),
        (["l.*", "edge"], ["latest", "edge"]),
        ([">=1.1"], ["1.1", "2.0"]),
        (["~1.0", "latest"], ["1", "1.0", "latest"]),
        (["1", "latest"], ["1", "latest"]),
    ],
)
def test_words_and_numbers_make_a_choice(words: list[str], taken: list[str]) -> None:
    assert choice_of(words, OFFERED).of(TAGS) == taken


@pytest.mark.parametrize(
    ("typed", "taken"), [("2", TAGS), (" 1 ", []), ("3", []), ("latest", ["latest"]), ("1.0", ["1.0"])]
)
def test_a_number_of_an_offer_is_that_offer_and_any_other_text_a_choice_in_words(typed: str, taken: list[str]) -> None:
    assert picked(typed, OFFERED).of(TAGS) == taken


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["suggested"], "without a look"),
        (["["], "not RE2 syntax"),
        ([">=x"], "no term of a range"),
        ([">2 <1"], "takes nothing"),
        (["a\nb"], "control characters"),
        ([">=1\n#"], "control characters"),
    ],
)
def test_a_choice_that_takes_nothing_ever_is_refused(words: list[str], why: str) -> None:
    with pytest.raises(Malformed, match=why):
        choice_of(words, [])


def test_all_repositories_need_no_pattern() -> None:
    assert patterns_of(["all"]) == patterns_of([]) == ()
    assert patterns_of(["team/.*", "all"]) == ("team/.*", "all")


@pytest.mark.parametrize(
    ("text", "times"),
    [
        ("1h", ("1h", "")),
        (" 1h30m ", ("1h30m", "")),
        ("15 2 * * *", ("", "15 2 * * *")),
        ("@daily", ("", "@daily")),
        ("TZ=Europe/Berlin 0 3 * * *", ("", "TZ=Europe/Berlin 0 3 * * *")),
        ("never", ("", "")),
    ],
)
def test_times_are_a_duration_a_cron_line_or_none(text: str, times: tuple[str, str]) -> None:
    assert times_of(text) == times


@pytest.mark.parametrize("text", ["", "1d", "0s", "-1h", "daily", "@never", "1 2 3", "61 * * * *"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        times_of(text)
