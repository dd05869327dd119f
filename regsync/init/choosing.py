"""What is to be copied of a source, and how often, from the words of whoever wants it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from regsync.daemon.schedule import parse_schedule
from regsync.duration import parse_duration
from regsync.errors import Malformed
from regsync.init.suggest import EVERYTHING, Choice
from regsync.sync.patterns import check_pattern
from regsync.sync.select import Filter
from regsync.sync.semver import check_range

ALL: Final = "all"
SUGGESTED: Final = "suggested"
NEVER: Final = "never"
_OPERATORS: Final = (">", "<", "=", "~", "^")


def picked(text: str, offered: Sequence[Choice]) -> Choice:
    """Return what somebody chose who was shown offers with numbers: one of these, or a choice in words."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 0 < int(text[:9]) <= len(offered):
        return offered[int(text) - 1]
    return choice_of([text], offered)


def choice_of(texts: Sequence[str], offered: Sequence[Choice]) -> Choice:
    """Return the choice these words make: `suggested`, `all`, or version ranges and patterns."""
    if len(texts) == 1:
        text = texts[0].strip()
        if text == ALL:
            return EVERYTHING
        if text == SUGGESTED and not offered:
            raise Malformed("nothing can be suggested without a look; expected a pattern, a version range or all")
        if text == SUGGESTED:
            return offered[0]
    _check_printable(texts)
    ranges = tuple(text for text in texts if text.startswith(_OPERATORS))
    allow = patterns_of([text for text in texts if text not in ranges])
    for text in ranges:
        if fault := check_range(text):
            raise Malformed(f'"{text}": {fault}')
    filters = (*([Filter(ranges=ranges)] if ranges else []), *([Filter(allow=allow)] if allow else []))
    return Choice(f"what was asked for: {', '.join(texts)}", filters)


def patterns_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return patterns for whole names; `all` is none at all."""
    if [*texts] == [ALL]:
        return ()
    _check_printable(texts)
    for text in texts:
        check_pattern(text)
    return tuple(texts)


def _check_printable(texts: Sequence[str]) -> None:
    if not all(map(str.isprintable, texts)):
        raise Malformed("expected text without control characters")


def times_of(text: str) -> tuple[str, str]:
    """Return an interval and a schedule, of which at most one says anything."""
    text = text.strip()
    if text == NEVER:
        return "", ""
    if " " in text or text.startswith("@"):
        parse_schedule(text)
        return "", text
    try:
        if parse_duration(text) > 0:
            return text, ""
    except Malformed as error:
        raise Malformed(f"{error}; expected a duration such as 1h, a cron line such as 15 2 * * *, or never") from error
    raise Malformed(f"{text} is no time at all; expected a duration such as 1h, a cron line, or never")
