"""What was seen at targets, so that it is not asked for again: by digest and kind, each with the moment it was seen.

A manifest may be a layer of another image, so a digest alone names nothing (RELIABILITY F93). Who reads this says since
when an answer is good enough: a run believes what was seen since it began, as if it had looked itself.
"""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Literal, TypeVar

from regsync.clock import Clock
from regsync.oci.digest import Digest
from regsync.repository import Repository

_MOST: Final = 200_000  # things remembered; the oldest go first
K = TypeVar("K")
V = TypeVar("V")
Kind = Literal["blob", "manifest"]


class Seen:
    """The memory of one process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moments: OrderedDict[tuple[str, Kind, Digest], float] = OrderedDict()
        self._holders: OrderedDict[tuple[str, Digest], Callable[[], Repository | None]] = OrderedDict()
        self._opened: dict[str, float] = {}
        self._new: OrderedDict[str, float] = OrderedDict()

    def opened(self, repository: Repository) -> None:
        """Forget what was seen here: until now nobody kept it from being tidied away."""
        self._opened[repository.name] = self._clock.monotonic()

    def found_new(self, repository: Repository) -> None:
        """Remember that this was not there yet, so that there is nothing in it but what we put."""
        _put(self._new, repository.name, self._clock.monotonic())

    def is_new(self, repository: Repository, *, since: float) -> bool:
        """Say whether it was not there at this moment (monotonic, seconds) or later."""
        moment = self._new.get(repository.name)
        return moment is not None and moment >= since

    def note(self, repository: Repository, kind: Kind, digest: Digest) -> None:
        """Remember that this is there now, and that its neighbours on the host may take it from there."""
        _put(self._moments, (repository.name, kind, digest), self._clock.monotonic())
        if kind == "blob":
            # A layout remembers much itself: it is not kept for this alone.
            held = weakref.ref(repository) if repository.tidied else lambda: repository
            _put(self._holders, (repository.host, digest), held)

    def has(self, repository: Repository, kind: Kind, digest: Digest, *, since: float) -> bool:
        """Say whether it was seen there at this moment (monotonic, seconds) or later."""
        moment = self._moments.get((repository.name, kind, digest))
        return moment is not None and moment >= max(since, self._opened.get(repository.name, since))

    def holder(self, host: str, digest: Digest) -> Repository | None:
        """Return a repository of the host that had the blob when it was last heard of."""
        held = self._holders.get((host, digest))
        return None if held is None else held()


def _put(memory: OrderedDict[K, V], key: K, value: V) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > _MOST:
        memory.popitem(last=False)
