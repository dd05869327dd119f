"""How fresh an entry is against its own schedule; `daemon/overdue.py` says the same of who is overdue.

A cron line takes a fraction of a millisecond to be asked, and ten thousand entries may have one: entries that were
equal in the same minute share the answers, and an answer says how long it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Literal

from regsync.daemon.schedule import Cron, Every, Schedule

Freshness = Literal["fresh", "late", "overdue", "new", "unplanned"]
WORDS: Final[dict[Freshness, str]] = {
    "fresh": "fresh",
    "late": "late",
    "overdue": "overdue",
    "new": "not compared yet",
    "unplanned": "never due",
}
_LATE: Final = 2  # due times that have passed
_OVERDUE: Final = 3
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
    passed, coming = _passed(schedule, equal or began, now)
    if passed >= _OVERDUE:
        return Held("overdue", _EVER)
    if passed == _LATE:
        return Held("late", coming)
    return Held("new" if equal is None else "fresh", coming)


def _passed(schedule: Schedule, since: datetime, now: datetime) -> tuple[int, datetime]:
    """Return how many due times have passed, as far as it matters, and which is the first that has not."""
    if isinstance(schedule, Every):
        start, step = since.replace(microsecond=0), schedule.step
        passed = max(-((start - now) // step) - 1, 0)
        return passed, start + (passed + 1) * step
    due: datetime | None = since.replace(second=0, microsecond=0)
    for passed in range(_OVERDUE):
        due = due and (_next(schedule, due) if isinstance(schedule, Cron) else schedule.next_after(due))
        if due is None or due >= now:
            return passed, due or _EVER
    return _OVERDUE, _EVER


@lru_cache(maxsize=1 << 16)
def _next(schedule: Cron, moment: datetime) -> datetime | None:
    return schedule.next_after(moment)
