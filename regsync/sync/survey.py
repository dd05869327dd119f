"""How images differ, for who wants to know before anything is copied: when both were made, and the bytes to move.

What that takes besides the look-ups of a check is asked for images that differ, and for no others; where it cannot be
had (but for a plan of the copy) it is left open. An image whose source lets too few be fetched (`ratelimit`) is not
looked into: its manifests would count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from regsync.errors import CopyFailed, NotFound, RegsyncError
from regsync.events import Change, ImageDiffers, Tell
from regsync.facts import working
from regsync.oci.descriptor import Descriptor
from regsync.repository import Repository
from regsync.sync.decide import LOOKUP_FAILED, Decider, Decision, Failed, Needed, OpenTarget, is_misnamed
from regsync.sync.engine import Engine
from regsync.sync.entry import ImagePair, RegistryPair, RepositoryPair, SyncEntry
from regsync.sync.gone import Gone
from regsync.sync.planning import Remembered
from regsync.sync.quota import QuotaGate
from regsync.transfer.dating import Dates
from regsync.transfer.looking import found_at
from regsync.transfer.options import CopyOptions
from regsync.transfer.plan import CopyPlan
from regsync.transfer.together import together
from regsync.transfer.weighing import Scales

_AT_ONCE: Final = 16  # images that are looked into: a plan may be large
_DATED: Final = 4_000  # manifests and configs that are read for when images were made: about two an image


@dataclass(frozen=True, slots=True)
class Looking:
    """What a check is to find out besides; `missing`: only of images whose name the target does not have."""

    missing: bool = False


@dataclass(frozen=True, slots=True)
class Looks:
    """How a run looks: the same that decides, asks for quotas and opens targets for all it does."""

    decider: Decider
    quotas: QuotaGate
    open_target: OpenTarget


class Survey:
    """What one run finds out; it is told each as an event."""

    def __init__(self, engine: Engine, entries: Sequence[SyncEntry], looks: Looks, *, since: float, tell: Tell) -> None:
        self._lookups = engine.lookups
        self._looks = looks
        self._scales = Scales(engine.shared.seen, since=since)
        self._gone = Gone(engine, entries, open_target=looks.open_target, tell=tell)
        self._since = since
        self._tell = tell
        self._images = asyncio.Semaphore(_AT_ONCE)
        self._dates = Dates(most=_DATED)

    async def listing(self, entry: SyncEntry, pair: RegistryPair | RepositoryPair, *, listed: bool) -> None:
        """Take note of whether this could be listed; a target that is not there yet is asked for nothing else."""
        self._gone.note(entry, pair, listed=listed)
        if listed and isinstance(pair, RepositoryPair):
            with suppress(RegsyncError):  # which each of its images is told by
                await self._lookups.present(await self._looks.open_target(pair.target), since=self._since)

    async def image(self, entry: SyncEntry, pair: ImagePair, decision: Decision, *, since: float) -> Decision | None:
        """Tell how an image differs that is needed; return what is to become of it, None of one that is gone."""
        if isinstance(decision, Failed):
            return None if await self._is_gone(entry, pair, decision, since=since) else decision
        if not isinstance(decision, Needed):
            return decision
        async with self._images:
            if await self._looks.quotas.held_back(entry.limit, pair, since=since) is not None:
                self._tell(_differing(pair, decision))
                return decision
            try:
                return await self._looked_into(pair, decision, since=since)
            except RegsyncError as error:  # which a copy would fail with, too
                return Failed("Failed to copy image", str(pair.source), str(pair.target), error).decision()

    async def _looked_into(self, pair: ImagePair, needed: Needed, *, since: float) -> Decision:
        try:
            plan = await needed.plan(Remembered(self._lookups, since))
        except CopyFailed as error:
            if not (is_misnamed(error) or isinstance(error.__cause__, NotFound)):
                raise
            moved = await self._looks.decider.moved(pair, needed, since=since)
            if not isinstance(moved, Needed):
                if moved is None:
                    raise
                return moved
            needed, plan = moved, await moved.plan(Remembered(self._lookups, since))
        await self._tell_of(pair, needed, plan, since=since)
        return needed

    async def _tell_of(self, pair: ImagePair, needed: Needed, plan: CopyPlan, *, since: float) -> None:
        size, more = None, 0
        with suppress(RegsyncError):
            weight = await self._scales.weigh(plan)
            size, more = weight.whole, weight.more
        created = await self._created(needed.source, needed.root, needed.options, since=since)
        before_created = None
        if needed.before is not None:
            before_created = await self._created(needed.target, needed.before, needed.options, since=since)
        self._tell(_differing(pair, needed, before_created=before_created, created=created, size=size, more=more))

    async def _is_gone(self, entry: SyncEntry, pair: ImagePair, failed: Failed, *, since: float) -> bool:
        """Say whether what failed did since its source is no more, while the target has it; tell that."""
        if entry.kind != "image" or failed.message != LOOKUP_FAILED or not isinstance(failed.error, NotFound):
            return False
        with suppress(RegsyncError):
            target = await self._looks.open_target(pair.target)
            there = await found_at(target, pair.target.ref, sparse=entry.options.platforms)
            if there is not None:
                await self._tell_gone(entry, pair, target, there, since=since)
                return True
        return False

    async def finish(self) -> None:
        """Tell of all tags that are gone, now that it is known which of their sources could be listed."""
        since = self._since
        found = [one async for one in self._gone.find(since=since)]
        rest = iter(found)

        async def work() -> None:
            for entry, pair in rest:
                with working(entry=entry.name, image=str(pair.target)):
                    target = await self._looks.open_target(pair.target)
                    there = None
                    if not self._dates.full:
                        with suppress(RegsyncError):
                            there = await self._lookups.head(target, pair.target.ref, since=since, fetching=True)
                    await self._tell_gone(entry, pair, target, there, since=since)

        await together(work() for _ in range(min(len(found), _AT_ONCE)))

    async def _tell_gone(
        self, entry: SyncEntry, pair: ImagePair, target: Repository, there: Descriptor | None, *, since: float
    ) -> None:
        ends, digest, made = (str(pair.source), str(pair.target)), "", None
        if there is not None:
            digest, made = str(there.digest), await self._created(target, there, entry.options, since=since)
        self._tell(ImageDiffers(*ends, "gone", before=digest, before_created=made))

    async def _created(
        self, place: Repository, image: Descriptor, options: CopyOptions, *, since: float
    ) -> datetime | None:
        asking = Remembered(self._lookups, since)
        return await self._dates.of(place, image, asking=asking, platforms=options.platforms)


def _differing(
    pair: ImagePair,
    needed: Needed,
    *,
    before_created: datetime | None = None,
    created: datetime | None = None,
    size: int | None = None,
    more: int = 0,
) -> ImageDiffers:
    change: Change = "partial" if needed.there else "new" if needed.before is None else "changed"
    before = "" if needed.before is None else str(needed.before.digest)
    ends = str(pair.source), str(pair.target)
    return ImageDiffers(*ends, change, before, str(needed.root.digest), before_created, created, size, more)
