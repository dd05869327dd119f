"""Durations in Go's grammar, as its documentation states it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.duration import format_duration, parse_duration
from regsync.errors import Malformed


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("-0", 0.0),
        ("0s", 0.0),
        ("1h15m", 4500.0),
        ("1m1m", 120.0),
        ("1.5h", 5400.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("+5s", 5.0),
        ("-90s", -90.0),
        ("300ms", 0.3),
        ("1us", 1e-6),
        ("1\u00b5s", 1e-6),
        ("1\u03bcs", 1e-6),
        ("7ns", 7e-9),
        ("3h0.000000001s", 10800.000000001),
        ("00000000000000000000000001s", 1.0),
        ("0." + "1" * 5000 + "s", 0.111111111),
        ("9223372036854775807ns", 9223372036.854775807),
        ("-9223372036854775808ns", -9223372036.854775808),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "invalid duration ''"),
        ("-", "invalid duration '-'"),
        ("s", "a number such as 1.5 was expected at 's'"),
        (".s", "a number such as 1.5 was expected at '.s'"),
        (" 1s", "invalid duration ' 1s'"),
        ("60", "missing unit in duration '60'"),
        ("1h30", "missing unit in duration '1h30'"),
        ("1d", "unknown unit 'd' in duration '1d'"),
        ("1 s", "unknown unit ' s'"),
        ("1h-2m", "unknown unit 'h-'"),
        ("1.2.3s", "missing unit"),
        ("\u0661s", "a number such as 1.5 was expected"),
        ("9223372036854775808ns", "longer than 292 years"),
        ("9223372037s", "longer than 292 years"),
        ("9" * 5000 + "s", "longer than 292 years"),
    ],
)
def test_what_is_no_duration_is_refused_with_the_reason(text: str, complaint: str) -> None:
    with pytest.raises(Malformed) as refused:
        parse_duration(text)
    assert complaint in str(refused.value)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (-1e-12, "0s"),
        (3600, "1h0m0s"),
        (60, "1m0s"),
        (4500.25, "1h15m0.25s"),
        (59.5, "59.5s"),
        (0.3, "300ms"),
        (0.0015, "1.5ms"),
        (2.5e-6, "2.5\u00b5s"),
        (7e-9, "7ns"),
        (-90, "-1m30s"),
        (-0.3, "-300ms"),
        (90000, "25h0m0s"),
    ],
)
def test_a_duration_is_printed_as_go_prints_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(min_value=-(2**50), max_value=2**50))
def test_what_is_printed_reads_as_what_it_was(nanoseconds: int) -> None:
    seconds = nanoseconds / 1_000_000_000
    assert parse_duration(format_duration(seconds)) == seconds
