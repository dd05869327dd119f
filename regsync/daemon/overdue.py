"""When an entry is overdue: the one reckoning of it, for whoever shows it, asks for it or is told of it."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Final

from regsync.daemon.schedule import Schedule

_TIMES: Final = 3  # due times that may pass
_REMEMBERED: Final = 1 << 14  # a cron line takes a millisecond, and is asked about again and again


@lru_cache(maxsize=_REMEMBERED)
def overdue_at(schedule: Schedule, since: datetime) -> datetime | None:
    """Return after which moment an entry is overdue whose ends were last seen equal, or first visited, `since` then.

    So many of its due times may pass. None: it is due too seldom for that.
    """
    moment: datetime | None = since
    for _ in range(_TIMES):
        moment = None if moment is None else schedule.next_after(moment)
    return moment


def is_overdue(schedule: Schedule | None, since: datetime | None, now: datetime) -> bool:
    """Say whether it is; what is never due, or was never visited, is not."""
    if schedule is None or since is None:
        return False
    moment = overdue_at(schedule, since)
    return moment is not None and moment < now
