"""The functions that a template can call: those of Go's text/template, and those that regsync adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote_plus

from regsync.errors import BadTemplate
from regsync.template.comparing import COMPARING
from regsync.template.indexing import INDEXING
from regsync.template.jsontext import json_pretty, json_text
from regsync.template.moments import moment_of
from regsync.template.printf import joined, printf, sprint, sprintln
from regsync.template.printing import plain
from regsync.template.quoting import for_html, for_javascript
from regsync.template.reading import parsed
from regsync.template.times import time_of
from regsync.template.values import (
    LONGEST,
    Function,
    Kind,
    Map,
    Pointer,
    Slice,
    Struct,
    Value,
    is_true,
    octets,
)
from regsync.template.world import World

_SPACE: Final = " \t\n\v\f\r\x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))


def _default(fallback: Value, value: Value) -> Value:
    match value:
        case None | Pointer(to=None):
            return fallback
        case Slice() | Map() | Struct(kind=Kind(is_zero=None)):
            raise BadTemplate("default: lists, maps and what holds them cannot be compared with nothing")
        case Struct():
            zero = value.kind.is_zero is not None and value.kind.is_zero(value.of)
            return fallback if zero else value
        case _:
            return value if is_true(value) else fallback


def _split(text: str, separator: str) -> Slice:
    if (text.count(separator) if separator else len(text)) > LONGEST:
        raise BadTemplate(f"split: more than {LONGEST} parts")
    return Slice(tuple(text.split(separator) if separator else text))


def _join(parts: Slice, separator: str) -> str:
    return joined([str(part) for part in parts.items], separator)


def _lower(text: str) -> str:
    return "".join(character.lower()[0] for character in text)


def _upper(text: str) -> str:
    """In Go the upper case of a character is one character, or it has none."""
    return "".join(character.upper() if len(character.upper()) == 1 else character for character in text)


def _pretty(value: Value) -> str:
    if isinstance(value, Struct) and value.kind.pretty is not None:
        return value.kind.pretty(value.of)
    return json_pretty(value) + "\n"


def _call(*_: Value) -> Value:
    raise BadTemplate("call: not a function")


def _text_of(arguments: tuple[Value, ...]) -> str:
    if len(arguments) == 1 and isinstance(arguments[0], str):
        return arguments[0]
    return sprint(*(plain(one) if one is None or isinstance(one, Pointer) else one for one in arguments))


def _env(world: World, name: str) -> str:
    value = world.env(name)
    if value is None:
        world.unset(name)
    return value or ""


def _file(world: World, path: str) -> str:
    return world.file(path).strip(_SPACE)


_TIME: Final = Kind(
    "template.TimeFuncs",
    methods={
        "Now": Function(lambda world: time_of(moment_of(world.now()))),
        "Parse": Function(lambda _, layout, text: time_of(parsed(layout, text)), ("string", "string")),
    },
)

# Those that need the world get it before what they are given.
OF_THE_WORLD: Final[Mapping[str, Function]] = {
    "env": Function(_env, ("string",)),
    "file": Function(_file, ("string",)),
    "time": Function(lambda world: Pointer(Struct(_TIME, world), _TIME.name)),
}
FUNCTIONS: Final[Mapping[str, Function]] = {
    **COMPARING,
    **INDEXING,
    **OF_THE_WORLD,
    "and": Function(lambda *_: None, ("any",), rest="any"),  # the evaluator looks at one after another
    "or": Function(lambda *_: None, ("any",), rest="any"),
    "not": Function(lambda value: not is_true(value), ("any",)),
    "call": Function(_call, ("any",), rest="any"),
    "print": Function(sprint, rest="any"),
    "println": Function(sprintln, rest="any"),
    "printf": Function(printf, ("string",), rest="any"),
    "html": Function(lambda *values: for_html(_text_of(values)), rest="any"),
    "js": Function(lambda *values: for_javascript(_text_of(values)), rest="any"),
    "urlquery": Function(lambda *values: quote_plus(octets(_text_of(values))), rest="any"),
    "default": Function(_default, ("any", "any")),
    "join": Function(_join, ("[]string", "string")),
    "split": Function(_split, ("string", "string")),
    "json": Function(lambda value: json_text(value) + "\n", ("any",)),
    "jsonPretty": Function(lambda value: json_pretty(value) + "\n", ("any",)),
    "printPretty": Function(_pretty, ("any",)),
    "lower": Function(_lower, ("string",)),
    "upper": Function(_upper, ("string",)),
    "trimSpace": Function(lambda text: text.strip(_SPACE), ("string",)),
}
