"""What a word in the YAML means: YAML 1.2 scalars, and how each becomes the type its key wants.

Home of the conversions because they are a contract of their own: files written for the Go regsync rely on `3.10` being
read as the number 3.1, on `yes` being text, on `010` being octal. A plain scalar that is not text stays a `Plain`
until the key it stands under says what it wants, so that text can still be made of it and a message can name its place.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from regsync.duration import parse_duration
from regsync.errors import Malformed

_LONGEST_NUMBER: Final = 64  # characters; whatever is longer is nobody's number
_INT_MAX: Final = (1 << 63) - 1
_WORDS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FIRST_OF_A_NUMBER: Final = frozenset("0123456789+-.")
_INT: Final = re.compile(r"([-+]?)(0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+|0[0-7]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_NUMBER: Final = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?")
_BARE: Final = re.compile(r"(?:0|[1-9][0-9]{0,9})(?:\.[0-9]+)?")
_SIZE: Final = re.compile(r"([0-9]{1,9}) ?([kmgt])(i?)b?", re.IGNORECASE)
_POWERS: Final = "kmgt"
_DIGITS: Final = re.compile(r"[-+]?[0-9]+")
_BASES: Final = {"x": 16, "o": 8, "b": 2}
_TRUE: Final = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE: Final = frozenset({"0", "f", "F", "FALSE", "false", "False"})
SWITCHES: Final = (*sorted(_TRUE), *sorted(_FALSE))
_EXPONENT_BELOW: Final = 1e-4
_EXPONENT_FROM: Final = 1e21
_SHOWN: Final = 80  # characters of a refused value that a message quotes


@dataclass(frozen=True, slots=True)
class Plain:
    """A number or a boolean as it was written; line and column count from 1."""

    value: bool | int | float
    text: str
    line: int = 0
    column: int = 0


def resolve(text: str) -> str | float | bool | None:
    """Return the value of an unquoted scalar by the rules of YAML 1.2, with Go's octal numbers and underscores."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _FIRST_OF_A_NUMBER or len(text) > _LONGEST_NUMBER:
        return text
    bare = text.replace("_", "")
    whole = _INT.fullmatch(bare)
    if whole is not None:
        return -_whole(whole[2]) if whole[1] == "-" else _whole(whole[2])
    return float(bare) if _FLOAT.fullmatch(bare) and math.isfinite(float(bare)) else text


def to_text(value: object) -> str:
    """Return text, also for a number or boolean, in the form Go prints it in."""
    match value:
        case str():
            return value
        case Plain(value=bool()):
            return "true" if value.value else "false"
        case Plain(value=int()):
            return str(value.value)
        case Plain(value=float()):
            return _go_float(value.value)
        case _:
            raise Malformed(f"expected text, found {kind_of(value)}")


def to_bool(value: object) -> bool:
    """Return a boolean; only an unquoted true or false is one (YAML 1.2: `yes` and `on` are text)."""
    if isinstance(value, Plain) and isinstance(value.value, bool):
        return value.value
    raise Malformed(f"expected true or false, found {shown(value)}")


def to_int(value: object) -> int:
    """Return a whole number; fractions are cut off, and text will do if it is a number."""
    number: int | float
    match value:
        case Plain(value=bool()):
            raise _not_a("whole number", value)
        case Plain():
            number = value.value
        case str() if _DIGITS.fullmatch(value) and len(value) <= _LONGEST_NUMBER:
            number = int(value)
        case str() if size := _SIZE.fullmatch(value):
            count = int(size[1]) * (1024 if size[3] else 1000) ** (_POWERS.index(size[2].lower()) + 1)
            raise Malformed(f"{shown(value)} is not a number; there are no units, write {count}")
        case _:
            number = to_float(value)
    if abs(number) > _INT_MAX:
        raise _not_a("whole number of at most 64 bits", value)
    return int(number)


def to_count(value: object) -> int:
    """Return a whole number that counts something, so none below zero."""
    number = to_int(value)
    if number < 0:
        raise Malformed(f"expected a whole number from 0 up, found {shown(value)}")
    return number


def to_float(value: object) -> float:
    """Return a number; text will do if it is one."""
    if isinstance(value, Plain) and not isinstance(value.value, bool):
        return float(value.value)
    if isinstance(value, str) and len(value) <= _LONGEST_NUMBER and _NUMBER.fullmatch(value):
        number = float(value)
        if math.isfinite(number):
            return number
    raise _not_a("number", value)


def to_seconds(value: object) -> float:
    """Return the seconds of a Go duration, which must be text: a bare number, even 0, has no unit."""
    written = value.text if isinstance(value, Plain) else value
    if isinstance(written, str) and value != "0" and _BARE.fullmatch(written):
        expected = f"{written}s for seconds, {written}m for minutes" if written != "0" else "0s"
        raise Malformed(f"{shown(value)} is not a duration with units; write {expected}")
    if not isinstance(value, str):
        raise _not_a('duration with units such as "90s" or "1h30m"', value)
    if len(value) > _LONGEST_NUMBER:
        raise _not_a("duration", value)
    return parse_duration(value)


def to_expiry(value: object) -> float:
    """Return the seconds of a duration that may also be a whole number of nanoseconds, as Go's own JSON form is."""
    if isinstance(value, Plain) and type(value.value) is int:
        return value.value / 1e9
    return to_seconds(value)


def to_switch(value: object) -> bool:
    """Return the boolean of a text option (`apiOpts`), which Go reads with `strconv.ParseBool`."""
    text = to_text(value)
    if text not in _TRUE and text not in _FALSE:
        raise Malformed(f"expected true or false, found {shown(value)}")
    return text in _TRUE


def kind_of(value: object) -> str:
    """Return what people call a value of this kind, without telling the value: it may be a secret."""
    match value:
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case None:
            return "nothing"
        case Plain(value=bool()):
            return "a boolean"
        case Plain():
            return "a negative number" if value.value < 0 else "a number"
        case _:
            return "text"


def shown(value: object) -> str:
    """Return a value as a message may quote it: short, and with control characters escaped."""
    if isinstance(value, str):
        text = json.dumps(value[:_SHOWN], ensure_ascii=False)
        return text if text.isprintable() else json.dumps(value[:_SHOWN])
    return value.text[:_SHOWN] if isinstance(value, Plain) else kind_of(value)


def _not_a(what: str, value: object) -> Malformed:
    return Malformed(f"{shown(value)} is not a {what}")


def _whole(digits: str) -> int:
    """Return the value of unsigned digits with a prefix; Go takes a leading zero alone for octal too."""
    base = _BASES.get(digits[1:2].lower())
    if base is not None:
        return int(digits[2:], base)
    return int(digits, 8 if digits.startswith("0") else 10)


def _go_float(number: float) -> str:
    """Return the shortest text that is this number, as Go's `%v` prints it."""
    if number and not _EXPONENT_BELOW <= abs(number) < _EXPONENT_FROM:
        return repr(number)
    text = format(Decimal(repr(number)), "f")
    return text.removesuffix(".0")
