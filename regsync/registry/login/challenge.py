"""Reading WWW-Authenticate (RFC 9110 section 11.6.1), and what registries send under that name.

Beyond the grammar this takes what was seen in the field: unquoted values with any character, spaces around `=`,
missing commas, stray commas, semicolons, several challenges on a line, challenges without parameters, single quotes,
quotes that were escaped once too often (a proxy's configuration), quotes that do not end.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from regsync.errors import Malformed

_GAP = re.compile(r"[ \t,;]*")
_WORD = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~/]+")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9\-._~+/]+=*[ \t]*(?=,|$)")
_COLON = re.compile(r":(?=[ \t])")  # as behind the name of a header
_EQUALS = re.compile(r"[ \t]*=[ \t]*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_SINGLE = re.compile(r"'([^']*)'(?=[ \t,;]|$)")
_BARE = re.compile(r'[^ \t,;"]*')
_ACTIONS = re.compile(r"(?:,(?:pull|push|delete|\*)(?=[ \t,;]|$))*")  # of a scope without quotes, commas and all
_ESCAPED, _ESCAPED_FIRST = re.compile(r'\\"'), re.compile(r'^[^"]*=[ \t]*\\"')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One way to log in that a server offers; scheme and parameter names are in lower case."""

    scheme: str
    params: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(lines: Sequence[str]) -> tuple[Challenge, ...]:
    """Return the challenges of these header lines in order; `Malformed` when there are lines and none can be read."""
    found: list[Challenge] = []
    broken: Malformed | None = None
    for line in lines:
        try:
            found.extend(_parse_line(_ESCAPED.sub('"', line) if _ESCAPED_FIRST.search(line) else line))
        except Malformed as error:
            broken = error
    if broken is not None and not found:
        raise broken
    return tuple(found)


def _parse_line(line: str) -> list[Challenge]:
    if _CONTROL.search(line):
        raise Malformed("a challenge with control characters in it")
    found: list[tuple[str, dict[str, str]]] = []
    at = _skip(_GAP, line, 0)
    while at < len(line):
        word = _WORD.match(line, at)
        if word is None:
            raise Malformed(f"a challenge that cannot be read from character {at + 1} on")
        equals = _EQUALS.match(line, word.end())
        if equals is None:
            found.append((word[0].lower(), {}))
            at = _skip(_TOKEN68, line, _skip(_COLON, line, word.end()))
        elif found:
            name = word[0].lower()
            value, at = _value(line, equals.end(), of_scope=name == "scope")
            found[-1][1].setdefault(name, value)
        else:
            raise Malformed("a challenge that starts with a parameter")
        at = _skip(_GAP, line, at)
    return [Challenge(scheme, params) for scheme, params in found]


def _value(line: str, at: int, *, of_scope: bool) -> tuple[str, int]:
    """Return the value that starts here and where it ends; one whose quotes do not end ends as if it had none."""
    if quoted := _QUOTED.match(line, at):
        return re.sub(r"\\(.)", r"\1", quoted[1]), quoted.end()
    if single := _SINGLE.match(line, at):
        return single[1], single.end()
    at += line.startswith('"', at)
    end = _skip(_BARE, line, at)
    if of_scope:
        end = _skip(_ACTIONS, line, end)
    return line[at:end], end


def _skip(pattern: re.Pattern[str], line: str, at: int) -> int:
    match = pattern.match(line, at)
    return at if match is None else match.end()
