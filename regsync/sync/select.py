"""Which names of a list are chosen: allow, then deny, full matches in RE2 (BEHAVIOUR 3.4).

RE2 because patterns and names come from different people: matching takes linear time whatever either of them wrote.
The Go regsync wraps a pattern as `^pattern$` without a group, so its `a|b` also takes `ab` and `xb`; here every pattern
matches the whole name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

import re2

from regsync.errors import Malformed


@dataclass(frozen=True)
class Filter:
    """One set of patterns: a name passes that matches one of `allow` (if there are any) and none of `deny`."""

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()

    def choose(self, names: Iterable[str]) -> list[str]:
        """Return those that pass, in their order."""
        return [name for name in names if self._allows(name)]

    def __str__(self) -> str:
        return f"allow {', '.join(self.allow) or 'everything'}; deny {', '.join(self.deny) or 'nothing'}"

    def _allows(self, name: str) -> bool:
        return (not self.allow or self._allowed.matches(name)) and not (self.deny and self._denied.matches(name))

    @cached_property
    def _allowed(self) -> _AnyOf:
        return _AnyOf(self.allow)

    @cached_property
    def _denied(self) -> _AnyOf:
        return _AnyOf(self.deny)


@dataclass(frozen=True)
class Selection:
    """Filters of which one must let a name pass; none at all lets everything pass."""

    filters: tuple[Filter, ...] = field(default=())

    def choose(self, names: Iterable[str]) -> list[str]:
        """Return the union of what the filters choose, in their order; each name once."""
        names = list(names)
        if not self.filters:
            return names
        return list(dict.fromkeys(name for one in self.filters for name in one.choose(names)))

    def __str__(self) -> str:
        return " | ".join(map(str, self.filters)) or "everything"


EVERYTHING = Selection()


class _AnyOf:
    """Patterns of which one has to match a whole name, tried all at once."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._set = re2.Set.FullMatchSet(_options())
        for pattern in patterns:
            check_pattern(pattern)
            self._set.Add(pattern)
        self._set.Compile()

    def matches(self, name: str) -> bool:
        return bool(self._set.Match(name))


def check_pattern(pattern: str) -> None:
    """Raise `Malformed` for what RE2 does not take: look-around, back-references, unbalanced groups."""
    if r"\C" in pattern:  # a single byte: RE2's C++ takes it, Go's does not
        raise Malformed(r"the pattern has \C, which matches half a character")
    try:
        re2.compile(pattern, _options())
    except re2.error as error:
        reason = error.args[0] if error.args else error
        text = reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
        raise Malformed(f"the pattern is not RE2 syntax: {text}") from error


def differs_from_go(pattern: str) -> bool:
    """Say whether the Go regsync takes more names by this pattern: it has a `|` outside of any group or class."""
    depth, in_class, escaped = 0, False, False
    for character in pattern:
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif in_class:
            in_class = character != "]"
        elif character == "[":
            in_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            return True
    return False


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False  # else the C++ library writes to standard error by itself
    return options
