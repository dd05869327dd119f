"""What a run has still to do, and what of it may begin.

Entries, repositories and images are units, worked off in order by as many workers as there is work for (and no more
than `MOST`), so an `image` entry costs a tuple and a repository of ten thousand tags is not ten thousand tasks. Units
of one source that wait at the same time are taken together. An entry has ended when all units have that came of it;
then those may begin that read what it writes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from regsync.sync.entry import ImagePair, Pair, RegistryPair, RepositoryPair, SyncEntry
from regsync.sync.order import PlaceOf, predecessors
from regsync.waiting import Waited

MOST: Final = 256  # workers at once; most of them wait for a host


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing to do for the entry at this position.

    `since` is the moment (monotonic, seconds) from which on answers are good enough, `waited` how it was put off,
    `delayed` whether its source had too few images left to be fetched.
    """

    position: int
    pair: Pair
    since: float
    waited: Waited = field(default_factory=Waited)
    delayed: bool = False


class Units:
    """The units of one run over these entries, not begun yet."""

    def __init__(self, entries: Sequence[SyncEntry], place_of: PlaceOf) -> None:
        self._keys: deque[Hashable] = deque()
        self._waiting: dict[Hashable, list[Unit]] = {}
        self._open: Counter[int] = Counter()
        self._before = [set(before) for before in predecessors(entries, place_of)]
        self._after: dict[int, list[int]] = {}
        for follower, leaders in enumerate(self._before):
            for leader in leaders:
                self._after.setdefault(leader, []).append(follower)

    @property
    def first(self) -> list[int]:
        """Return the positions of the entries that wait for no other."""
        return [position for position, before in enumerate(self._before) if not before]

    @property
    def waiting(self) -> int:
        """Return how many batches nobody has taken yet."""
        return len(self._keys)

    def take(self) -> list[Unit]:
        """Return the units of the source that has waited longest; none when nothing waits."""
        return self._waiting.pop(self._keys.popleft()) if self._keys else []

    def put(self, unit: Unit) -> None:
        """Add a unit to an entry that has not ended."""
        self._open[unit.position] += 1
        self._enqueue(unit)

    def put_back(self, unit: Unit) -> None:
        """Give back a unit that was taken and put off."""
        self._enqueue(unit)

    def is_last(self, unit: Unit) -> bool:
        """Say whether its entry ends with this unit, which was taken and not counted as ended."""
        return self._open[unit.position] == 1

    def done(self, unit: Unit) -> list[int]:
        """Count one unit as ended; return the entries that may begin since it was the last one of another."""
        self._open[unit.position] -= 1
        if self._open[unit.position]:
            return []
        del self._open[unit.position]
        return self.skip(unit.position)

    def skip(self, position: int) -> list[int]:
        """Take an entry for ended; return those that may begin since it has."""
        freed = []
        for follower in self._after.get(position, ()):
            self._before[follower].discard(position)
            if not self._before[follower]:
                freed.append(follower)
        return freed

    def _enqueue(self, unit: Unit) -> None:
        key = _source(unit)
        if key not in self._waiting:
            self._waiting[key] = []
            self._keys.append(key)
        self._waiting[key].append(unit)


def _source(unit: Unit) -> Hashable:
    """Return what units have in common that are taken together: the image, repository or registry they read."""
    match unit.pair:
        case ImagePair(source=source):
            return source
        case RepositoryPair(source=source):
            return RepositoryPair, source.name
        case RegistryPair(source=host):
            return RegistryPair, host
