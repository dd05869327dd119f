"""What a template is read into: blocks of steps, whose pipelines are made of commands, whose words are operands.

`at` is where something stands in the text, in characters from 0.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A text or a boolean."""

    at: int
    value: str | bool


@dataclass(frozen=True, slots=True)
class Number:
    """A number whose type depends on who takes it; `whole` is None if it has a fraction or is too large.

    `value` is what it is where nobody says: an int, or a float for what was written with a point or an exponent.
    """

    at: int
    whole: int | None
    value: int | float


@dataclass(frozen=True, slots=True)
class Nil:
    """The word `nil`."""

    at: int


@dataclass(frozen=True, slots=True)
class Dot:
    """What the template is about at this place."""

    at: int


@dataclass(frozen=True, slots=True)
class Field:
    """`.A.B`, fields or methods of the dot."""

    at: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """`$x.A.B`; of `$` alone the name is `$`."""

    at: int
    name: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Name:
    """The name of a function."""

    at: int
    name: str


@dataclass(frozen=True, slots=True)
class Chain:
    """Fields or methods of what a function or a pipeline in parentheses gives."""

    at: int
    of: Operand
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pipe:
    """Commands, each handing its value on as the last argument of the next; the last value goes to `names`."""

    at: int
    commands: tuple[Command, ...]
    names: tuple[str, ...] = ()
    assigns: bool = False  # to variables that are there, else they are new


@dataclass(frozen=True, slots=True)
class Command:
    """An operand, and what it is given."""

    at: int
    words: tuple[Operand, ...]


Operand = Constant | Number | Nil | Dot | Field | Variable | Name | Chain | Pipe


@dataclass(frozen=True, slots=True)
class Text:
    """What stands outside the braces."""

    text: str


@dataclass(frozen=True, slots=True)
class Action:
    """`{{ pipeline }}`."""

    pipe: Pipe


@dataclass(frozen=True, slots=True)
class Branch:
    """`if`, `with` or `range`."""

    word: str
    at: int
    pipe: Pipe
    body: Block
    otherwise: Block


@dataclass(frozen=True, slots=True)
class Use:
    """`template "name" pipeline`."""

    at: int
    name: str
    pipe: Pipe | None


@dataclass(frozen=True, slots=True)
class Leave:
    """`break` or `continue`."""

    word: str


Step = Text | Action | Branch | Use | Leave
Block = tuple[Step, ...]
