"""Facts without a program around them."""

from __future__ import annotations

from datetime import UTC, datetime

from regsync.events import Event
from regsync.facts import Fact

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_fact(event: Event, *, at: datetime = NOON, run: str = "", entry: str = "", image: str = "") -> Fact:
    """Return the fact that this event happened, at noon and for nobody unless said otherwise."""
    return Fact(at, run, entry, image, event)
