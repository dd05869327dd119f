"""How fresh an entry is against its own schedule, and for how long that holds: ten thousand entries may be asked of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from regsync.daemon.overdue import MAY_PASS, due_times
from regsync.daemon.schedule import Schedule

Freshness = Literal["fresh", "late", "overdue", "new", "unplanned"]
WORDS: Final[dict[Freshness, str]] = {
    "fresh": "fresh",
    "late": "late",
    "overdue": "overdue",
    "new": "not compared yet",
    "unplanned": "never due",
}
_LATE: Final = 2  # due times that have passed
_EVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Held:
    """How fresh an entry is `until` then, if nothing happens to it."""

    how: Freshness
    until: datetime


def freshness(schedule: Schedule | None, equal: datetime | None, began: datetime, now: datetime) -> Held:
    """Return how fresh an entry is that was last seen equal then; None: it was not since `began`, or never.

    The due time that has just passed makes nobody late: its run may be under way.
    """
    if schedule is None:
        return Held("unplanned", _EVER)
    passed = 0
    for due in due_times(schedule, equal or began):
        if due >= now:
            return Held(_how(passed, equal), due)
        passed += 1
    return Held(_how(passed, equal), _EVER)


def _how(passed: int, equal: datetime | None) -> Freshness:
    if passed >= MAY_PASS:
        return "overdue"
    if passed >= _LATE:
        return "late"
    return "new" if equal is None else "fresh"
