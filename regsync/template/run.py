"""A template run: its blocks, step by step, with the pipelines between them. Steps and what they make are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.nodes import Action, Block, Branch, Leave, Pipe, Step, Text, Use
from regsync.template.pipelines import Pipelines
from regsync.template.printing import plain
from regsync.template.values import LARGEST, Map, Pointer, Slice, Value, is_true, type_name
from regsync.template.world import World

_DEPTH_MAX: Final = 100  # levels of blocks inside blocks, named templates included


class Run:
    """One run over one value; `text` is what it made."""

    def __init__(self, blocks: Mapping[str, Block], data: Value, world: World) -> None:
        self._blocks = blocks
        self._pipelines = Pipelines(world)
        self._made: list[str] = []
        self._room = LARGEST
        self._depth = 0
        self._named("", data)

    @property
    def text(self) -> str:
        """Return what was written."""
        return "".join(self._made)

    def _named(self, name: str, data: Value) -> None:
        """Run a named template, which sees none of its user's variables."""
        with self._pipelines.fresh(data):
            self._block(self._blocks[name], data)

    def _block(self, steps: Block, dot: Value) -> str:
        """Run steps; return `break` or `continue` if one of them ended it, else nothing."""
        for step in steps:
            self._pipelines.spend(1)
            leave = self._step(step, dot)
            if leave:
                return leave
        return ""

    def _step(self, step: Step, dot: Value) -> str:
        match step:
            case Text():
                self._write(step.text)
            case Action():
                value = self._pipelines.value(step.pipe, dot)
                if not step.pipe.names:
                    self._write(plain(value))
            case Branch():
                with self._deeper(step.at), self._pipelines.scope():
                    return self._range(step, dot) if step.word == "range" else self._choose(step, dot)
            case Use():
                self._use(step, dot)
            case Leave():
                return step.word
        return ""

    def _write(self, text: str) -> None:
        self._room -= len(text)
        if self._room < 0:
            raise BadTemplate(f"more than {LARGEST} characters come out")
        self._made.append(text)

    @contextmanager
    def _deeper(self, at: int) -> Iterator[None]:
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise BadTemplate(f"nested deeper than {_DEPTH_MAX} levels when it runs", at=at)
        yield
        self._depth -= 1

    def _choose(self, branch: Branch, dot: Value) -> str:
        """Run an `if` or a `with`."""
        value = self._pipelines.value(branch.pipe, dot, asked=True)
        if not is_true(value):
            return self._block(branch.otherwise, dot)
        return self._block(branch.body, value if branch.word == "with" else dot)

    def _range(self, branch: Branch, dot: Value) -> str:
        value = self._pipelines.value(branch.pipe, dot, sets=False)
        ran = False
        for index, item in _items(value, branch.pipe):
            ran = True
            self._pipelines.spend(1)
            with self._pipelines.scope():
                self._pipelines.set_range(branch.pipe, index, item)
                if self._block(branch.body, item) == "break":
                    break
        return "" if ran else self._block(branch.otherwise, dot)

    def _use(self, use: Use, dot: Value) -> None:
        if use.name not in self._blocks:
            raise BadTemplate("no such template", f'"{use.name}"', at=use.at)
        data = self._pipelines.value(use.pipe, dot) if use.pipe is not None else None
        with self._deeper(use.at):
            self._named(use.name, data)


def _items(value: Value, pipe: Pipe) -> Iterable[tuple[Value, Value]]:
    """Return what `range` goes through, each with its index or key."""
    value = value.to if isinstance(value, Pointer) else value
    match value:
        case None:
            return ()
        case Slice():
            return enumerate(value.items)
        case Map():
            return ((key, value.items[key]) for key in sorted(value.items))
        case int() if not isinstance(value, bool):
            if len(pipe.names) > 1:
                raise BadTemplate("range: a number has no second variable", at=pipe.at)
            return ((type(value)(number), type(value)(number)) for number in range(value))
        case _:
            raise BadTemplate("range: not a list, map or number", type_name(value), at=pipe.at)
