"""Text that others chose, shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.text import plain


@given(st.text())
def test_no_text_steers_a_terminal_or_breaks_a_line(text: str) -> None:
    assert plain(text).isprintable()


@given(st.text().filter(str.isprintable))
def test_what_can_be_shown_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb", r"a\x1b[2Jb"),
        ("a\r\nb\tc", "a  b c"),
        ("a\u202eb\u2028c", r"a\u202eb\u2028c"),
        ("half a pair: \ud800", r"half a pair: \ud800"),
    ],
)
def test_what_cannot_is_escaped(text: str, shown: str) -> None:
    assert plain(text) == shown
