"""One run over entries: everything at once that does not depend on something else.

What holds a run back is the hosts it talks to (`Limits`) and the number of images in flight, nothing else. Here is also
where failures end: they are told and counted, put off while a registry wants to be left alone, or stop the run. What
nobody expected is a failure of its unit, too: one image that trips over a bug of ours must not keep the others back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

from regsync.clock import Breath
from regsync.errors import RegsyncError
from regsync.events import (
    ImageCopied,
    ImageFailed,
    Tell,
)
from regsync.facts import working
from regsync.oci.digest import Digest
from regsync.oci.reference import parse_reference
from regsync.sync.around import Around, Copied
from regsync.sync.carry import Carrier, Order, Outcome
from regsync.sync.decide import Current, Decider, Decision, Delayed, Failed, Needed, Postponed
from regsync.sync.engine import Engine
from regsync.sync.entry import ImagePair, Pair, RegistryPair, RepositoryPair, Scope, SyncEntry, pair_of
from regsync.sync.expand import Expander
from regsync.sync.gates import name_backup, passed
from regsync.sync.later import Later
from regsync.sync.party import Party
from regsync.sync.quota import QuotaGate
from regsync.sync.survey import Looking, Looks, Survey
from regsync.sync.targets import Targets
from regsync.sync.telling import told
from regsync.sync.units import MOST, Unit, Units
from regsync.transfer.together import Group, together
from regsync.waiting import Activity

_AT_ONCE: Final = 1_000  # units that are added before others have a turn
_STEPS: Final = 200  # units that are done before they have, if they wait for nothing


def targets_of(entries: Sequence[SyncEntry]) -> Counter[str]:
    """Count the image entries that write into each repository: shared ones are listed instead of asked for each."""
    return Counter(parse_reference(entry.target).name for entry in entries if entry.kind == "image")


class Run:
    """One pass over entries in one scope.

    `since` (monotonic, seconds) is the moment from which on answers that others got are good enough; a run that was due
    earlier than it began shares what was asked meanwhile. `sharing` counts what `targets_of` does, over all entries
    there are and not only those of this run. `workers` is how much is done at once, looking included. `say` is
    told when nothing is left to do but to wait for what was put off, and when there is something again. `looking` is
    what a check finds out besides.
    """

    def __init__(
        self,
        engine: Engine,
        entries: Sequence[SyncEntry],
        *,
        scope: Scope,
        abort_on_error: bool,
        tell: Tell,
        since: float | None = None,
        sharing: Counter[str] | None = None,
        workers: int = MOST,
        say: Callable[[Activity], None] | None = None,
        looking: Looking | None = None,
    ) -> None:
        self._engine, self._clock = engine, engine.shared.clock
        self._entries, self._tell = entries, tell
        self._scope, self._abort_on_error = scope, abort_on_error
        self._wanted: Scope = "missing" if looking is not None and looking.missing else scope
        self._since = self._clock.monotonic() if since is None else since
        self._sharing = targets_of(entries) if sharing is None else sharing
        self._units, self._group = Units(entries, engine.place_of), Group()
        self._breath = Breath(self._clock, steps=_STEPS)
        self._most_workers, self._workers, self._failures = workers, 0, 0
        self._targets = Targets(engine.endpoints, engine.shared.seen, writing=scope != "check", tell=tell)
        self._decider = Decider(engine.endpoints, self._targets.open, engine.lookups)
        self._expander = Expander(engine.endpoints, engine.lookups, self._clock, tell=tell)
        self._around = Around(engine.run_hook, scope)
        self._gates = (*engine.gates, name_backup, self._around.gate)
        self._later = Later(self._units, self._group, clock=self._clock, tell=tell, say=say)
        self._quotas = QuotaGate(engine.endpoints, engine.lookups, self._clock)
        self._carrier = Carrier(
            engine.shared,
            lookups=engine.lookups,
            decider=self._decider,
            quotas=self._quotas,
            open_target=self._targets.open,
            images=engine.images,
            tell=tell,
        )
        self._survey = self._surveying() if looking is not None else None

    def _surveying(self) -> Survey:
        looks = Looks(self._decider, self._quotas, self._targets.open)
        return Survey(self._engine, self._entries, looks, since=self._since, tell=self._tell)

    async def run(self) -> int:
        """Work everything off and return how many images (or listings of images) failed."""
        async with self._targets:
            self._begin(self._units.first)
            self._hire()
            await self._group.joined()
            if self._survey is not None and not (self._failures and self._abort_on_error):
                await self._survey.finish()
        return self._failures

    def _begin(self, positions: Sequence[int]) -> None:
        for position in positions:
            entry = self._entries[position]
            try:
                self._units.put(Unit(position, pair_of(entry), self._since))
            except RegsyncError as error:  # a name that nobody checked before
                self._count(Failed("Failed to sync", entry.source, entry.target, error))
                self._begin(self._units.skip(position))

    def _hire(self) -> None:
        """Have as many workers as there is work for."""
        for _ in range(min(self._units.waiting, self._most_workers - self._workers)):
            self._workers += 1
            self._group.start(self._work())

    async def _work(self) -> None:
        self._later.busy()
        try:
            while units := self._units.take():
                await self._breath.step()
                try:
                    await self._work_off(units)
                except Exception as bug:  # noqa: BLE001 - and one between units ends these
                    self._count_bug(units[0].pair, bug)
                self._hire()  # only now, so that what units of one source add is taken together, too
        finally:
            self._workers -= 1
            if not self._workers:
                self._later.idle()

    async def _work_off(self, units: Sequence[Unit]) -> None:
        """Do units of one source; each ends for itself."""
        party: Party[Order, Outcome] = Party(len(units), self._carrier.carry_out, self._clock)
        if len(units) == 1:
            await self._end(units[0], party)
        else:
            await together(self._end(unit, party) for unit in units)

    async def _end(self, unit: Unit, party: Party[Order, Outcome]) -> None:
        """Do a unit, whatever becomes of it, and let go on what waited for it."""
        entry = self._entries[unit.position]
        image = str(unit.pair.target) if isinstance(unit.pair, ImagePair) else ""
        with working(entry=entry.name, image=image):
            ended = await self._do(entry, unit, party)
            if ended and self._units.is_last(unit):
                self._count(await self._around.after_entry(entry))
        if ended:
            self._begin(self._units.done(unit))

    async def _do(self, entry: SyncEntry, unit: Unit, party: Party[Order, Outcome]) -> bool:
        """Do a unit and say whether it has ended: one that was put off has not."""
        try:
            decision = await (
                self._sync(entry, unit, unit.pair, party)
                if isinstance(unit.pair, ImagePair)
                else self._expand(entry, unit, unit.pair)
            )
            if isinstance(decision, Delayed) and isinstance(unit.pair, ImagePair):
                self._later.delay(unit, unit.pair, decision, self._hire)
                return False
            if isinstance(decision, Postponed):
                if self._later.put_off(unit, decision, self._hire):
                    return False
                decision = decision.failed
            if isinstance(decision, Failed):
                self._count(decision)
            self._count(await self._around.after(entry, unit.pair, decision))
        except Exception as bug:  # noqa: BLE001 - a bug ends its unit and is shown as one; the run goes on
            party.needs_nothing()
            self._around.note_failure(entry)
            self._count_bug(unit.pair, bug)
        return True

    async def _sync(
        self, entry: SyncEntry, unit: Unit, pair: ImagePair, party: Party[Order, Outcome]
    ) -> Decision | Copied | None:
        """Bring one image up to date."""
        if unit.delayed and (held := await self._quotas.held_back(entry.limit, pair)) is not None:
            party.needs_nothing()
            return held  # before its target is asked for nothing
        decided = await self._decider.decide(
            entry, pair, scope=self._wanted, listed=self._is_listed(entry, pair), since=unit.since
        )
        looked = None if self._survey is None else self._survey.image(entry, pair, decided, since=unit.since)
        decision: Decision | None = decided if looked is None else await looked
        if isinstance(decision, Needed):
            self._tell_of(decision, entry, pair)
            if self._scope != "check":
                held = await self._quotas.held_back(entry.limit, pair, since=unit.since)
                decision = held or await passed(self._gates, entry, pair, decision)
        if not isinstance(decision, Needed):
            self._tell_of(decision, entry, pair)
        if not isinstance(decision, Needed) or self._scope == "check":
            party.needs_nothing()
            return decision
        outcome = await party.meet(Order(pair, decision, unit.since, entry.limit))
        if isinstance(outcome, RegsyncError):
            return Failed("Failed to copy image", str(pair.source), str(pair.target), outcome).decision()
        if not isinstance(outcome, Digest):
            if isinstance(outcome, Current):
                self._tell_of(outcome, entry, pair)
            return outcome
        self._tell(ImageCopied(str(pair.source), str(pair.target), str(outcome)))
        return Copied(outcome)

    def _tell_of(self, decision: Decision | None, entry: SyncEntry, pair: ImagePair) -> None:
        if event := told(decision, entry, pair):
            self._tell(event)

    def _is_listed(self, entry: SyncEntry, pair: ImagePair) -> bool:
        """Say whether the target's tags are worth listing: more than this image may be looked for among them."""
        return self._wanted == "missing" and (entry.kind != "image" or self._sharing[pair.target.name] > 1)

    async def _expand(
        self, entry: SyncEntry, unit: Unit, pair: RegistryPair | RepositoryPair
    ) -> Failed | Postponed | None:
        """Add what a listing comes to; None when it could be listed."""
        found = await self._expander.expand(entry, pair, since=unit.since)
        if self._survey is not None:
            await self._survey.listing(entry, pair, listed=not isinstance(found, Failed | Postponed))
        if isinstance(found, Failed | Postponed):
            return found
        for count, one in enumerate(found, start=1):
            if not count % _AT_ONCE:  # so that a hundred thousand tags hold nobody up
                await self._clock.sleep(0)
            if isinstance(one, Failed):
                self._count(one)
            else:
                self._units.put(Unit(unit.position, one, unit.since))
        return None

    def _count(self, failed: Failed | None) -> None:
        if failed is None:
            return
        error = failed.error
        self._tell(ImageFailed(failed.message, failed.source, failed.target, str(error), error.attempts))
        self._failed()

    def _count_bug(self, pair: Pair, bug: Exception) -> None:
        error = f"a bug in regsync: {type(bug).__name__}: {bug}"
        self._tell(ImageFailed("Failed to sync", str(pair.source), str(pair.target), error, 1, crash=bug))
        self._failed()

    def _failed(self) -> None:
        self._failures += 1
        if self._abort_on_error:
            self._group.cancel()
