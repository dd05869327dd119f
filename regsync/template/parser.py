"""Tokens become blocks of steps, by the grammar of Go's text/template."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.constants import quoted
from regsync.template.lexer import Words, tokens
from regsync.template.nodes import Action, Block, Branch, Leave, Step, Text, Use
from regsync.template.pipes import Pipes

_CHAINED: Final = frozenset({"if", "with"})  # what may stand behind `else`, in its own kind of block


def parse(text: str, functions: Collection[str]) -> Mapping[str, Block]:
    """Return the named templates of a text, itself under the empty name; `BadTemplate` if it is none."""
    return _Parser(text, functions).parse()


class _Parser:
    """Reads one text."""

    def __init__(self, text: str, functions: Collection[str]) -> None:
        self._words = Words(tokens(text))
        self._pipes = Pipes(self._words, functions)
        self._ranges = 0
        self._blocks: dict[str, Block] = {}

    def parse(self) -> Mapping[str, Block]:
        steps: list[Step] = []
        while self._words.peek().kind != "end of text":
            if self._words.peek().kind == "define":
                self._define()
            else:
                steps.append(self._step())
        self._add("", tuple(steps), 0)
        return self._blocks

    def _add(self, name: str, block: Block, at: int) -> None:
        """Keep a named template; an empty one never stands in the way of another."""
        known = self._blocks.get(name, ())
        if _is_empty(known):
            self._blocks[name] = block
        elif not _is_empty(block):
            raise BadTemplate("a second template of this name", at=at)

    def _block(self, *ends: str) -> tuple[Block, str]:
        """Read steps up to one of these words, and return both; the word's own braces are still to be read."""
        steps: list[Step] = []
        with self._words.deeper():
            while self._words.peek().kind not in ends:
                steps.append(self._step())
        return tuple(steps), self._words.take().kind

    def _closed(self) -> Block:
        """Read steps up to `{{ end }}`."""
        block, _ = self._block("end")
        self._words.take("close")
        return block

    def _step(self) -> Step:
        token = self._words.peek()
        if token.kind == "outside":
            return Text(self._words.take().text)
        read = _STEPS.get(token.kind)
        if read is None:
            return Action(self._pipes.pipeline())
        self._words.take()
        return read(self, token.kind, token.at)

    def _branch(self, word: str, at: int) -> Branch:
        """Read an `if`, `with` or `range` up to its `{{ end }}`."""
        self._ranges += word == "range"
        with self._pipes.scope():
            pipe = self._pipes.pipeline(variables=2 if word == "range" else 1)
            body, end = self._block("end", "else")
            self._ranges -= word == "range"
            otherwise = self._otherwise(word) if end == "else" else ()
            if end == "end":
                self._words.take("close")
        return Branch(word, at, pipe, body, otherwise)

    def _otherwise(self, word: str) -> Block:
        """Read what stands between `else` and `{{ end }}`; one end ends a whole chain of `else if`."""
        token = self._words.peek()
        if token.kind == word and word in _CHAINED:
            self._words.take()
            with self._words.deeper():
                return (self._branch(word, token.at),)
        self._words.take("close")
        return self._closed()

    def _define(self) -> None:
        at = self._words.take().at
        name = self._name()
        self._words.take("close")
        with self._pipes.fresh():
            self._add(name, self._closed(), at)

    def _defined(self, _word: str, at: int) -> Use:
        """Read a `block`, which defines a template and uses it."""
        name = self._name()
        pipe = self._pipes.pipeline()
        with self._pipes.fresh():
            self._add(name, self._closed(), at)
        return Use(at, name, pipe)

    def _use(self, _word: str, at: int) -> Use:
        name = self._name()
        if self._words.peek().kind == "close":
            self._words.take()
            return Use(at, name, None)
        return Use(at, name, self._pipes.pipeline())

    def _name(self) -> str:
        token = self._words.take("text")
        return quoted(token.text, token.at)

    def _leave(self, word: str, at: int) -> Leave:
        if not self._ranges:
            raise BadTemplate(f"{word} outside range", at=at)
        self._words.take("close")
        return Leave(word)

    def _out_of_place(self, word: str, at: int) -> Step:
        raise BadTemplate(f"{word} without a block that it belongs to", at=at)


def _is_empty(block: Block) -> bool:
    return all(isinstance(step, Text) and not step.text.strip() for step in block)


_STEPS: Final[Mapping[str, Callable[[_Parser, str, int], Step]]] = {
    "if": _Parser._branch,  # noqa: SLF001
    "with": _Parser._branch,  # noqa: SLF001
    "range": _Parser._branch,  # noqa: SLF001
    "template": _Parser._use,  # noqa: SLF001
    "block": _Parser._defined,  # noqa: SLF001
    "break": _Parser._leave,  # noqa: SLF001
    "continue": _Parser._leave,  # noqa: SLF001
    "end": _Parser._out_of_place,  # noqa: SLF001
    "else": _Parser._out_of_place,  # noqa: SLF001
}
