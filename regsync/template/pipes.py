"""Reads what stands between braces: pipelines of commands, their operands, and the variables in sight."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.constants import character, number, quoted
from regsync.template.lexer import Token, Words, unexpected
from regsync.template.nodes import Chain, Command, Constant, Dot, Field, Name, Nil, Number, Operand, Pipe, Variable

_PLAIN: Final = (Constant, Number, Nil, Dot)


class Pipes:
    """Reads pipelines off a list of words; only these functions are known."""

    def __init__(self, words: Words, functions: Collection[str]) -> None:
        self._words = words
        self._functions = functions
        self._variables = ["$"]

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forget at the end the variables that are declared meanwhile."""
        known = len(self._variables)
        yield
        del self._variables[known:]

    @contextmanager
    def fresh(self) -> Iterator[None]:
        """Begin a template of its own, which knows no variables but `$`."""
        outer, self._variables = self._variables, ["$"]
        yield
        self._variables = outer

    def pipeline(self, end: str = "close", *, variables: int = 1) -> Pipe:
        """Read a pipeline and the `end` behind it; it may set so many variables."""
        at = self._words.peek().at
        names, assigns = self._set(variables)
        commands: list[Command] = []
        while self._words.peek().kind != end:
            commands.append(self._command(end))
        self._words.take()
        if not commands:
            raise BadTemplate("a value is missing", at=at)
        for command in commands[1:]:
            if isinstance(command.words[0], _PLAIN):
                raise BadTemplate("what stands behind | must be a function", at=command.at)
        return Pipe(at, tuple(commands), names, assigns)

    def _set(self, most: int) -> tuple[tuple[str, ...], bool]:
        """Return the variables that a pipeline sets, and whether they are there already."""
        names: list[str] = []
        while self._words.peek().kind == "variable":
            place = self._words.place
            variable = self._words.take()
            mark = self._words.peek()
            if mark.kind not in {":=", "=", ","} or (mark.kind == "," and len(names) == most - 1):
                self._words.place = place
                break
            self._words.take()
            names.append(variable.text)
            if mark.kind == ":=":
                self._variables += names
            if mark.kind != ",":
                return tuple(names), mark.kind == "="
        if names:
            raise unexpected(self._words.peek(), "expected a variable and :=")
        return (), False

    def _command(self, end: str) -> Command:
        at = self._words.peek().at
        words: list[Operand] = []
        while True:
            operand = self._operand()
            if operand is not None:
                words.append(operand)
            token = self._words.peek()
            if token.kind == "|":
                self._words.take()
                break
            if token.kind == end:
                break
            if operand is None or token.glued:
                raise unexpected(token)
        if not words:
            raise BadTemplate("a command is missing", at=at)
        return Command(at, tuple(words))

    def _operand(self) -> Operand | None:
        """Read a word and the fields asked of it, or nothing if no word comes."""
        token = self._words.peek()
        read = _TERMS.get(token.kind)
        if read is None:
            return None
        self._words.take()
        term = read(self, token)
        names: list[str] = []
        while (following := self._words.peek()).kind == "field" and following.glued:
            names.append(self._words.take().text[1:])
        if not names:
            return term
        match term:
            case Field():
                return Field(term.at, (*term.names, *names))
            case Variable():
                return Variable(term.at, term.name, tuple(names))
            case Constant() | Number() | Nil() | Dot():
                raise BadTemplate("a field of what has none", at=term.at)
            case _:
                return Chain(term.at, term, tuple(names))

    def _name(self, token: Token) -> Name:
        if token.text not in self._functions:
            near = get_close_matches(token.text[:40], self._functions, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else ""
            raise BadTemplate("no such function", f'"{token.text}"{hint}', at=token.at)
        return Name(token.at, token.text)

    def _variable(self, token: Token) -> Variable:
        if token.text not in self._variables:
            raise BadTemplate("no such variable", token.text, at=token.at)
        return Variable(token.at, token.text, ())

    def _parenthesised(self, _token: Token) -> Pipe:
        with self._words.deeper(), self.scope():
            return self.pipeline(")")


_TERMS: Final[Mapping[str, Callable[[Pipes, Token], Operand]]] = {
    "name": Pipes._name,  # noqa: SLF001
    "variable": Pipes._variable,  # noqa: SLF001
    "(": Pipes._parenthesised,  # noqa: SLF001
    "field": lambda _, token: Field(token.at, (token.text[1:],)),
    "dot": lambda _, token: Dot(token.at),
    "nil": lambda _, token: Nil(token.at),
    "text": lambda _, token: Constant(token.at, quoted(token.text, token.at)),
    "boolean": lambda _, token: Constant(token.at, token.text == "true"),
    "number": lambda _, token: number(token.text, token.at),
    "character": lambda _, token: character(token.text, token.at),
}
