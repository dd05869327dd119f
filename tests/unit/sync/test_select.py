from __future__ import annotations

import pytest

from regsync.errors import Malformed
from regsync.sync.select import EVERYTHING, Filter, Selection, check_pattern, differs_from_go

TAGS = ["a", "ab", "b", "xb", "v1", "v1.2", "latest"]


def test_no_filter_chooses_everything_in_order() -> None:
    assert EVERYTHING.choose(TAGS) == TAGS


def test_a_pattern_matches_whole_names_alternatives_included() -> None:
    assert Filter(allow=("a|b",)).choose(TAGS) == ["a", "b"]


def test_deny_takes_away_from_what_allow_gave() -> None:
    assert Filter(allow=("v.*",), deny=(r"v\d+",)).choose(TAGS) == ["v1.2"]


def test_deny_alone_takes_away_from_everything() -> None:
    assert Filter(deny=(".*b",)).choose(TAGS) == ["a", "v1", "v1.2", "latest"]


def test_sets_are_united_in_their_order_and_each_name_comes_once() -> None:
    selection = Selection((Filter(allow=("latest",)), Filter(allow=("v.*", "latest"))))
    assert selection.choose(TAGS) == ["latest", "v1", "v1.2"]


def test_an_empty_set_lets_everything_pass() -> None:
    assert Selection((Filter(),)).choose(TAGS) == TAGS


@pytest.mark.parametrize("pattern", ["(?!a)b", r"(a)\1", "(a", "[", "a{1001}", r"\C", "*"])
def test_what_re2_does_not_take_is_malformed(pattern: str) -> None:
    with pytest.raises(Malformed, match="pattern"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["v1", r"v\d+(\.\d+)*", "[[:alpha:]]+", "(?i)LATEST", r"\Qa.b\E", r"\pL+"])
def test_what_re2_takes_is_fine(pattern: str) -> None:
    check_pattern(pattern)


def test_a_dollar_does_not_match_before_a_newline() -> None:
    assert Filter(allow=("v1$",)).choose(["v1", "v1\n"]) == ["v1"]


def test_a_pattern_that_backtracks_elsewhere_is_quick_here() -> None:
    assert Filter(allow=(r"(v?\d+)+(\.\d+)*",)).choose(["1" * 128 + "!"]) == []


@pytest.mark.parametrize(
    ("pattern", "differs"),
    [("a|b", True), ("(a|b)", False), (r"a\|b", False), ("[a|b]", False), ("x(a|b)|c", True), ("plain", False)],
)
def test_patterns_that_mean_less_here_than_in_go_are_known(pattern: str, differs: bool) -> None:
    assert differs_from_go(pattern) is differs
