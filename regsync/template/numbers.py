"""Numbers as the verbs of Go's `fmt` write them: by flags, width and precision, and with the padding they ask for."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from regsync.template.quoting import quoted_character

WHOLE: Final = frozenset("dboOxXcqU")
FRACTIONS: Final = frozenset("eEfFgGxX")
_BASES: Final = {"d": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "o": "0", "x": "0x", "X": "0X"}
_POINTS: Final = 0x10FFFF  # the last code point
_LOW, _HIGH = -4, 6  # powers of ten below and from which `%v` writes an exponent


@dataclass(slots=True)
class Spec:
    """What stands between `%` and the verb; `full` is `%+v`, `source` is `%#v`."""

    plus: bool = False
    minus: bool = False
    sharp: bool = False
    space: bool = False
    zero: bool = False
    width: int | None = None
    precision: int | None = None
    full: bool = False
    source: bool = False

    def padded(self, text: str, *, zero: bool | None = None) -> str:
        """Return a text filled up to the width."""
        if self.width is None or len(text) >= self.width:
            return text
        if self.minus:
            return text.ljust(self.width)
        return text.rjust(self.width, "0" if (self.zero if zero is None else zero) else " ")


PLAIN: Final = Spec()


def whole_text(number: int, verb: str, spec: Spec) -> str:
    """Return an integer written with one of the verbs for these."""
    if verb in "cqU":
        return _character(number, verb, spec)
    digits = format(abs(number), _BASES[verb])
    sign = "-" if number < 0 else "+" if spec.plus else " " if spec.space else ""
    if spec.precision is not None:
        if not spec.precision and not number:
            return spec.padded("", zero=False)
        digits = digits.zfill(spec.precision)
    elif spec.zero and not spec.minus and spec.width is not None:
        digits = digits.zfill(spec.width - len(sign))
    if spec.sharp and verb in _PREFIXES and not (verb == "o" and digits[0] == "0"):
        digits = _PREFIXES[verb] + digits
    return spec.padded(f"{sign}{'0o' if verb == 'O' else ''}{digits}", zero=False)


def _character(number: int, verb: str, spec: Spec) -> str:
    shown = chr(number) if 0 <= number <= _POINTS and not 0xD800 <= number <= 0xDFFF else "\ufffd"
    if verb == "c":
        return spec.padded(shown)
    if verb == "q":
        return spec.padded(quoted_character(shown, ascii_only=spec.plus))
    digits = f"{number & (1 << 64) - 1:X}".zfill(max(4, spec.precision or 0))
    tail = f" '{shown}'" if spec.sharp and 0 <= number <= _POINTS and shown.isprintable() else ""
    return spec.padded(f"U+{digits}{tail}", zero=False)


def fraction_text(number: float, verb: str, spec: Spec) -> str:
    """Return a float64 written with one of the verbs for these."""
    sign = "-" if math.copysign(1, number) < 0 else "+" if spec.plus else " " if spec.space else ""
    if math.isnan(number):
        return spec.padded(f"{sign.replace('-', '')}NaN", zero=False)
    if math.isinf(number):
        return spec.padded(f"{sign or '+'}Inf", zero=False)
    text = _unsigned(abs(number), verb, spec)
    if sign and spec.zero and not spec.minus and spec.width is not None:
        return sign + text.zfill(spec.width - 1)
    return spec.padded(sign + text)


def _unsigned(number: float, verb: str, spec: Spec) -> str:
    if verb in "xX":
        mantissa, _, power = number.hex().partition("p")
        text = f"{mantissa.rstrip('0').rstrip('.') if number else '0x0'}p{int(power):+03}"
        return text.upper() if verb == "X" else text
    alternate = "#" if spec.sharp else ""
    if verb in "gG" and spec.precision is None and not spec.sharp:
        text = shortest(number)
        return text.upper() if verb == "G" else text
    precision = 6 if spec.precision is None else spec.precision
    return format(number, f"{alternate}.{precision}{verb}")


def shortest(number: float, *, low: int = _LOW, high: int = _HIGH) -> str:
    """Return the shortest text that is this number, with an exponent below and from these powers of ten."""
    written = Decimal(repr(number))
    digits = written.normalize().as_tuple().digits
    power = written.adjusted()
    if not number or low <= power < high:
        return format(written, "f").removesuffix(".0")
    sign = "-" if number < 0 else ""
    figures = "".join(map(str, digits))
    fraction = f".{figures[1:]}" if len(figures) > 1 else ""
    return f"{sign}{figures[0]}{fraction}e{power:+03}"
