"""Moments and durations as people read them on a page: how long ago, in how long, and the exact one beside it."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Final

_UNITS: Final = ((86400, "day"), (3600, "h"), (60, "min"), (1, "s"))
_NOW: Final = 2.0  # seconds


def span(seconds: float) -> str:
    """Return a duration in its largest unit, with the next one where that matters: `45 s`, `1 h 30 min`, `2 days`."""
    whole = max(round(seconds), 0)
    for (unit, name), (lesser, next_name) in pairwise(_UNITS):
        if whole >= unit:
            count, rest = divmod(whole, unit)
            more = f" {rest // lesser} {_many(rest // lesser, next_name)}" if count < 3 and rest >= lesser else ""
            return f"{count} {_many(count, name)}{more}"
    return f"{whole} s"


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment is."""
    passed = (now - moment).total_seconds()
    return "just now" if passed < _NOW else f"{span(passed)} ago"


def until(moment: datetime, now: datetime) -> str:
    """Return in how long a moment comes."""
    left = (moment - now).total_seconds()
    return "now" if left <= 0 else f"in {span(left)}"


def exact(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def _many(count: int, name: str) -> str:
    return f"{name}s" if name == "day" and count != 1 else name
