"""Pipelines evaluated: operands, fields and methods, calls, and variables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.functions import FUNCTIONS, OF_THE_WORLD
from regsync.template.nodes import Chain, Command, Constant, Dot, Field, Name, Nil, Number, Operand, Pipe, Variable
from regsync.template.times import kind_of
from regsync.template.values import (
    LARGEST,
    Duration,
    Function,
    Map,
    Pointer,
    Slice,
    Struct,
    Value,
    is_true,
    type_name,
)
from regsync.template.world import World

STEPS_MAX: Final = 100_000  # a template that takes more is taken for one that never ends
_PIECE: Final = 100  # characters or items that cost as much as a step
_WHOLE: Final = {"int": int, "time.Duration": Duration}
_ASKING: Final = frozenset({"default", "and", "or", "not", "eq", "ne"})  # for which nothing is an answer, too
_ABSENT: Final = object()


class Pipelines:
    """Evaluates pipelines, and knows the variables that are in sight."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._variables: list[tuple[str, Value]] = []
        self._asking = 0  # how many around us take nothing for an answer
        self._left = STEPS_MAX

    def spend(self, steps: int) -> None:
        """Count steps; `BadTemplate` when there were too many."""
        self._left -= steps
        if self._left < 0:
            raise BadTemplate(f"not at its end after {STEPS_MAX} steps")

    @contextmanager
    def fresh(self, data: Value) -> Iterator[None]:
        """Begin a template of its own, which knows no variable but `$`."""
        outer, self._variables = self._variables, [("$", data)]
        yield
        self._variables = outer

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Forget at the end the variables that are declared meanwhile."""
        known = len(self._variables)
        yield
        del self._variables[known:]

    def value(self, pipe: Pipe, dot: Value, *, asked: bool = False, sets: bool = True) -> Value:
        """Return the value of a pipeline, and set its variables; `asked`: only whether there is one matters."""
        value: Value = _ABSENT
        for position, command in enumerate(pipe.commands):
            rest = pipe.commands[position + 1 :]
            asking = asked or any(isinstance(one.words[0], Name) and one.words[0].name in _ASKING for one in rest)
            self._asking += asking
            value = self._command(command, dot, value)
            self._asking -= asking
        if sets:
            for name in pipe.names:
                self._set(name, value, pipe)
        return value

    def set_range(self, pipe: Pipe, index: Value, item: Value) -> None:
        """Set the variables of a `range`: of one it is the item, of two the first is the index."""
        for name, value in zip(pipe.names, (item,) if len(pipe.names) == 1 else (index, item), strict=False):
            self._set(name, value, pipe)

    def _set(self, name: str, value: Value, pipe: Pipe) -> None:
        if not pipe.assigns:
            self._variables.append((name, value))
            return
        self._variables[self._place(name, pipe.at)] = (name, value)

    def _place(self, name: str, at: int) -> int:
        for place in range(len(self._variables) - 1, -1, -1):
            if self._variables[place][0] == name:
                return place
        raise BadTemplate("no such variable", name, at=at)

    def _command(self, command: Command, dot: Value, last: Value) -> Value:
        first, *given = command.words
        self.spend(1)
        match first:
            case Name():
                return self._function(first, given, dot, last)
            case Field():
                return self._fields(dot, first.names, first.at, given, dot, last)
            case Variable(names=()) | Pipe():
                pass
            case Variable():
                return self._fields(self._variable(first), first.names, first.at, given, dot, last)
            case Chain():
                return self._fields(self._operand(first.of, dot), first.names, first.at, given, dot, last)
            case Nil():
                raise BadTemplate("nil is not a command", at=first.at)
            case _:
                pass
        if given or last is not _ABSENT:
            raise BadTemplate("arguments for what is no function", at=first.at)
        return self._operand(first, dot)

    def _operand(self, word: Operand, dot: Value) -> Value:
        """Return the value of a word that is given nothing."""
        match word:
            case Constant() | Number():
                return word.value
            case Dot():
                return dot
            case Nil():
                return None
            case Name():
                return self._function(word, (), dot, _ABSENT)
            case Field():
                return self._fields(dot, word.names, word.at, (), dot, _ABSENT)
            case Variable(names=()):
                return self._variable(word)
            case Variable():
                return self._fields(self._variable(word), word.names, word.at, (), dot, _ABSENT)
            case Chain():
                return self._fields(self._operand(word.of, dot), word.names, word.at, (), dot, _ABSENT)
            case Pipe():
                return self.value(word, dot)

    def _variable(self, word: Variable) -> Value:
        return self._variables[self._place(word.name, word.at)][1]

    def _fields(
        self, of: Value, names: Sequence[str], at: int, given: Sequence[Operand], dot: Value, last: Value
    ) -> Value:
        """Return a field of a field; what is given goes to the last."""
        for name in names[:-1]:
            of = self._field(of, name, at, (), dot, _ABSENT)
        return self._field(of, names[-1], at, given, dot, last)

    def _field(self, of: Value, name: str, at: int, given: Sequence[Operand], dot: Value, last: Value) -> Value:
        if isinstance(of, Pointer):
            if of.to is None:
                raise BadTemplate("a field of nil", name, at=at, by_value=True)
            of = of.to
        if of is None:
            return None
        kind = kind_of(of)
        method = kind.methods.get(name) if kind is not None else None
        if method is not None:
            first = of.of if isinstance(of, Struct) else of
            return self._call(method, name, at, (first,), given, dot, last)
        if isinstance(of, Map) or (isinstance(of, Struct) and name in of.kind.fields):
            if given or last is not _ABSENT:
                raise BadTemplate("arguments for a field", name, at=at)
            return of.items.get(name) if isinstance(of, Map) else of.kind.fields[name](of.of)
        raise _no_field(of, name, at)

    def _function(self, word: Name, given: Sequence[Operand], dot: Value, last: Value) -> Value:
        name = word.name
        asking = name in _ASKING
        self._asking += asking
        if name in {"and", "or"}:
            value = self._first(word, given, dot, last)
        else:
            of = (self._around(),) if name in OF_THE_WORLD else ()
            value = self._call(FUNCTIONS[name], name, word.at, of, given, dot, last)
        self._asking -= asking
        return value

    def _around(self) -> World:
        """Return the world, which hears of a variable that is not set unless nothing is an answer, too."""
        return replace(self._world, unset=lambda _: None) if self._asking else self._world

    def _first(self, word: Name, given: Sequence[Operand], dot: Value, last: Value) -> Value:
        """Return the first that decides an `and` or `or`, and look no further; else the last."""
        value: Value = last
        for operand in given:
            value = self._argument(operand, "any", dot)
            if is_true(value) == (word.name == "or"):
                return value
        if value is _ABSENT:
            raise BadTemplate(f"{word.name} wants at least 1 argument, gets 0", at=word.at)
        return value if last is _ABSENT else last

    def _call(
        self,
        function: Function,
        name: str,
        at: int,
        of: tuple[object, ...],
        given: Sequence[Operand],
        dot: Value,
        last: Value,
    ) -> Value:
        """Call a function or method; the value of the command before comes last."""
        takes = function.takes
        count = len(given) + (last is not _ABSENT)
        if count < len(takes) or (count > len(takes) and not function.rest):
            least = "at least " if function.rest else ""
            s = "" if len(takes) == 1 else "s"
            raise BadTemplate(f"{name} wants {least}{len(takes)} argument{s}, gets {count}", at=at)
        kinds = [*takes, *(function.rest for _ in range(count - len(takes)))]
        arguments = [self._argument(operand, kind, dot) for operand, kind in zip(given, kinds, strict=False)]
        if last is not _ABSENT:
            arguments.append(_checked(last, kinds[-1], at))
        try:
            value = function.call(*of, *arguments)
        except BadTemplate as error:
            error.at = at if error.at < 0 else error.at
            raise
        if isinstance(value, str) and len(value) > LARGEST:
            raise BadTemplate(f"more than {LARGEST} characters are made", at=at)
        if isinstance(value, str | Slice):
            self.spend(len(value if isinstance(value, str) else value.items) // _PIECE)
        return value

    def _argument(self, operand: Operand, kind: str, dot: Value) -> Value:
        """Return an operand as an argument of this type; constants fit where Go's do."""
        match operand:
            case Number() if kind in _WHOLE:
                if operand.whole is None:
                    raise BadTemplate("a whole number is wanted here", at=operand.at)
                return _WHOLE[kind](operand.whole)
            case Number() if kind != "any":
                raise BadTemplate(f"{kind} is wanted here, not a number", at=operand.at)
            case Nil() if kind != "any":
                raise BadTemplate(f"{kind} is wanted here, not nil", at=operand.at)
            case _:
                return _checked(self._operand(operand, dot), kind, operand.at)


def _checked(value: Value, kind: str, at: int) -> Value:
    """Return a value that is of a type, or points to one that is."""
    if kind == "any" or type_name(value) == kind:
        return value
    if isinstance(value, Pointer) and value.of == kind and value.to is not None:
        return value.to
    raise BadTemplate(f"{kind} is wanted here, not {type_name(value)}", at=at)


def _no_field(of: Value, name: str, at: int) -> BadTemplate:
    kind = kind_of(of)
    known = [*kind.fields, *kind.methods] if kind is not None else []
    near = get_close_matches(name[:40], known, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return BadTemplate(f"no such field in {type_name(of)}", f'"{name}"{hint}', at=at)
