"""One run over entries: everything at once that does not depend on something else.

What holds a run back is the hosts it talks to (`Limits`) and the number of images in flight, nothing else. Here is also
where failures end: they are told and counted, put off while a registry wants to be left alone, or stop the run.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.events import (
    ImageCurrent,
    ImageFailed,
    ImagePostponed,
    NoTagsMatched,
    TagsSelected,
    Tell,
    Warned,
)
from regsync.facts import working
from regsync.limits import KeyedLock, Limits
from regsync.oci.reference import Reference, parse_reference
from regsync.repository import Endpoints, Repository
from regsync.sync.entry import ImagePair, RepositoryPair, Scope, SyncEntry, image_of, repository_in, repository_of
from regsync.sync.lookups import Lookups
from regsync.sync.order import PlaceOf
from regsync.sync.syncer import Failed, Syncer
from regsync.sync.units import Unit, Units
from regsync.transfer.copier import Copier
from regsync.transfer.together import Group

_LONGEST = 900.0  # seconds a unit may be put off for in all; after that it fails, and the next run tries again


@dataclass(frozen=True, slots=True)
class Engine:
    """What the runs of a process share. `place_of` says which names stand for one place."""

    endpoints: Endpoints
    limits: Limits
    clock: Clock
    images: asyncio.Semaphore
    place_of: PlaceOf = str
    movers: KeyedLock = field(default_factory=KeyedLock)


class _Aborted(Exception):
    """Something failed, and the operator wants to stop at the first failure."""


class Run:
    """One pass over entries in one scope."""

    def __init__(
        self, engine: Engine, entries: Sequence[SyncEntry], *, scope: Scope, abort_on_error: bool, tell: Tell
    ) -> None:
        self._engine = engine
        self._entries = entries
        self._scope = scope
        self._abort_on_error = abort_on_error
        self._tell = tell
        self._lookups = Lookups()
        self._units = Units(entries, engine.place_of)
        self._group = Group()
        self._failures = 0
        self._targets: dict[str, Repository] = {}
        self._one_opener = asyncio.Lock()
        self._held = AsyncExitStack()
        self._sharing = _sharing(entries) if scope == "missing" else Counter()
        copier = Copier(engine.limits, engine.movers, clock=engine.clock, tell=tell)
        self._syncer = Syncer(
            engine.endpoints,
            self._target,
            lookups=self._lookups,
            copier=copier,
            images=engine.images,
            tell=tell,
        )

    async def run(self) -> int:
        """Work everything off and return how many images (or listings of images) failed."""
        if not self._entries:
            return 0
        for _ in range(self._units.crew):
            self._group.start(self._work())
        try:
            async with self._held:
                with suppress(_Aborted):  # told already; whoever was still working has been cancelled
                    await self._group.joined()
        except RegsyncError as error:  # of leaving the targets: what was copied is not touched by that
            self._tell(Warned("Failed to tidy a target", {"error": str(error)}))
        return self._failures

    async def _work(self) -> None:
        while (unit := await self._units.take()) is not None:
            entry = self._entries[unit.position]
            with working(entry=entry.name, image=_image_of(entry, unit)):
                try:
                    await self._do(entry, unit)
                except Failed as failed:
                    if self._postpone(unit, failed):
                        continue
                    self._count(failed)
                except RegsyncError as error:
                    self._count(Failed("Failed to sync", entry.source, entry.target, error))
            self._units.done(unit)

    async def _do(self, entry: SyncEntry, unit: Unit) -> None:
        match unit.part or _whole(entry):
            case ImagePair() as pair:
                listed = self._sharing[pair.target.name] > 1
                await self._syncer.sync(entry, pair, scope=self._scope, listed=listed)
            case RepositoryPair() as pair:
                await self._expand(entry, unit.position, pair)
            case None:
                await self._catalogue(entry, unit.position)

    def _postpone(self, unit: Unit, failed: Failed) -> bool:
        """Put the unit off if a registry asked for that and nobody holds anything meanwhile."""
        pause = failed.error.retry_after
        if pause is None or unit.waited + pause > _LONGEST:
            return False
        self._tell(ImagePostponed(failed.source, failed.target, pause, str(failed.error)))
        self._group.start(self._later(unit, pause))
        return True

    async def _later(self, unit: Unit, pause: float) -> None:
        await self._engine.clock.sleep(pause)
        self._units.put_back(unit, waited=pause)

    def _count(self, failed: Failed) -> None:
        error = failed.error
        self._tell(ImageFailed(failed.message, failed.source, failed.target, str(error), error.attempts))
        self._failures += 1
        if self._abort_on_error:
            raise _Aborted

    async def _catalogue(self, entry: SyncEntry, position: int) -> None:
        try:
            paths = [path async for path in self._engine.endpoints.repositories(entry.source)]
        except RegsyncError as error:
            raise Failed("Failed to list source repositories", entry.source, entry.target, error) from error
        for path in entry.repositories.choose(paths):
            try:
                self._units.put(position, repository_in(entry, path))
            except RegsyncError as error:
                self._count(Failed("Failed parsing target", f"{entry.source}/{path}", f"{entry.target}/{path}", error))

    async def _expand(self, entry: SyncEntry, position: int, pair: RepositoryPair) -> None:
        try:
            source = self._engine.endpoints.open(pair.source)
            available = [tag async for tag in source.tags()]
        except RegsyncError as error:
            raise Failed("Failed getting source tags", pair.source.name, pair.target.name, error) from error
        chosen = entry.tags.choose(available)
        self._tell(TagsSelected(source.name, len(available), len(chosen)))
        if not chosen:
            self._tell(NoTagsMatched(source.name, str(entry.tags), tuple(available)))
        present = await self._present(pair)
        for tag in chosen:
            image = ImagePair(pair.source.with_tag(tag), pair.target.with_tag(tag))
            if tag in present:
                self._tell(ImageCurrent(str(image.source), str(image.target), "present"))
            else:
                self._units.put(position, image)

    async def _present(self, pair: RepositoryPair) -> frozenset[str]:
        """Return the tags that need not be looked at, since by name they are there and that is enough."""
        if self._scope != "missing":
            return frozenset()
        return await self._lookups.tags(await self._target(pair.target)) or frozenset()

    async def _target(self, reference: Reference) -> Repository:
        """Open a target for the rest of this run; a check only looks."""
        opened = self._targets.get(reference.name)
        if opened is not None:
            return opened
        async with self._one_opener:
            if reference.name not in self._targets:
                self._targets[reference.name] = await self._open(reference)
            return self._targets[reference.name]

    async def _open(self, reference: Reference) -> Repository:
        if self._scope == "check":
            return self._engine.endpoints.open(reference)
        return await self._held.enter_async_context(self._engine.endpoints.writing(reference))


def _whole(entry: SyncEntry) -> ImagePair | RepositoryPair | None:
    """Return all an entry is about; None for a registry, whose repositories have to be listed."""
    match entry.kind:
        case "image":
            return image_of(entry)
        case "repository":
            return repository_of(entry)
        case "registry":
            return None


def _image_of(entry: SyncEntry, unit: Unit) -> str:
    """Return the target's name of the image a unit is about; empty for a listing."""
    if isinstance(unit.part, ImagePair):
        return str(unit.part.target)
    return entry.target if entry.kind == "image" else ""


def _sharing(entries: Sequence[SyncEntry]) -> Counter[str]:
    """Count the image entries that write into each repository."""
    return Counter(parse_reference(entry.target).name for entry in entries if entry.kind == "image")
