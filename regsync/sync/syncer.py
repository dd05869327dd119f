"""One image: is it needed at the target, and if so, get it there. Deciding returns a value; `check` stops at it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from regsync.errors import CopyFailed, Forbidden, Incomplete, IntegrityError, NotFound, RegsyncError, Unsupported
from regsync.events import ImageCopied, ImageCurrent, ImageNeeded, ImageSkipped, Tell
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.reference import Reference
from regsync.repository import Endpoints, Repository
from regsync.sync.entry import ImagePair, Scope, SyncEntry, is_tagged
from regsync.sync.lookups import Lookups
from regsync.transfer.copier import Copier
from regsync.transfer.plan import plan_copy

T = TypeVar("T")
OpenTarget = Callable[[Reference], Awaitable[Repository]]


@dataclass(frozen=True, slots=True)
class Needed:
    """An image to be copied: what the source's name stands for, and the name it gets at the target."""

    source: Repository
    target: Repository
    root: Descriptor
    at: str | Digest


class Failed(Exception):
    """A unit of a run failed. `message` is the line people grep for; what becomes of it is the run's decision."""

    def __init__(self, message: str, source: str, target: str, error: RegsyncError) -> None:
        super().__init__(message)
        self.message = message
        self.source = source
        self.target = target
        self.error = error


class Syncer:
    """Compares and copies single images within one run; at most `images` are being copied at once."""

    def __init__(
        self,
        endpoints: Endpoints,
        open_target: OpenTarget,
        *,
        lookups: Lookups,
        copier: Copier,
        images: asyncio.Semaphore,
        tell: Tell,
    ) -> None:
        self._endpoints = endpoints
        self._open_target = open_target
        self._lookups = lookups
        self._copier = copier
        self._images = images
        self._tell = tell

    async def sync(self, entry: SyncEntry, pair: ImagePair, *, scope: Scope, listed: bool) -> None:
        """Bring one image up to date; raises `Failed`.

        `listed`: the target is shared by other images of this run, so its list of tags answers for all of them.
        """
        try:
            needed = await self._decide(entry, pair, scope=scope, listed=listed)
        except RegsyncError as error:
            raise Failed("Failed to lookup source manifest", str(pair.source), str(pair.target), error) from error
        if needed is None or scope == "check":
            return
        try:
            await self._carry_out(pair, needed)
        except RegsyncError as error:
            raise Failed("Failed to copy image", str(pair.source), str(pair.target), error) from error

    async def _decide(self, entry: SyncEntry, pair: ImagePair, *, scope: Scope, listed: bool) -> Needed | None:
        source = self._endpoints.open(pair.source)
        target = await self._open_target(pair.target)
        at = pair.target.ref
        if scope == "missing":  # by name is enough, and then the source need not be asked at all
            if await self._is_there(target, pair, listed=listed):
                self._tell(ImageCurrent(str(pair.source), str(pair.target), "present"))
                return None
            root = await self._lookups.head(source, pair.source.ref)
        else:
            found, there = await asyncio.gather(
                _outcome(self._lookups.head(source, pair.source.ref)), _outcome(_present(target, pair))
            )
            present, root = _value(there), _value(found)
            if present is not None and present.digest == await self._digest(source, root, present.digest.algorithm):
                self._tell(ImageCurrent(str(pair.source), str(pair.target), "same"))
                return None
        if root.media_type not in entry.media_types:
            self._tell(ImageSkipped(str(pair.source), root.media_type, entry.media_types))
            return None
        if isinstance(at, Digest) and at != (own := await self._digest(source, root, at.algorithm)):
            raise IntegrityError(f"the target wants {at}, and the source is {own}")
        self._tell(ImageNeeded(str(pair.source), str(pair.target)))
        return Needed(source, target, root, at)

    async def _digest(self, source: Repository, root: Descriptor, algorithm: str) -> Digest:
        """Return a manifest's digest in the algorithm the other end speaks; another one is reckoned from its bytes."""
        if algorithm == root.digest.algorithm:
            return root.digest
        return Digest.of((await self._lookups.manifest(source, root.digest)).raw, algorithm)

    async def _is_there(self, target: Repository, pair: ImagePair, *, listed: bool) -> bool:
        if listed and is_tagged(pair.target):
            tags = await self._lookups.tags(target)
            if tags is not None:
                return pair.target.ref in tags
        return await _present(target, pair) is not None

    async def _carry_out(self, pair: ImagePair, needed: Needed) -> None:
        async with self._images:
            try:
                await self._copy(needed)
            except CopyFailed as error:
                moved = await self._moved(pair, needed, error)
                if moved is None:
                    raise
                needed = moved
                await self._copy(needed)
        self._tell(ImageCopied(str(pair.source), str(pair.target), str(needed.root.digest)))

    async def _moved(self, pair: ImagePair, needed: Needed, error: CopyFailed) -> Needed | None:
        """Resolve the source's tag once more when parts of what it stood for are gone; None if it has not moved."""
        if not isinstance(error.__cause__, NotFound) or not is_tagged(pair.source):
            return None
        self._lookups.forget(needed.source, pair.source.ref)
        root = await self._lookups.head(needed.source, pair.source.ref)
        return Needed(needed.source, needed.target, root, needed.at) if root.digest != needed.root.digest else None

    async def _copy(self, needed: Needed) -> None:
        """Copy the image; a target that lacks what it said it has gets all of it once more."""
        try:
            await self._attempt(needed, trusting=True)
        except CopyFailed as error:
            if not isinstance(error.__cause__, Incomplete):
                raise
            await self._attempt(needed, trusting=False)

    async def _attempt(self, needed: Needed, *, trusting: bool) -> None:
        try:
            root = await self._lookups.manifest(needed.source, needed.root.digest)
        except RegsyncError as error:
            raise CopyFailed("plan", f"{needed.source.name}@{needed.root.digest}", error) from error
        plan = await plan_copy(
            needed.source, needed.target, root, at=needed.at, fetch=self._lookups.manifest, trusting=trusting
        )
        await self._copier.run(plan, needed.source, needed.target, trusting=trusting)


async def _present(target: Repository, pair: ImagePair) -> Descriptor | None:
    """Return what the target has.

    Some registries forbid looking at what is not there yet, or answer 400; that is no failure, pushing will show.
    """
    try:
        return await target.head_manifest(pair.target.ref)
    except (Forbidden, Unsupported):
        return None
    except RegsyncError as error:
        raise Failed("Failed to access target", str(pair.source), str(pair.target), error) from error


async def _outcome(asking: Awaitable[T]) -> T | RegsyncError | Failed:
    """Wait for an answer and return it, or the failure as a value: the other question is still under way."""
    try:
        return await asking
    except (RegsyncError, Failed) as error:
        return error


def _value(outcome: T | RegsyncError | Failed) -> T:
    if isinstance(outcome, (RegsyncError, Failed)):
        raise outcome
    return outcome
