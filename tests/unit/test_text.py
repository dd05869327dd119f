"""Text that others chose, shown."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.text import plain, why_unreadable


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


def why(code: int, path: Path) -> str:
    return why_unreadable(OSError(code, os.strerror(code)), str(path))


def test_why_a_file_cannot_be_read_is_said_with_what_helps(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to("gone\nforged")
    user = os.geteuid()
    assert why(errno.EACCES, link) == f"permission denied: user {user}, whom this runs as, has to be able to read it"
    assert why(errno.EISDIR, tmp_path).startswith("is a directory: name a file (docker mounts a directory ")
    assert why(errno.ENOENT, link) == "no such file or directory: it is a link that leads nowhere, to gone forged"
    assert why(errno.ENOENT, tmp_path / "none") == "no such file or directory"
    assert why(errno.EIO, link) == "input/output error"
