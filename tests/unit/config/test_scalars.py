from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.config import scalars
from regsync.config.scalars import Plain, resolve
from regsync.errors import Malformed
from tests.unit.config.loading import STEP, problems_of, step_of, warnings_of


def _value(text: str) -> object:
    """What the reader makes of an unquoted word."""
    value = resolve(text)
    return value if value is None or isinstance(value, str) else Plain(value, text)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("3", "3"),
        ("3.10", "3.1"),
        ("1.0", "1"),
        ("010", "8"),
        ("0o17", "15"),
        ("0x10", "16"),
        ("0b11", "3"),
        ("08", "08"),
        ("1_000", "1000"),
        ("-7", "-7"),
        ("+7", "7"),
        ("true", "true"),
        ("TRUE", "true"),
        ("False", "false"),
        ("yes", "yes"),
        ("on", "on"),
        ("No", "No"),
        (".5", "0.5"),
        ("1e3", "1e3"),
        ("1.5e3", "1500"),
        ("1.0e-7", "1e-07"),
        ("1.5e22", "1.5e+22"),
        ("12:30", "12:30"),
        ("1:30:15", "1:30:15"),
        ("2024-01-02", "2024-01-02"),
        ("1.2.3", "1.2.3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1" * 40, "1" * 40),
        ("9" * 5000, "9" * 5000),
        ("-", "-"),
        (".", "."),
        ("0x", "0x"),
        ("'3.10'", "3.10"),
        ('"true"', "true"),
        ("!!str 010", "010"),
        ('!!int "010"', "8"),
        ("null", ""),
        ("~", ""),
    ],
)
def test_a_word_becomes_the_text_that_go_makes_of_it(written: str, read: str) -> None:
    assert step_of(f"tags: {{allow: [{written}]}}").tags.allow == (read,)


@pytest.mark.parametrize(("written", "read"), [("true", True), ("True", True), ("FALSE", False), ("false", False)])
def test_an_unquoted_true_or_false_is_a_boolean(written: str, read: bool) -> None:
    assert step_of(f"fastCheck: {written}").fast_check is read


@pytest.mark.parametrize("written", ["yes", "on", "no", "off", "y", "'true'", '"false"', "1", "0", "tRUE", "[]", "{}"])
def test_nothing_else_is_a_boolean(written: str) -> None:
    assert len(problems_of(f"defaults: {{fastCheck: {written}}}")) == 1


@pytest.mark.parametrize(
    ("written", "read"),
    [("2", 2), ("2.7", 2), ("-2.7", -2), ("'2'", 2), ("1e6", 1_000_000), ("'1e6'", 1_000_000), ("-3", -3), ("010", 8)],
)
def test_whole_numbers_are_cut_off_and_may_be_quoted(written: str, read: int) -> None:
    assert scalars.to_int(_value(written) if written[0] != "'" else written.strip("'")) == read


@pytest.mark.parametrize("written", ["1Mi", "10MB", "abc", "", "true", "1e999", "1e30", "9" * 30, "9" * 6000, "٣"])
def test_units_and_words_are_no_whole_numbers(written: str) -> None:
    with pytest.raises(Malformed):
        scalars.to_int(_value(written))


@pytest.mark.parametrize(("written", "read"), [("2", 2.0), ("0.5", 0.5), ("'.5'", 0.5), ("'2e1'", 20.0)])
def test_numbers_may_be_quoted(written: str, read: float) -> None:
    assert scalars.to_float(_value(written) if written[0] != "'" else written.strip("'")) == read


@pytest.mark.parametrize("written", [".inf", "nan", "1/2", "true", "null"])
def test_words_and_infinity_are_no_numbers(written: str) -> None:
    with pytest.raises(Malformed):
        scalars.to_float(_value(written))


@pytest.mark.parametrize(
    ("written", "seconds"), [("1h15m", 4500), ("1.5h", 5400), ("'0'", 0), ("300ms", 0.3), ("60s", 60)]
)
def test_a_duration_is_text_in_the_grammar_of_go(written: str, seconds: float) -> None:
    assert step_of(f"interval: {written}").interval == seconds


@pytest.mark.parametrize("written", ["60", "0", "1.5", "true", "'60'", "1d", "''' '''", "[]", "-1s"])
def test_bare_numbers_unknown_units_and_negative_times_are_no_durations(written: str) -> None:
    assert len(problems_of(f"defaults: {{interval: {written}}}")) == 1


@pytest.mark.parametrize(("written", "seconds"), [("30m", 1800), ("1500000000", 1.5), ("0s", 3600), ("0", 3600)])
def test_the_expiry_of_a_login_may_also_be_nanoseconds(written: str, seconds: float) -> None:
    assert scalars.to_expiry(_value(written)) in {seconds, 0.0}


def test_a_number_that_changes_when_read_as_text_is_warned_of_with_its_line() -> None:
    text = f"{STEP}    tags:\n      allow:\n        - 3.10\n        - 3.9\n"
    assert warnings_of(text) == ['7:11: 3.10 is read as "3.1"; quote it']


def test_a_password_that_changes_is_warned_of_and_not_shown() -> None:
    warnings = warnings_of("creds:\n  - registry: a.example\n    pass: 0777\n")
    assert warnings == ["3:11: the number is not read as it is written; quote it"]


@given(st.text(max_size=80))
def test_any_word_means_something(text: str) -> None:
    value = _value(text)
    assert scalars.kind_of(value)
    for convert in (scalars.to_bool, scalars.to_int, scalars.to_float, scalars.to_seconds, scalars.to_switch):
        with contextlib.suppress(Malformed):
            convert(value)


@given(st.integers(min_value=-(2**63) + 1, max_value=2**63 - 1))
def test_every_whole_number_of_64_bits_is_read_exactly(number: int) -> None:
    assert scalars.to_int(_value(str(number))) == number
    assert scalars.to_text(_value(str(number))) == str(number)
