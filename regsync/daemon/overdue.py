"""When an entry is overdue: the one reckoning of it, for whoever shows it, asks for it or is told of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import Final

from regsync.daemon.schedule import Cron, Schedule

MAY_PASS: Final = 3  # due times
_REMEMBERED: Final = 1 << 16  # a cron line takes a part of a millisecond, and is asked about again and again


def due_times(schedule: Schedule, since: datetime) -> Iterator[datetime]:
    """Return the first due times after a moment, so many as may pass; fewer where no more are to come.

    A cron line is due on whole minutes: entries that were equal in the same one share the answers.
    """
    moment = since.replace(second=0, microsecond=0) if isinstance(schedule, Cron) else since
    for _ in range(MAY_PASS):
        due = _next(schedule, moment)
        if due is None:
            return
        yield due
        moment = due


def overdue_at(schedule: Schedule, since: datetime) -> datetime | None:
    """Return after which moment an entry is overdue whose ends were last seen equal, or first visited, `since` then.

    So many of its due times may pass. None: it is due too seldom for that.
    """
    dues = [*due_times(schedule, since)]
    return dues[-1] if len(dues) == MAY_PASS else None


def is_overdue(schedule: Schedule | None, since: datetime | None, now: datetime) -> bool:
    """Say whether it is; what is never due, or was never visited, is not."""
    if schedule is None or since is None:
        return False
    moment = overdue_at(schedule, since)
    return moment is not None and moment < now


@lru_cache(maxsize=_REMEMBERED)
def _next(schedule: Schedule, moment: datetime) -> datetime | None:
    return schedule.next_after(moment)
