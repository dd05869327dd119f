from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed
from regsync.sync.patterns import AnyOf, as_written, check_pattern

NAMES = [
    "",
    "x",
    "ax",
    "xb",
    "xbx",
    "a",
    "b",
    "ab",
    "v1",
    "v1.2",
    "-windows",
    "v1-windows",
    "V1-WINDOWS",
    "1",
    "[",
    "a-",
]
PIECES = ["a", "b", "x", "1", "-", ".", ".*", ".+", r"\.", r"\d", "[ab]", "[]a|b]", "[^]b]", "[[:alpha:]|x]", "(", ")"]
PIECES += ["|", "|", "*", "+", "?", "{2}", "{0,1}", "{1,", "^", "$", r"\z", r"\A", r"\b", "(?i)", "(?i:", "(?U)", "??"]
PIECES += [r"\Q", r"\E", "\\", "[", "]", "(?P<n>", r"\pL", r"\x61", r"\C", r"\_", "*?", r"\w", "{,2}", "(?=a)", r"\1"]


def taken(pattern: str) -> list[str]:
    one = AnyOf((pattern,))
    return [name for name in NAMES if one.matches(name)]


@pytest.mark.parametrize("pattern", ["(?!a)b", r"(a)\1", "(a", "[", "a{1001}", r"\C", "a\\", "a|*b", "(*a)", "a**"])
def test_what_re2_does_not_take_is_malformed(pattern: str) -> None:
    with pytest.raises(Malformed, match="pattern"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["(?!.*rc).*", "(?=v).*", "v(?<!x)1", "(?<=v)1"])
def test_look_around_earns_the_hint_what_to_use_in_its_place(pattern: str) -> None:
    with pytest.raises(Malformed, match="no look-around: say with deny what is left out"):
        check_pattern(pattern)
    with pytest.raises(Malformed) as other:
        check_pattern("(?P<n")
    assert "look-around" not in str(other.value)


@pytest.mark.parametrize("pattern", ["v1", r"v\d+(\.\d+)*", "[[:alpha:]]+", "(?i)LATEST", r"\Qa.b\E", r"\pL+", ""])
def test_a_pattern_that_means_the_same_everywhere_needs_no_word(pattern: str) -> None:
    assert check_pattern(pattern) == ""


# What Go's regexp takes by `^pattern$` of the names above.
ENDINGS = [
    ("*-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("?-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("*?-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("??-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("{0}-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("{0,2}-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("{0,}?-windows", ".*-windows", ["-windows", "v1-windows"]),
    ("(?i)*-windows", "(?i).*-windows", ["-windows", "v1-windows", "V1-WINDOWS"]),
    ("(?i)(?m)*-windows", "(?i)(?m).*-windows", ["-windows", "v1-windows", "V1-WINDOWS"]),
    ("+-windows", "-windows", ["-windows"]),
    ("+?-windows", "-windows", ["-windows"]),
    ("{2}-windows", "-windows", ["-windows"]),
    ("{1,}-windows", "-windows", ["-windows"]),
    ("(?i)+-windows", "(?i)-windows", ["-windows"]),
    ("*", ".*", NAMES),
    ("?", ".*", NAMES),
    ("+", "", [""]),
]


@pytest.mark.parametrize(("pattern", "written", "names"), ENDINGS)
def test_a_quantifier_at_the_beginning_means_any_beginning_or_nothing(
    pattern: str, written: str, names: list[str]
) -> None:
    assert as_written(pattern) == written
    assert taken(pattern) == taken(written) == names
    assert check_pattern(pattern) == f'the pattern begins with a quantifier and is read as "{written}"; write that'
    assert check_pattern(written) == ""


@pytest.mark.parametrize("pattern", ["**", "*+", "+*", "*??", "{1001}x", "{2,1}x", "{2}{3}x", "*{2}x", "{99999}x"])
def test_a_quantifier_at_the_beginning_that_go_refuses_is_refused(pattern: str) -> None:
    with pytest.raises(Malformed, match="not RE2 syntax"):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", ["{,2}x", "{2", "{x}", "^*x", r"\*x", "[*]x"])
def test_what_only_looks_like_a_quantifier_is_left_as_it_is(pattern: str) -> None:
    assert as_written(pattern) == pattern
    assert check_pattern(pattern) == ""


@pytest.mark.parametrize("pattern", ["a|b", "x(a|b)|c", "|a", "a|", "(?i)a|b", ".*a|b.*", "[]|]|b", r"\\|b", "a$|b"])
def test_outer_alternatives_that_take_parts_of_names_in_go_are_told(pattern: str) -> None:
    assert f'write "({pattern})"' in check_pattern(pattern)
    assert check_pattern(f"({pattern})") == ""


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a|b)", r"a\|b", "[a|b]", "[]|a]", "[^]|a]", "[[:alpha:]|x]", r"\Qa|b\E", "(?i:a|b)", "plain"),
        *(".*-rc.*|.*-beta.*", "^a$|^b$", r"a\z|\Ab", "v.+|.+v", "a$|^b$|^c"),
    ],
)
def test_alternatives_that_are_bound_by_themselves_or_no_alternatives_are_not(pattern: str) -> None:
    assert check_pattern(pattern) == ""


def test_what_is_begun_to_be_quoted_and_does_not_end_is_told() -> None:
    assert r'write "v\Q1.2\E"' in check_pattern(r"v\Q1.2")
    assert taken(r"v\Q1.2") == ["v1.2"]


def test_a_quantifier_before_outer_alternatives_is_told_once() -> None:
    assert 'write "(.*-windows|x)"' in check_pattern("*-windows|x")
    assert taken("*-windows|x") == ["x", "-windows", "v1-windows"]


def test_a_dollar_does_not_match_before_a_newline() -> None:
    assert not AnyOf(("v1$",)).matches("v1\n")


def test_a_pattern_that_backtracks_elsewhere_is_quick_here() -> None:
    assert not AnyOf((r"(v?\d+)+(\.\d+)*",)).matches("1" * 128 + "!")


def test_patterns_too_large_for_one_machine_are_tried_one_by_one() -> None:
    many = AnyOf((*(f"v.{{1,1000}}[ab]x{{{count}}}" for count in range(30)), "latest"))
    assert many.matches("latest")
    assert many.matches("v1.2bxxx")
    assert not many.matches("v1.2c")


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map("".join))
def test_a_pattern_nothing_is_told_about_takes_what_go_takes(pattern: str) -> None:
    try:
        told = check_pattern(pattern)
    except Malformed:
        return
    options = re2.Options()
    options.log_errors = False
    as_in_go = re2.compile(f"^{pattern}$", options)
    if not told or "quantifier" in told:
        assert taken(pattern) == [name for name in NAMES if as_in_go.search(name)]
