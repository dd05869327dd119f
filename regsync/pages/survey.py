"""How each of many entries is at one moment, found in small steps: of ten thousand entries nobody waits for all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from regsync.daemon.schedule import Schedule
from regsync.metrics.board import Board, EntryStats
from regsync.pages.freshness import Freshness, Held, freshness
from regsync.pages.known import Known

_AT_ONCE: Final = 500  # entries in one turn of the loop
_ASKED: Final = 20  # as many take as long as one whose schedule has to be asked
_UNKNOWN: Final = EntryStats()
STATES: Final = {
    "": "All",
    "fresh": "Fresh",
    "late": "Late",
    "overdue": "Overdue",
    "new": "Not compared",
    "failing": "Failing",
    "running": "Running",
    "paused": "Paused",
}
_Basis = tuple[Schedule | None, datetime | None, datetime]


@dataclass(slots=True)
class Survey:
    """How fresh each entry is, by name, and which ones are in each of the states; `""` are all."""

    how: dict[str, Freshness] = field(default_factory=dict)
    states: dict[str, list[str]] = field(default_factory=lambda: {state: [] for state in STATES})

    @property
    def counts(self) -> Counter[str]:
        """How many entries are in each state."""
        return Counter({state: len(names) for state, names in self.states.items()})


class Surveyor:
    """Finds out how entries are, and remembers for as long as that holds."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._known: dict[str, tuple[_Basis, Held]] = {}

    def keep_only(self, entries: Container[str]) -> None:
        """Forget entries that are no more."""
        self._known = {name: known for name, known in self._known.items() if name in entries}

    async def survey(
        self, entries: Iterable[Known], *, running: Container[str], paused: Container[str], now: datetime
    ) -> Survey:
        """Return how these entries are."""
        found, weight = Survey(), 0
        states, stats_of = found.states, self._board.entries
        for known in entries:
            name, stats = known.name, stats_of.get(known.name, _UNKNOWN)
            basis = known.schedule, stats.equal, self._board.known_since(name)
            before = self._known.get(name)
            if before is None or before[0] != basis or before[1].until < now:
                before = self._known[name] = basis, freshness(*basis, now)
                weight += _ASKED
            how = found.how[name] = before[1].how
            states[""].append(name)
            if how in states:
                states[how].append(name)
            if stats.failing:
                states["failing"].append(name)
            if name in running:
                states["running"].append(name)
            if name in paused:
                states["paused"].append(name)
            weight += 1
            if weight >= _AT_ONCE:
                weight = 0
                await asyncio.sleep(0)
        return found
