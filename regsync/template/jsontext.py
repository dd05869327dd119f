"""Values as JSON, as Go's encoding/json writes them without escaping for HTML."""

from __future__ import annotations

import math
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.numbers import shortest
from regsync.template.quoting import for_json
from regsync.template.values import Map, Pointer, Slice, Struct, Value, is_true

_STEP: Final = "  "
_LOW, _HIGH = -6, 21  # powers of ten below and from which numbers have an exponent


def json_text(value: Value) -> str:
    """Return a value on one line."""
    return _written(value, "", "")


def json_pretty(value: Value) -> str:
    """Return a value on lines of their own for what it holds."""
    return _written(value, "\n", _STEP)


def _written(value: Value, line: str, step: str) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(int(value))
        case float():
            return _fraction(value)
        case str():
            return for_json(value)
        case Pointer():
            return _written(value.to, line, step)
        case Struct() if callable(value.kind.json):
            return value.kind.json(value.of)
        case _:
            return _composed(value, line, step)


def _composed(value: Value, line: str, step: str) -> str:
    inner = line + step
    colon = ": " if line else ":"
    match value:
        case Slice() | Map() if value.nil:
            return "null"
        case Slice():
            return _around("[]", [_written(item, inner, step) for item in value.items], line, inner)
        case Map():
            pairs = [f"{for_json(key)}{colon}{for_json(value.items[key])}" for key in sorted(value.items)]
            return _around("{}", pairs, line, inner)
        case Struct(kind=kind) if not callable(kind.json):
            pairs = []
            for name, get in kind.fields.items():
                shown, _, omitted = kind.json.get(name, name).partition(",")
                field = get(value.of)
                if not omitted or is_true(field):
                    pairs.append(f"{for_json(shown)}{colon}{_written(field, inner, step)}")
            return _around("{}", pairs, line, inner)
        case _:
            raise BadTemplate("json: a value that JSON does not have")


def _around(brackets: str, items: list[str], line: str, inner: str) -> str:
    if not items:
        return brackets
    return f"{brackets[0]}{inner}{f',{inner}'.join(items)}{line}{brackets[1]}"


def _fraction(number: float) -> str:
    if not math.isfinite(number):
        raise BadTemplate("json: a number that JSON does not have")
    return shortest(number, low=_LOW, high=_HIGH).replace("e-0", "e-")
