"""Which entries have grown old: source and target were not seen equal for longer than their times allow.

When that is so is reckoned by whoever knows schedules, and asked for as seldom as possible: of ten thousand cron lines
it takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Final

from regsync.notify.judge import AGAIN
from regsync.notify.message import Reason
from regsync.record.values import RunRecord

OverdueAt = Callable[[str, datetime], datetime | None]  # of an entry, last seen equal then; None: never
_ADVICE: Final = "Look at what its last runs said; if they are well, they come too seldom, or something holds them up."


class Ages:
    """When each entry was last seen equal, or first known; and which ones were told of."""

    def __init__(self) -> None:
        self._equal: dict[str, datetime] = {}
        self._looked_at: dict[str, datetime | None] = {}  # when an entry is to be looked at again
        self._told: dict[str, datetime] = {}

    def follow(self, entries: Collection[str], now: datetime, known: Mapping[str, datetime] | None = None) -> None:
        """Watch these entries and no others; what is not `known` of one is taken to be equal now."""
        before = {**(known or {}), **self._equal}
        self._equal = {name: before.get(name, now) for name in entries}
        self._told = {name: at for name, at in self._told.items() if name in self._equal}
        self._looked_at = {}

    def hear(self, run: RunRecord) -> Iterator[Reason]:
        """Take note of a run that ended; yields what is over with it, if that was told of."""
        if not run.well or run.scope != "changed" or run.entry not in self._equal:
            return
        before, self._equal[run.entry] = self._equal[run.entry], run.began
        if self._told.pop(run.entry, None) is not None:
            self._looked_at.pop(run.entry, None)
            yield Reason(run.entry, _words(before))

    def due(self, now: datetime) -> list[str]:
        """Return the entries that have to be looked at by now; each is a question to schedules."""
        return [name for name in self._equal if name not in self._looked_at or _is_before(self._looked_at[name], now)]

    def look(self, entry: str, now: datetime, overdue_at: OverdueAt) -> Reason | None:
        """Return what to say of an entry: that it is overdue, if that was not told within the hour."""
        equal = self._equal.get(entry)
        if equal is None:
            return None
        overdue = self._looked_at[entry] = overdue_at(entry, equal)
        if not _is_before(overdue, now):
            return None
        told = self._told.get(entry)
        again = told is None or now - told >= AGAIN
        self._told[entry] = now if told is None or again else told
        self._looked_at[entry] = self._told[entry] + AGAIN
        return None if not again else Reason(entry, _words(equal), advice=_ADVICE, since=equal)


def _is_before(moment: datetime | None, now: datetime) -> bool:
    return moment is not None and moment < now


def _words(equal: datetime) -> str:
    return f"source and target were not seen equal since {equal:%Y-%m-%d %H:%M} UTC"
