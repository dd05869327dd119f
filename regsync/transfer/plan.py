"""Decide what a copy must move, without moving it.

The root is given by digest, and everything below it is fetched by digest, so a tag that moves meanwhile cannot tear the
copy. A plan holds descriptors and the root, not the bytes of all it plans: an image may wait for its turn for long, and
a hostile index names thousands of children of 8 MiB.
"""

from __future__ import annotations

from dataclasses import dataclass

from regsync.errors import CopyFailed, RegsyncError
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.graph import Graph
from regsync.transfer.looking import found_at
from regsync.transfer.options import PLAIN, CopyOptions
from regsync.transfer.step import Asking, Detour, Step, Wanted

_NOWHERE_ELSE = Detour()


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Blobs, then each wave of manifests, then the root under its name: every prefix of this is safe.

    Without a root its name stands already. `configs` are those of `blobs` that are image configs, for people who read
    the log.
    """

    root: Manifest | None
    last: Step | None
    blobs: tuple[Step, ...] = ()
    configs: frozenset[Digest] = frozenset()
    waves: tuple[tuple[Step, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many bytes of blobs the plan may have to move."""
        return sum(step.content.size for step in self.blobs)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to do."""
        return self.last is None and not self.waves and not self.blobs

    async def adds(self) -> bool:
        """Look whether the targets lack any of this: a plan may send again what is there."""
        for blob in self.blobs:
            if not await blob.target.has_blob(blob.content):
                return True
        for step in (*(step for wave in self.waves for step in wave), *((self.last,) if self.last else ())):
            there = await found_at(step.target, step.content.digest if step.at is None else step.at)
            if there is None or there.digest != step.content.digest:
                return True
        return False


async def plan_copy(
    source: Repository,
    target: Repository,
    root: Descriptor,
    *,
    at: str | Digest,
    asking: Asking,
    options: CopyOptions = PLAIN,
    detour: Detour = _NOWHERE_ELSE,
    there: bool = False,
    trusting: bool = True,
) -> CopyPlan:
    """Plan the copy of `root` to the target's name `at`; `there`: that name stands for it already.

    Without `trusting`, what the target says it has is planned all the same.
    """
    first = Wanted(source, target, root, there=there and trusting and not options.insists)
    graph = Graph(first, at, options, detour=detour, asking=asking, trusting=trusting)
    try:
        await graph.explore()
        waves = graph.waves()
    except RegsyncError as error:
        raise CopyFailed("plan", f"{source.name}@{root.digest}", error) from error
    last = None if first.there else Step(source, target, root, at, graph.sparse)
    return CopyPlan(graph.root, last, graph.blobs, frozenset(graph.configs), waves)
