"""Patterns for whole names, in RE2 (BEHAVIOUR 3.4).

RE2 because patterns and names come from different people: matching takes linear time whatever either of them wrote.
The Go regsync wraps a pattern as `^pattern$` without a group and looks for that anywhere in a name, so its `a|b` also
takes `ab` and `xb`; here every pattern matches the whole name. What a pattern begins with, if it is a quantifier,
applies to that `^` there, so that `*-windows` takes whatever ends so: that it does here, too.
"""

from __future__ import annotations

import re
from typing import Final

import re2

from regsync.errors import Malformed

_TOKEN: Final = re.compile(
    r"\\Q.*?(?:\\E|\Z) | \\. | \[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\] | .", re.DOTALL | re.VERBOSE
)
_QUANTIFIED: Final = re.compile(r"((?:\(\?[A-Za-z-]+\))*)(\*|\+|\?|\{([0-9]{1,4})(?:,[0-9]*)?\})\??(.*)", re.DOTALL)
_LOOKS: Final = re.compile(r"\(\?(?:<?[=!])")
_ANY_END: Final = ([".", "*"], [".", "+"])


class AnyOf:
    """Patterns of which one has to match a whole name, tried all at once."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        written = [as_written(pattern) for pattern in patterns]
        self._alone: list[re2._Regexp[str]] = []
        self._set = re2.Set.FullMatchSet(_options())
        try:
            for pattern in written:
                self._set.Add(pattern)
            self._set.Compile()
        except re2.error:  # each is fine, and all of them are too much for one machine
            self._alone = [re2.compile(pattern, _options()) for pattern in written]

    def matches(self, name: str) -> bool:
        """Say whether one of the patterns matches this name."""
        if self._alone:
            return any(pattern.fullmatch(name) for pattern in self._alone)
        return bool(self._set.Match(name))


def as_written(pattern: str) -> str:
    """Return a pattern with what a quantifier at its beginning means: any beginning, or nothing."""
    found = _QUANTIFIED.fullmatch(pattern)
    if found is None:
        return pattern
    flags, quantifier, least, rest = found.groups()
    return f"{flags}{'.*' if quantifier in '*?' or (least and not int(least)) else ''}{rest}"


def check_pattern(pattern: str) -> str:
    """Return what its author should know of a pattern, nothing if it means the same in the Go regsync.

    Raise `Malformed` for what RE2 does not take: look-around, back-references, unbalanced groups.
    """
    if r"\C" in pattern:  # a single byte: RE2's C++ takes it, Go's does not
        raise Malformed(r"the pattern has \C, which matches half a character")
    written = as_written(pattern)
    for text in (f"^{pattern}$", written):
        try:
            re2.compile(text, _options())
        except re2.error as error:
            reason = error.args[0] if error.args else error
            said = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
            hint = "; it has no look-around: say with deny what is left out" if _LOOKS.search(pattern) else ""
            raise Malformed(f"the pattern is not RE2 syntax: {said}{hint}") from error
    return _difference(pattern, written)


def _difference(pattern: str, written: str) -> str:
    """Say what is read otherwise in the Go regsync, or not as it is written, and what to write instead."""
    alternatives = _alternatives(pattern)
    last = "".join(alternatives[-1][-1:])
    if last.startswith(r"\Q") and not last.endswith(r"\E"):
        return f'the Go regsync takes nothing by this pattern, since its \\Q does not end; write "{pattern}\\E"'
    if not all(map(_ends, alternatives[:-1])) or not all(map(_begins, alternatives[1:])):
        return (
            "the pattern takes whole names only; in the Go regsync its outer alternatives take parts of names; "
            f'write "({written})", which means the same to both'
        )
    if written != pattern:
        return f'the pattern begins with a quantifier and is read as "{written}"; write that'
    return ""


def _alternatives(pattern: str) -> list[list[str]]:
    """Return what stands between the `|` outside of any group or class, in tokens."""
    found: list[list[str]] = [[]]
    depth = 0
    for piece in _TOKEN.findall(pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and not depth:
            found.append([])
        else:
            found[-1].append(piece)
    return found


def _ends(alternative: list[str]) -> bool:
    """Say whether an alternative takes nothing but what ends there, whatever stands behind it."""
    return alternative[-1:] in (["$"], [r"\z"]) or alternative[-2:] in _ANY_END


def _begins(alternative: list[str]) -> bool:
    return alternative[:1] in (["^"], [r"\A"]) or alternative[:2] in _ANY_END


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # else the C++ library writes to standard error by itself
    return options
