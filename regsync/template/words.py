"""The tokens of a template as a parser takes them: one after another, with a look at the next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.lexer import Token

_DEPTH_MAX: Final = 40  # levels of blocks and parentheses
_CALLED: Final = {"close": "}}", "outside": "text", "name": "a name", "text": "a text in quotes"}


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
