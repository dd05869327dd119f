"""`printf`, `print` and `println`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.numbers import PLAIN, Spec
from regsync.template.printing import printed
from regsync.template.values import LARGEST, Value, type_name

_DIGITS: Final = 9  # of a width; whatever is longer is too wide
_DIRECTIVE: Final = re.compile(
    r"%(?P<flags>[#0+\- ]*)(?P<first>\[[^\]]*\])?(?P<width>\*|[0-9]+)?"
    r"(?:(?P<dot>\.)(?P<second>\[[^\]]*\])?(?P<precision>\*|[0-9]+)?)?(?P<third>\[[^\]]*\])?(?P<verb>.)?",
    re.DOTALL,
)


def printf(layout: str, *arguments: Value) -> str:
    """Return the layout with its verbs replaced by the arguments."""
    return _Printing(layout, arguments).text()


def sprint(*arguments: Value) -> str:
    """Return arguments behind each other, with a space between two of which neither is a text."""
    texts: list[str] = []
    was_text = True
    for argument in arguments:
        is_text = isinstance(argument, str)
        if not is_text and not was_text:
            texts.append(" ")
        texts.append(printed(argument, "v", PLAIN))
        was_text = is_text
    return joined(texts)


def sprintln(*arguments: Value) -> str:
    """Return arguments with spaces between them and an end of line."""
    return joined([part for argument in arguments for part in (" ", printed(argument, "v", PLAIN))][1:]) + "\n"


def joined(texts: Sequence[str], between: str = "") -> str:
    """Return texts behind each other, if that is no more than a template may make."""
    if sum(map(len, texts)) + len(between) * len(texts) > LARGEST:
        raise BadTemplate(f"more than {LARGEST} characters are made")
    return between.join(texts)


class _Printing:
    """One `printf` on its way through its arguments."""

    def __init__(self, layout: str, arguments: Sequence[Value]) -> None:
        self._layout = layout
        self._arguments = arguments
        self._at = 0  # of the next argument
        self._well = True  # numbers of arguments named in the directive are fine
        self._reordered = False

    def text(self) -> str:
        parts: list[str] = []
        at = room = 0
        for directive in _DIRECTIVE.finditer(self._layout):
            parts += (self._layout[at : directive.start()], self._directive(directive))
            at = directive.end()
            room += len(parts[-1])
            if room > LARGEST:
                break
        parts.append(self._layout[at:])
        if not self._reordered and self._at < len(self._arguments):
            parts.append(f"%!(EXTRA {', '.join(map(_typed, self._arguments[self._at :]))})")
        return joined(parts)

    def _directive(self, directive: re.Match[str]) -> str:
        spec = _flagged(directive["flags"])
        self._well = True
        before = ""
        self._go_to(directive["first"])
        if directive["width"] == "*":
            before += self._width(spec)
        elif directive["width"]:
            spec.width = _number(directive["width"])
            self._well = self._well and not directive["first"]
        if directive["dot"]:
            self._well = self._well and not (directive["first"] and directive["width"] != "*")
            self._go_to(directive["second"])
            before += self._precision(spec, directive["precision"])
        self._go_to(directive["third"])
        return before + self._verb(directive["verb"], spec)

    def _verb(self, verb: str | None, spec: Spec) -> str:
        if verb is None:
            return "%!(NOVERB)"
        if verb == "%":
            return "%"
        if not self._well:
            return f"%!{verb}(BADINDEX)"
        if self._at >= len(self._arguments):
            return f"%!{verb}(MISSING)"
        argument = self._arguments[self._at]
        self._at += 1
        if verb == "v":
            spec.full, spec.source = spec.plus, spec.sharp
            spec.plus = spec.sharp = False
        return printed(argument, verb, spec)

    def _go_to(self, index: str | None) -> None:
        """Go to the argument whose number is named in brackets."""
        if index is None:
            return
        self._reordered = True
        number = int(index[1:-1]) if re.fullmatch("[0-9]{1,7}", index[1:-1]) else 0
        if 1 <= number <= len(self._arguments):
            self._at = number - 1
        else:
            self._well = False

    def _width(self, spec: Spec) -> str:
        number = self._whole()
        if number is None:
            return "%!(BADWIDTH)"
        if number < 0:
            spec.minus, spec.zero = True, False
        spec.width = abs(number)
        return ""

    def _precision(self, spec: Spec, told: str | None) -> str:
        if told != "*":
            spec.precision = _number(told or "0")
            return ""
        number = self._whole()
        spec.precision = number if number is not None and number >= 0 else None
        return "%!(BADPREC)" if spec.precision is None else ""

    def _whole(self) -> int | None:
        """Return the next argument, if it is a number for a width."""
        if self._at >= len(self._arguments):
            return None
        argument = self._arguments[self._at]
        self._at += 1
        whole = isinstance(argument, int) and not isinstance(argument, bool) and abs(argument) <= LARGEST
        return int(argument) if whole and isinstance(argument, int) else None


def _flagged(flags: str) -> Spec:
    return Spec(plus="+" in flags, minus="-" in flags, sharp="#" in flags, space=" " in flags, zero="0" in flags)


def _number(digits: str) -> int:
    if len(digits) > _DIGITS or int(digits) > LARGEST:
        raise BadTemplate(f"more than {LARGEST} characters are made")
    return int(digits)


def _typed(argument: Value) -> str:
    return "<nil>" if argument is None else f"{type_name(argument)}={printed(argument, 'v', PLAIN)}"
