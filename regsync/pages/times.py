"""Moments as people read them on a page: how long ago, in how long, and the exact one beside it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from regsync.record.words import human_span

_NOW: Final = 2.0  # seconds


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment is."""
    passed = (now - moment).total_seconds()
    return "just now" if passed < _NOW else f"{human_span(passed)} ago"


def until(moment: datetime, now: datetime) -> str:
    """Return in how long a moment comes."""
    left = (moment - now).total_seconds()
    return "now" if left <= 0 else f"in {human_span(left)}"


def exact(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
