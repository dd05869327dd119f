"""What templates work on: values of Go's types, as far as anything a user can reach has them.

Texts are `str`, in which a byte that is no UTF-8 is a surrogate (as in names of files), `int` is Go's int, `float` its
float64, None is nil and what is not there. Other integers are subclasses of int. Fields and methods are looked up in
the tables of a `Kind`, never with `getattr`: a user types these names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Value = object
LARGEST: Final = 1 << 20  # characters of a text that a template may make
LONGEST: Final = 100_000  # items of a list


class Int64(int):
    """Go's int64."""


class Int32(int):
    """Go's int32, of which a character is one."""


class Uint8(int):
    """Go's uint8, of which texts are made."""


class Duration(int):
    """Nanoseconds."""


class Month(int):
    """January is 1."""


class Weekday(int):
    """Sunday is 0."""


@dataclass(frozen=True, slots=True)
class Function:
    """What can be called: the Go types it takes, and that of any further arguments.

    A method gets what it belongs to first.
    """

    call: Callable[..., Value]
    takes: tuple[str, ...] = ()
    rest: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """A Go type with fields or methods, each got by what stands in a table under its name, in their order.

    `json` holds the names of fields in JSON (`name,omitempty`: none where the field is empty) or makes it all. `text`
    is what such a value prints as and `source` its form under `%#v`, where that is not made of its fields; `pretty` is
    for `printPretty`. `is_zero` is None where values cannot be compared.
    """

    name: str
    fields: Mapping[str, Callable[[Any], Value]] = field(default_factory=dict)
    methods: Mapping[str, Function] = field(default_factory=dict)
    json: Mapping[str, str] | Callable[[Any], str] = field(default_factory=dict)
    text: Callable[[Any], str] | None = None
    source: Callable[[Any], str] | None = None
    pretty: Callable[[Any], str] | None = None
    is_zero: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Struct:
    """A value with the fields and methods that its kind names."""

    kind: Kind
    of: Any


@dataclass(frozen=True, slots=True)
class Slice:
    """A list whose items have one type; a nil one is empty, and yet something else to JSON."""

    items: tuple[Value, ...]
    of: str = "string"
    nil: bool = False


@dataclass(frozen=True, slots=True)
class Map:
    """A map from text to text."""

    items: Mapping[str, str]
    nil: bool = False


@dataclass(frozen=True, slots=True)
class Pointer:
    """A pointer: true unless it is nil, whatever it points to."""

    to: Value
    of: str


_NAMES: Final[dict[type, str]] = {
    type(None): "<nil>",
    str: "string",
    bool: "bool",
    int: "int",
    float: "float64",
    Int64: "int64",
    Int32: "int32",
    Uint8: "uint8",
    Duration: "time.Duration",
    Month: "time.Month",
    Weekday: "time.Weekday",
    Map: "map[string]string",
}


def type_name(value: Value) -> str:
    """Return the name of a value's type, as Go has it."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name
    match value:
        case Slice():
            return f"[]{value.of}"
        case Pointer():
            return f"*{value.of}"
        case Struct():
            return value.kind.name
        case _:
            return type(value).__name__


def is_true(value: Value) -> bool:
    """Say whether `if` takes a value for true: all but zero, empty and nil."""
    match value:
        case Slice() | Map():
            return bool(value.items)
        case Pointer():
            return value.to is not None
        case _:
            return bool(value)


def octets(text: str) -> bytes:
    """Return the bytes of a text."""
    return text.encode(errors="surrogateescape")


def text_of(data: bytes) -> str:
    """Return the text of bytes."""
    return data.decode(errors="surrogateescape")
