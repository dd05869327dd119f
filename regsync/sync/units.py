"""What a run has still to do, and what of it may begin.

Entries, repositories and images are units of one queue that a fixed crew works off, so an `image` entry costs a tuple
and no task of its own, and a repository of ten thousand tags is not ten thousand tasks. An entry has ended when all
units have that came of it; then those may begin that read what it writes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from regsync.sync.entry import ImagePair, RepositoryPair, SyncEntry
from regsync.sync.order import PlaceOf, predecessors

_MOST = 256  # units under way at once; most of them wait for a host
Part = ImagePair | RepositoryPair | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to do for the entry at this position: a part of it, or (None) all of it, whatever that is.

    `waited` is how many seconds it was put off for because registries asked to be left alone.
    """

    position: int
    part: Part = None
    waited: float = 0.0


class Units:
    """The queue of one run over these entries."""

    def __init__(self, entries: Sequence[SyncEntry], place_of: PlaceOf) -> None:
        # Images are all there is to do for image entries; what the others list is not known before.
        self.crew = min(_MOST, len(entries)) if all(entry.kind == "image" for entry in entries) else _MOST
        self._queue: asyncio.Queue[Unit | None] = asyncio.Queue()
        self._open: Counter[int] = Counter()
        self._left = len(entries)
        self._before = [set(before) for before in predecessors(entries, place_of)]
        self._after: dict[int, list[int]] = {}
        for follower, leaders in enumerate(self._before):
            for leader in leaders:
                self._after.setdefault(leader, []).append(follower)
            if not leaders:
                self.put(follower)

    async def take(self) -> Unit | None:
        """Return the next unit; None when everything has ended."""
        return await self._queue.get()

    def put(self, position: int, part: Part = None) -> None:
        """Add a unit to an entry that has not ended."""
        self._open[position] += 1
        self._queue.put_nowait(Unit(position, part))

    def put_back(self, unit: Unit, *, waited: float) -> None:
        """Give back a unit that was taken and put off for so many seconds."""
        self._queue.put_nowait(replace(unit, waited=unit.waited + waited))

    def done(self, unit: Unit) -> None:
        """Count one unit as ended; the last one of an entry lets those begin that waited for the entry."""
        self._open[unit.position] -= 1
        if self._open[unit.position]:
            return
        del self._open[unit.position]
        self._left -= 1
        for follower in self._after.get(unit.position, ()):
            self._before[follower].discard(unit.position)
            if not self._before[follower]:
                self.put(follower)
        if not self._left:
            for _ in range(self.crew):
                self._queue.put_nowait(None)
