"""One run over entries: everything at once that does not depend on something else.

Entries, repositories and images are units of one queue that a fixed crew works off, so an `image` entry costs a tuple
and no task of its own, and a repository of ten thousand tags is not ten thousand tasks. What holds the crew back is the
hosts they talk to (`Limits`) and the number of images in flight, nothing else.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.events import ImageCurrent, ImageFailed, NoTagsMatched, Observer, TagsSelected
from regsync.limits import KeyedLock, Limits
from regsync.oci.reference import Reference, parse_reference
from regsync.repository import Endpoints, Repository
from regsync.sync.entry import ImagePair, RepositoryPair, Scope, SyncEntry, image_of, repository_in, repository_of
from regsync.sync.lookups import Lookups
from regsync.sync.order import predecessors
from regsync.sync.syncer import Syncer
from regsync.transfer.copier import Copier
from regsync.transfer.together import together

_MOST = 256  # units under way at once; most of them wait for a host


@dataclass(frozen=True, slots=True)
class Engine:
    """What the runs of a process share."""

    endpoints: Endpoints
    limits: Limits
    clock: Clock
    images: asyncio.Semaphore
    movers: KeyedLock = field(default_factory=KeyedLock)


class _Aborted(Exception):
    """Something failed, and the operator wants to stop at the first failure."""


_Unit = tuple[int, ImagePair | RepositoryPair | None]  # position of the entry, and the part of it; None for all of it


class Run:
    """One pass over entries in one scope."""

    def __init__(
        self, engine: Engine, entries: Sequence[SyncEntry], *, scope: Scope, abort_on_error: bool, tell: Observer
    ) -> None:
        self._engine = engine
        self._entries = entries
        self._scope = scope
        self._abort_on_error = abort_on_error
        self._tell = tell
        self._lookups = Lookups()
        self._units: asyncio.Queue[_Unit | None] = asyncio.Queue()
        self._open_units: Counter[int] = Counter()
        self._before = [set(before) for before in predecessors(entries)]
        self._after = _turned(self._before)
        self._left = len(entries)
        # Images are all there is to do for image entries; what the others list is not known before.
        self._crew = min(_MOST, len(entries)) if all(entry.kind == "image" for entry in entries) else _MOST
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
        for position, before in enumerate(self._before):
            if not before:
                self._put(position, None)
        async with self._held:
            with suppress(_Aborted):  # told already; whoever was still working has been cancelled
                await together(self._work() for _ in range(self._crew))
        return self._failures

    async def _work(self) -> None:
        while (unit := await self._units.get()) is not None:
            position, part = unit
            if not await self._do(self._entries[position], position, part):
                self._failures += 1
                if self._abort_on_error:
                    raise _Aborted
            self._done(position)

    async def _do(self, entry: SyncEntry, position: int, part: ImagePair | RepositoryPair | None) -> bool:
        match part:
            case ImagePair():
                listed = self._sharing[part.target.name] > 1
                return await self._syncer.sync(entry, part, scope=self._scope, listed=listed)
            case RepositoryPair():
                return await self._expand(entry, position, part)
            case None if entry.kind == "image":
                return await self._do(entry, position, image_of(entry))
            case None if entry.kind == "repository":
                return await self._do(entry, position, repository_of(entry))
            case None:
                return await self._catalogue(entry, position)

    def _put(self, position: int, part: ImagePair | RepositoryPair | None) -> None:
        self._open_units[position] += 1
        self._units.put_nowait((position, part))

    def _done(self, position: int) -> None:
        """Count one unit of an entry as ended; the last one lets those begin that waited for the entry."""
        self._open_units[position] -= 1
        if self._open_units[position]:
            return
        del self._open_units[position]
        self._left -= 1
        for follower in self._after.get(position, ()):
            self._before[follower].discard(position)
            if not self._before[follower]:
                self._put(follower, None)
        if not self._left:
            for _ in range(self._crew):
                self._units.put_nowait(None)

    async def _catalogue(self, entry: SyncEntry, position: int) -> bool:
        try:
            paths = [path async for path in self._engine.endpoints.repositories(entry.source)]
        except RegsyncError as error:
            return self._failed("Failed to list source repositories", entry.source, entry.target, error)
        for path in entry.repositories.choose(paths):
            self._put(position, repository_in(entry, path))
        return True

    async def _expand(self, entry: SyncEntry, position: int, pair: RepositoryPair) -> bool:
        source = self._engine.endpoints.open(pair.source)
        try:
            available = [tag async for tag in source.tags()]
        except RegsyncError as error:
            return self._failed("Failed getting source tags", pair.source.name, pair.target.name, error)
        chosen = entry.tags.choose(available)
        self._tell(TagsSelected(source.name, len(available), len(chosen)))
        if not chosen:
            self._tell(NoTagsMatched(source.name, tuple(available)))
        present = await self._present(pair)
        for tag in chosen:
            image = ImagePair(pair.source.with_tag(tag), pair.target.with_tag(tag))
            if tag in present:
                self._tell(ImageCurrent(str(image.source), str(image.target), "present"))
            else:
                self._put(position, image)
        return True

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

    def _failed(self, message: str, source: str, target: str, error: RegsyncError) -> bool:
        self._tell(ImageFailed(message, source, target, str(error), error.attempts))
        return False


def _turned(before: Sequence[set[int]]) -> dict[int, list[int]]:
    """Return who waits for each entry."""
    after: dict[int, list[int]] = {}
    for follower, leaders in enumerate(before):
        for leader in leaders:
            after.setdefault(leader, []).append(follower)
    return after


def _sharing(entries: Sequence[SyncEntry]) -> Counter[str]:
    """Count the image entries that write into each repository."""
    return Counter(parse_reference(entry.target).name for entry in entries if entry.kind == "image")
