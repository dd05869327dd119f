"""Versions in tags and ranges of them, in the dialect of `semverRange` (BEHAVIOUR 3.4).

It is the Go regsync's own: a range is terms between spaces that must all hold, each an operator with a version right
behind it. A version may have any number of parts, and one with a prerelease lies below the same without, so that
`<2.0.0` takes `2.0.0-rc1`. Prereleases are compared as semver.org says, but digits behind text count as a number: `rc2`
is below `rc11`.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from regsync.errors import Malformed

Version = tuple[tuple[int, ...], str]
"""The parts without zeros at the end, and the prerelease as it is written, empty where there is none."""

_VERSION: Final = re.compile(r"v?([0-9]+(?:\.[0-9]+)*)(?:-([^+]*))?(?:\+.*)?", re.DOTALL)
_TERM: Final = re.compile(r"(>=|<=|>|<|=|\^|~)?(.*)", re.DOTALL)
_RUN: Final = re.compile(r"([0-9]+)|[^0-9]+")
_LARGEST: Final = (1 << 63) - 1
_LONGEST: Final = 19  # digits of the largest
_RELEASE: Final = (1,)  # is above every prerelease
_EXPECTED: Final = (
    "expected terms between spaces that all must hold, each an operator (>=, <=, >, <, =, ^, ~ or none) with a version "
    'right behind it, such as ">=1.2.0 <2.0.0"; alternatives are items of the list'
)


def version_of(text: str) -> Version | None:
    """Return the version a text stands for, None where it is none: `latest`, `V1`, `1.x`, a part beyond 64 bits."""
    found = _VERSION.fullmatch(text)
    if found is None:
        return None
    parts, prerelease = found.groups("")
    numbers = parts.split(".")
    if len(parts) >= _LONGEST and not all(map(_fits, numbers)):
        return None
    release = [*map(int, numbers)]
    while release and not release[-1]:
        release.pop()
    return tuple(release), prerelease


def _fits(digits: str) -> bool:
    digits = digits.lstrip("0")
    return len(digits) < _LONGEST or (len(digits) == _LONGEST and int(digits) <= _LARGEST)


def _precedence(prerelease: str) -> tuple[object, ...]:
    """Return a prerelease to compare; only two versions of equal parts come to that."""
    return (0, *map(_identifier, prerelease.split("."))) if prerelease else _RELEASE


def _identifier(text: str) -> tuple[object, ...]:
    """Return one identifier of a prerelease to compare: numbers come before all that is not only a number."""
    runs = [(0, *_number(found[0])) if found[1] else (1, found[0]) for found in _RUN.finditer(text)]
    return (0, *runs) if len(runs) == 1 and runs[0][0] == 0 else (1, *runs)


def _number(digits: str) -> tuple[int, str]:
    """Return digits to compare as a number, however many there are."""
    digits = digits.lstrip("0")
    return len(digits), digits


_Holds = Callable[[tuple[object, ...], tuple[object, ...]], bool]
_Bound = tuple[_Holds, tuple[int, ...], tuple[object, ...]]  # how to compare, with which parts and which prerelease


@dataclass(frozen=True, slots=True)
class Range:
    """Bounds that must all hold."""

    bounds: tuple[_Bound, ...]

    def takes(self, version: Version) -> bool:
        """Say whether a version lies within all bounds."""
        release, prerelease = version
        for holds, parts, after in self.bounds:  # a loop, since this is asked of every tag
            if not (holds(release, parts) if release != parts else holds(_precedence(prerelease), after)):
                return False
        return True

    @property
    def is_empty(self) -> bool:
        """Whether no version can lie within."""
        ends = [(holds, (release, after)) for holds, release, after in self.bounds]
        lowest = max((end for holds, end in ends if holds in _FROM_BELOW), default=None)
        highest = min((end for holds, end in ends if holds in _FROM_ABOVE), default=None)
        if lowest is None or highest is None or lowest < highest:
            return False
        return lowest > highest or any(not holds(end, lowest) for holds, end in ends if end == lowest)


_COMPARISONS: Final[dict[str, _Holds]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
}
_FROM_BELOW: Final = (operator.ge, operator.gt, operator.eq)
_FROM_ABOVE: Final = (operator.le, operator.lt, operator.eq)


def lies_in(ranges: Iterable[Range], tag: str) -> bool:
    """Say whether a tag is a version in one of these ranges."""
    version = version_of(tag)
    if version is not None:
        for one in ranges:
            if one.takes(version):
                return True
    return False


def range_of(text: str) -> Range:
    """Return the range a text stands for; `Malformed` says what was expected."""
    terms = text.split()
    if not terms:
        raise Malformed(f"an empty range; {_EXPECTED}")
    return Range(tuple(bound for term in terms for bound in _bounds(term)))


def _bounds(term: str) -> Iterable[_Bound]:
    found = _TERM.fullmatch(term)
    version = version_of(found[2]) if found else None
    if found is None or version is None:
        raise Malformed(f'"{term[:80]}" is no term of a range; {_EXPECTED}')
    sign = found[1] or "="
    release, after = version[0], _precedence(version[1])
    if sign in _COMPARISONS:
        return [(_COMPARISONS[sign], release, after)]
    return [(operator.ge, release, after), (operator.lt, _end(sign, *(*release, 0, 0, 0)[:3]), _RELEASE)]


def _end(sign: str, major: int, minor: int, patch: int) -> tuple[int, ...]:
    """Return the first version above those that `~` or `^` take for compatible with this one."""
    if sign == "~" or (minor and not major):
        return major, minor + 1
    return (major + 1,) if major else (0, 0, patch + 1)


def check_range(text: str) -> str:
    """Return what its author should know of a range, nothing if it is fine; `Malformed` if it is none.

    An empty text is no range at all, and is left out.
    """
    return "no version lies within this range, so it takes nothing" if text and range_of(text).is_empty else ""
