"""Carry out what was decided: plan an image for each target that needs it, copy it, and try in another way what failed.

There are two such ways, each once. A target that refuses a manifest for lack of what it said it has gets everything; a
source that lacks parts of what its tag stood for has probably moved the tag, which is resolved once more.

What is about to be overwritten and to be kept gets its other name first. Where that fails it is told, and the copy goes
on: the mirror is what regsync is for.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

from regsync.errors import CopyFailed, Incomplete, Malformed, NotFound, RegsyncError
from regsync.events import BackupStarted, Tell, Warned
from regsync.oci.digest import Digest
from regsync.sync.decide import Current, Decider, Delayed, Failed, Needed, OpenTarget, Postponed, is_misnamed
from regsync.sync.entry import ImagePair, PullLimit
from regsync.sync.lookups import Lookups
from regsync.sync.planning import Remembered
from regsync.sync.quota import QuotaGate
from regsync.sync.telling import planned
from regsync.transfer.copier import Copier
from regsync.transfer.mover import Shared
from regsync.transfer.options import CopyOptions
from regsync.transfer.plan import CopyPlan
from regsync.transfer.together import together


@dataclass(frozen=True, slots=True)
class Order:
    """An image that is needed, and since when (monotonic, seconds) what was seen of its target is good enough."""

    pair: ImagePair
    needed: Needed
    since: float
    limit: PullLimit | None = None


Held = Current | Delayed | Postponed | Failed  # what became of an image that was not let through, or need not be
Outcome = Digest | RegsyncError | Held  # what the target's name stands for now, or why it still does for what it did


class Carrier:
    """Copies images for one run; at most `images` at once, however many targets one goes to."""

    def __init__(
        self,
        shared: Shared,
        *,
        lookups: Lookups,
        decider: Decider,
        quotas: QuotaGate,
        open_target: OpenTarget,
        images: asyncio.Semaphore,
        tell: Tell,
    ) -> None:
        self._shared = shared
        self._quotas = quotas
        self._lookups = lookups
        self._decider = decider
        self._open_target = open_target
        self._images = images
        self._tell = tell

    async def carry_out(self, orders: Sequence[Order]) -> list[Outcome]:
        """Copy images of one source, each blob read once for all that are the same; return what became of each."""
        alike: dict[Digest, list[int]] = defaultdict(list)
        for at, order in enumerate(orders):
            alike[order.needed.root.digest].append(at)
        outcomes: list[Outcome] = [order.needed.root.digest for order in orders]
        for places in alike.values():
            async with self._images:
                found = await self._let_through([orders[at] for at in places])
            for at, outcome in zip(places, found, strict=True):
                outcomes[at] = outcome
        return outcomes

    async def _let_through(self, orders: Sequence[Order]) -> list[Outcome]:
        """Copy those whose source lets enough be fetched, now that they have their turn."""
        held = [await self._quotas.held_back(order.limit, order.pair) for order in orders]
        free = [order for order, why in zip(orders, held, strict=True) if why is None]
        copied = iter(await self._copy(free) if free else ())
        return [next(copied) if why is None else why for why in held]

    async def _back_up(self, order: Order) -> None:
        """Give what stands at the target the name it is kept under, if it is to be kept."""
        needed, original = order.needed, order.pair.target
        if needed.backup is None or needed.before is None:
            return
        if await self._is_misnamed(order):
            return  # whether it is going to be overwritten at all, `_anew` finds out
        self._tell(BackupStarted(str(original), str(needed.backup)))
        try:
            if needed.backup == original:
                raise Malformed("it would be kept under the name that is about to be overwritten")
            kept = Needed(needed.target, await self._open_target(needed.backup), needed.before, needed.backup.ref)
            wholly = Order(ImagePair(original, needed.backup), kept, order.since)
            (outcome,) = await self._insist([wholly])
            platforms = needed.options.platforms
            if isinstance(outcome, RegsyncError) and platforms is not None:  # there may be no more of it than these
                partly = replace(wholly, needed=replace(kept, options=CopyOptions(platforms=platforms)))
                (outcome,) = await self._insist([partly])
            if isinstance(outcome, RegsyncError):
                raise outcome
        except RegsyncError as error:
            ends = {"original": str(original), "backup": str(needed.backup)}
            self._tell(Warned("Failed to backup existing image", {**ends, "error": str(error)}))

    async def _is_misnamed(self, order: Order) -> bool:
        try:
            await self._lookups.manifest(order.needed.source, order.needed.root, since=order.since)
        except RegsyncError as error:  # which the copy is going to tell of
            return is_misnamed(error)
        return False

    async def _copy(self, orders: Sequence[Order]) -> list[Outcome]:
        await together(self._back_up(order) for order in orders)
        outcomes = await self._insist(orders)
        for at, outcome in enumerate(outcomes):
            if _caused_by(outcome, NotFound):
                outcomes[at] = await self._anew(orders[at], outcome)
        return outcomes

    async def _insist(self, orders: Sequence[Order]) -> list[Outcome]:
        """Copy, and copy once more without trust what a target then lacks."""
        outcomes = await self._attempt(orders, trusting=True)
        lacking = [at for at, outcome in enumerate(outcomes) if _caused_by(outcome, Incomplete)]
        if lacking:
            again = await self._attempt([orders[at] for at in lacking], trusting=False)
            for at, outcome in zip(lacking, again, strict=True):
                outcomes[at] = outcome
        return outcomes

    async def _anew(self, order: Order, outcome: Outcome) -> Outcome:
        """Copy what the source's tag stands for by now, if it has moved."""
        try:
            moved = await self._decider.moved(order.pair, order.needed, since=order.since)
        except RegsyncError as error:
            return error
        if not isinstance(moved, Needed):
            return moved or outcome
        again = replace(order, needed=moved)
        if isinstance(outcome, CopyFailed) and is_misnamed(outcome):
            await self._back_up(again)
        return (await self._attempt([again], trusting=True))[0]

    async def _attempt(self, orders: Sequence[Order], *, trusting: bool) -> list[Outcome]:
        """Plan for each target and copy to all of them; `since` is the latest of theirs."""
        since = max(order.since for order in orders)
        asking = Remembered(self._lookups, since)
        copier = Copier(self._shared, fetch=asking.manifest, since=since, trusting=trusting, tell=self._tell)
        planning = (self._planned(order, trusting=trusting) for order in orders)
        plans = await asyncio.gather(*planning, return_exceptions=True)  # so that it returns when all have ended
        outcomes: list[Outcome] = [order.needed.root.digest for order in orders]
        ready: list[tuple[int, CopyPlan]] = []
        for at, plan in enumerate(plans):
            if isinstance(plan, CopyPlan):
                ready.append((at, plan))
                self._tell(planned(orders[at].pair, plan))
            elif isinstance(plan, RegsyncError):
                outcomes[at] = plan
            else:
                raise plan
        failures = await copier.run([plan for _, plan in ready])
        for (at, _), failure in zip(ready, failures, strict=True):
            if failure is not None:
                outcomes[at] = failure
        return outcomes

    async def _planned(self, order: Order, *, trusting: bool) -> CopyPlan | CopyFailed:
        try:
            return await order.needed.plan(Remembered(self._lookups, order.since), trusting=trusting)
        except CopyFailed as failed:
            return failed


def _caused_by(outcome: Outcome, kind: type[RegsyncError]) -> bool:
    return isinstance(outcome, CopyFailed) and isinstance(outcome.__cause__, kind)
