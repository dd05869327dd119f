"""How many bytes carrying out plans would move, found by looking: nothing is written.

A blob is looked for as a copy would (`transfer/mover.py`): not where it was seen, nor where there is nothing yet. What
lies elsewhere at the target's host is taken from there: it belongs to what the target lacks, and not to the sum of all.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from regsync.limits import KeyedLock
from regsync.oci.digest import Digest
from regsync.transfer.plan import CopyPlan
from regsync.transfer.seen import Seen
from regsync.transfer.step import Step
from regsync.transfer.together import together

_AT_ONCE: Final = 16  # blobs of one image that are looked for


@dataclass(frozen=True, slots=True)
class Weight:
    """How many bytes a plan's targets lack, and by how many it makes the sum of all plans grow.

    That is less than nothing where it shows that what was weighed before lies at the host all the same.
    """

    whole: int
    more: int


class Scales:
    """Weighs plans of one run, which believes what was seen at targets since `since` (monotonic, seconds)."""

    def __init__(self, seen: Seen, *, since: float) -> None:
        self._seen = seen
        self._since = since
        self._lacking: set[tuple[str, Digest]] = set()
        self._counted: set[tuple[str, Digest]] = set()
        self._held: set[tuple[str, Digest]] = set()
        self._less = 0
        self._one_looker = KeyedLock()

    async def weigh(self, plan: CopyPlan) -> Weight:
        """Look which blobs of a plan are not there; a `RegsyncError` says why that cannot be seen."""
        moving: list[Step] = []
        blobs = iter(plan.blobs)

        async def look(steps: Iterator[Step]) -> None:
            moving.extend([step for step in steps if await self._moves(step)])

        await together(look(blobs) for _ in range(min(len(plan.blobs), _AT_ONCE)))
        parts = [step for wave in plan.waves for step in wave]
        named = sum(step.content.size for step in (*parts, plan.last) if step is not None and step.at is not None)
        shared = [(step.target.host, step) for step in moving]  # the next repository of the host takes them from there
        shared += [(step.target.name, step) for step in parts if step.at is None]
        less, self._less = self._less, 0
        more = sum(step.content.size for place, step in shared if self._is_first(place, step))
        return Weight(named + sum(step.content.size for _, step in shared), named + more - less)

    def _is_first(self, place: str, step: Step) -> bool:
        key = place, step.content.digest
        known = key in self._counted or key in self._held
        self._counted.add(key)
        return not known

    def _hold(self, step: Step) -> None:
        """Take note that the target's host has this blob, be it too late."""
        key = step.target.host, step.content.digest
        if key in self._counted and key not in self._held:
            self._less += step.content.size
        self._held.add(key)

    async def _moves(self, step: Step) -> bool:
        """Say whether a blob is not at the target, nor at its host because the source is there."""
        target, digest = step.target, step.content.digest
        async with self._one_looker((target.name, digest)):
            if self._seen.has(target, "blob", digest, since=self._since):
                return False
            if (target.name, digest) not in self._lacking:
                new = self._seen.is_new(target, since=self._since)
                if not new and await target.has_blob(step.content):
                    self._seen.note(target, "blob", digest)
                    self._hold(step)
                    return False
                self._lacking.add((target.name, digest))
        return step.source.host != target.host
