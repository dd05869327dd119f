"""A template's text becomes tokens: texts, and the words between `{{` and `}}`; and how a parser takes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

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
_DEPTH_MAX: Final = 40  # levels of blocks and parentheses
_CALLED: Final = {"close": "}}", "outside": "text", "name": "a name", "text": "a text in quotes"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word: its kind, which for keywords and marks is the word itself, and where it stands.

    `glued`: nothing stands between it and the one before.
    """

    kind: str
    text: str
    at: int
    glued: bool = False


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
    glued = False
    for match in _TOKEN.finditer(text, at):
        if match.start() != at:
            break
        kind, word, end = match.lastgroup or "", match[0], match.end()
        if kind != "space":
            found.append(Token(_kind_of(kind, word, text, end), word, at, glued))
        if kind == "close":
            return end
        at, glued = end, kind != "space"
    raise _unreadable(text, at, opened)


def _kind_of(kind: str, word: str, text: str, end: int) -> str:
    """Return what a word is, which must end where it does."""
    if kind in _WORDS:
        if end < len(text) and text[end] not in _ENDS_A_WORD:
            raise BadTemplate("a character that does not belong there", repr(text[end]), at=end)
        return word if word in KEYWORDS else "boolean" if word in {"true", "false"} else kind
    if kind in {"number", "dot"} and end < len(text) and (text[end].isalnum() or text[end] == "_"):
        raise BadTemplate("not a number", at=end - len(word))
    return word if kind == "mark" else kind


def _unreadable(text: str, at: int, opened: int) -> BadTemplate:
    """Say why no word begins here."""
    if at == len(text):
        return BadTemplate("}} is missing", at=opened)
    if text[at] in "\"'`":
        return BadTemplate("a text in quotes does not end", at=at)
    return BadTemplate("a character that does not belong there", repr(text[at]), at=at)


class Words:
    """A place in a list of tokens."""

    def __init__(self, found: Sequence[Token]) -> None:
        self._tokens = found
        self._depth = 0
        self.place = 0  # of the next token; may be set back

    def peek(self) -> Token:
        """Return the next token, and stay before it."""
        return self._tokens[self.place]

    def take(self, kind: str = "") -> Token:
        """Return the next token and go past it; it must be of this kind, if one is given."""
        token = self._tokens[self.place]
        if kind and token.kind != kind:
            raise unexpected(token, f"expected {_CALLED.get(kind, kind)}")
        self.place += 1
        return token

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Go one level down into blocks or parentheses."""
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise BadTemplate(f"nested deeper than {_DEPTH_MAX} levels", at=self.peek().at)
        yield
        self._depth -= 1


def unexpected(token: Token, expected: str = "") -> BadTemplate:
    """Return the error for a token that has no place where it stands."""
    what = f"not expected here; {expected}" if expected else "not expected here"
    if token.kind == "end of text":
        return BadTemplate(f"the text ends; {expected or 'expected {{ end }}'}", at=token.at)
    return BadTemplate(what, "}}" if token.kind == "close" else f'"{token.text}"', at=token.at)
