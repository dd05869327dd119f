"""A template's text becomes tokens: texts, and the words between `{{` and `}}`."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from regsync.errors import BadTemplate

KEYWORDS: Final = frozenset(
    {"block", "break", "continue", "define", "else", "end", "if", "nil", "range", "template", "with"}
)
_SPACE: Final = " \t\r\n"
_ENDS_A_WORD: Final = frozenset(" \t\r\n.,|:)(}")
_TOKEN: Final = re.compile(
    r"""
    (?P<close>[ \t\r\n]+-\}\}|\}\})
    |(?P<space>[ \t\r\n]+)
    |(?P<name>[^\W\d]\w*)
    |(?P<field>\.[^\W\d]\w*)
    |(?P<text>"(?:[^"\\\n]|\\[^\n])*"|`[^`]*`)
    |(?P<number>[+-]?(?:0[xX][0-9a-fA-F_]*(?:\.[0-9a-fA-F_]*)?(?:[pP][+-]?[0-9_]*)?|0[bBoO][0-9_]*
        |[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][+-]?[0-9_]*)?|\.[0-9][0-9_]*(?:[eE][+-]?[0-9_]*)?))
    |(?P<variable>\$\w*)
    |(?P<dot>\.)
    |(?P<character>'(?:[^'\\\n]|\\[^\n])+')
    |(?P<mark>:=|=|\||\(|\)|,)
    """,
    re.VERBOSE,
)
_COMMENT: Final = re.compile(r"/\*.*?\*/([ \t\r\n]-)?\}\}", re.DOTALL)
_WORDS: Final = frozenset({"name", "field", "variable"})


class Token(NamedTuple):
    """One word: its kind, which for keywords and marks is the word itself, and where it stands."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text, an `end of text` behind them; `BadTemplate` where it is none."""
    found: list[Token] = []
    at = 0
    trimmed = False
    while True:
        opened = text.find("{{", at)
        piece = text[at:] if opened < 0 else text[at:opened]
        if trimmed:
            piece = piece.lstrip(_SPACE)
        after = opened + 2
        if opened >= 0 and text[after : after + 1] == "-" and text[after + 1 : after + 2] in {*_SPACE}:
            piece = piece.rstrip(_SPACE)
            after += 2
        if piece:
            found.append(Token("outside", piece, at))
        if opened < 0:
            found.append(Token("end of text", "", len(text)))
            return found
        at = _comment(text, after) if text.startswith("/*", after) else _words(text, after, opened, found)
        trimmed = text[at - 3] == "-"


def _comment(text: str, at: int) -> int:
    """Return where a comment and its braces end."""
    comment = _COMMENT.match(text, at)
    if comment is None or text.find("*/", at + 2) != comment.end() - (4 if comment[1] is None else 6):
        raise BadTemplate("a comment must end with */}}", at=at)
    return comment.end()


def _words(text: str, at: int, opened: int, found: list[Token]) -> int:
    """Add the words up to the closing braces, and return where those end."""
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _unreadable(text, at, opened)
        kind, word = match.lastgroup or "", match[0]
        end = match.end()
        if kind in _WORDS:
            if end < len(text) and text[end] not in _ENDS_A_WORD:
                raise BadTemplate("a character that does not belong there", repr(text[end]), at=end)
            if word in KEYWORDS:
                kind = word
            elif word in {"true", "false"}:
                kind = "boolean"
        elif kind in {"number", "dot"} and end < len(text) and (text[end].isalnum() or text[end] == "_"):
            raise BadTemplate("not a number", at=at)
        found.append(Token(word if kind == "mark" else kind, word, at))
        at = end
        if kind == "close":
            return at


def _unreadable(text: str, at: int, opened: int) -> BadTemplate:
    """Say why no word begins here."""
    if at == len(text):
        return BadTemplate("}} is missing", at=opened)
    if text[at] in "\"'`":
        return BadTemplate("a text in quotes does not end", at=at)
    return BadTemplate("a character that does not belong there", repr(text[at]), at=at)
