"""What is to become of one image: a value that can be printed, counted and compared, before anything is done.

`check`, the run and whatever looks at a run later read the same five kinds of decisions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeVar

from regsync.errors import CopyFailed, IntegrityError, Misnamed, NotFound, RegsyncError, Unreadable
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.mediatype import INDEXES
from regsync.oci.platform import Platform, best
from regsync.oci.reference import Reference
from regsync.repository import Endpoints, Quota, Repository
from regsync.sync.entry import ImagePair, Scope, SyncEntry, is_tagged
from regsync.sync.lookups import Lookups
from regsync.sync.planning import Remembered
from regsync.transfer.looking import says_nothing
from regsync.transfer.options import PLAIN, CopyOptions
from regsync.transfer.plan import CopyPlan, plan_copy
from regsync.transfer.step import Asking, Detour, reckoned, stands_for

T = TypeVar("T")
_NO_DETOUR: Final = Detour()
_NO_PLATFORM: Final = "unknown/unknown"  # what attestations are listed as
_PLATFORMS_SHOWN: Final = 20
LOOKUP_FAILED: Final = "Failed to lookup source manifest"
OpenTarget = Callable[[Reference], Awaitable[Repository]]


@dataclass(frozen=True, slots=True)
class Current:
    """Nothing to do: the target has the image, by name or (having looked) the very same, which then is `image`."""

    how: Literal["present", "same"]
    image: Descriptor | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """The image is of a media type its entry does not copy."""

    media_type: str


@dataclass(frozen=True, slots=True)
class Needed:
    """An image to be copied: what the source's name stands for, how much of it, and the name it gets at the target.

    `before` is what that name stands for at the target now, None where it is not there or may not be looked at.
    `backup`, if any, is the name under which that is kept. `there`: that is the image already, and it lacks only some
    of what belongs to it. `detour`: where its referrers are.
    """

    source: Repository
    target: Repository
    root: Descriptor
    at: str | Digest
    before: Descriptor | None = None
    options: CopyOptions = PLAIN
    there: bool = False
    detour: Detour = _NO_DETOUR
    backup: Reference | None = None

    async def plan(self, asking: Asking, *, trusting: bool = True) -> CopyPlan:
        """Plan the copy; `CopyFailed` says why it cannot be."""
        return await plan_copy(
            self.source,
            self.target,
            self.root,
            at=self.at,
            asking=asking,
            options=self.options,
            detour=self.detour,
            there=self.there,
            trusting=trusting,
        )


@dataclass(frozen=True, slots=True)
class Postponed:
    """Somebody asked to be left alone for `asked` seconds; `failed` is what it comes to if nobody waits that long."""

    asked: float
    failed: Failed


@dataclass(frozen=True, slots=True)
class Delayed:
    """The source lets fewer images be fetched than are to be `least`; it is asked again in `pause` seconds."""

    quota: Quota
    least: int
    pause: float


@dataclass(frozen=True, slots=True)
class Failed:
    """A unit of a run failed. `message` is the line people grep for."""

    message: str
    source: str
    target: str
    error: RegsyncError

    def decision(self) -> Failed | Postponed:
        """Return this, or that it is to be tried later."""
        return self if self.error.retry_after is None else Postponed(self.error.retry_after, self)


Decision = Current | Skipped | Needed | Postponed | Delayed | Failed


class Decider:
    """Compares single images."""

    def __init__(self, endpoints: Endpoints, open_target: OpenTarget, lookups: Lookups) -> None:
        self._endpoints = endpoints
        self._open_target = open_target
        self._lookups = lookups

    async def decide(self, entry: SyncEntry, pair: ImagePair, *, scope: Scope, listed: bool, since: float) -> Decision:
        """Say what is to become of an image, by answers given since this moment (monotonic, seconds).

        `listed`: the target is shared by other images, so its list of tags answers for all of them.
        """
        try:
            try:
                return await self._decision(entry, pair, scope=scope, listed=listed, since=since)
            except (CopyFailed, Misnamed) as error:
                if not is_misnamed(error) or not is_tagged(pair.source):
                    raise
            self._lookups.forget(self._endpoints.open(pair.source), pair.source.ref, sparse=entry.options.parts)
            return await self._decision(entry, pair, scope=scope, listed=listed, since=since)
        except _TargetTrouble as trouble:
            return _failed("Failed to access target", pair, trouble.error)
        except CopyFailed as error:
            return _failed("Failed to copy image", pair, error)
        except _NoSuchPlatform as error:
            return _failed("Platform could not be found in source manifest list", pair, error)
        except Unreadable as error:
            if error.media_type not in entry.media_types:
                return Skipped(error.media_type)
            return _failed(LOOKUP_FAILED, pair, error)
        except RegsyncError as error:
            return _failed(LOOKUP_FAILED, pair, error)

    async def _decision(
        self, entry: SyncEntry, pair: ImagePair, *, scope: Scope, listed: bool, since: float
    ) -> Decision:
        source, ref, options = self._endpoints.open(pair.source), pair.source.ref, entry.options
        target = await self._opened(pair.target)
        asking = Remembered(self._lookups, since)
        at, present, same = pair.target.ref, None, False
        if scope == "missing":  # by name is enough, and then the source need not be asked at all
            if await self._is_there(target, pair, options, listed=listed, since=since):
                return Current("present")
            root = await self._lookups.head(source, ref, since=since, sparse=options.parts)
        else:
            found, there = await asyncio.gather(  # which returns only when both have ended
                self._lookups.head(source, ref, since=since, sparse=options.parts),
                _present(target, at, options),
                return_exceptions=True,
            )
            present, root = _value(there), _value(found)
            same = present is not None and await stands_for(asking, source, root, present.digest)
        if same and not options.refreshes:
            return Current("same", present)
        if root.media_type not in entry.media_types:
            return Skipped(root.media_type)
        part = await self._part(source, root, options, since=since)
        if part is not root:
            same = present is not None and await stands_for(asking, source, part, present.digest)
        if isinstance(at, Digest) and at != (own := await reckoned(asking, source, part, at.algorithm)):
            raise IntegrityError(f"the target wants {at}, and the source is {own}")
        needed = Needed(source, target, part, at, present, options, same, await self._detour(options))
        if same and not await self._lacks_something(needed, scope, since=since):
            return Current("same", present)
        return needed

    async def _detour(self, options: CopyOptions) -> Detour:
        """Open the repositories referrers are read from and written to, where those are others."""
        referrers = options.referrers
        if referrers is None:
            return _NO_DETOUR
        source = None if referrers.source is None else self._endpoints.open(referrers.source)
        return Detour(source, None if referrers.target is None else await self._opened(referrers.target))

    async def _opened(self, target: Reference) -> Repository:
        try:
            return await self._open_target(target)
        except RegsyncError as error:
            raise _TargetTrouble(error) from error

    async def _lacks_something(self, needed: Needed, scope: Scope, *, since: float) -> bool:
        """Say whether an image that is there lacks some of what belongs to it."""
        if not needed.options.refreshes:
            return False
        if needed.options.insists and scope != "check":
            return True  # whatever is found, its manifests are sent again
        plan = await needed.plan(Remembered(self._lookups, since))
        return await plan.adds() if needed.options.insists else not plan.empty

    async def moved(self, pair: ImagePair, needed: Needed, *, since: float) -> Needed | Current | None:
        """Resolve the source's tag once more, since parts of what it stood for are gone; None if it has not moved.

        The target may have all of what it stands for now: a registry has said something else before.
        """
        if not is_tagged(pair.source):
            return None
        source, ref, parts = needed.source, pair.source.ref, needed.options.parts
        self._lookups.forget(source, ref, sparse=parts)
        root = await self._lookups.head(source, ref, since=since, sparse=parts)
        part = await self._part(needed.source, root, needed.options, since=since)
        if part.digest == needed.root.digest:
            return None
        before = needed.before
        found = replace(needed, root=part, there=before is not None and before.digest == part.digest)
        if found.there and not await self._lacks_something(found, "changed", since=since):
            return Current("same", before)
        return found

    async def _part(self, source: Repository, root: Descriptor, options: CopyOptions, *, since: float) -> Descriptor:
        """Return the image of an index that is wanted for its platform, or the root itself."""
        if options.platform is None or root.media_type not in INDEXES:
            return root
        children = (await self._lookups.manifest(source, root, since=since)).children
        child = best(options.platform, children)
        if child is None:
            raise _NoSuchPlatform(source, root.digest, options.platform, children)
        return child

    async def _is_there(
        self, target: Repository, pair: ImagePair, options: CopyOptions, *, listed: bool, since: float
    ) -> bool:
        if listed and is_tagged(pair.target):
            tags = await self._lookups.present(target, since=since)
            if tags is not None:
                return pair.target.ref in tags
        return await _present(target, pair.target.ref, options) is not None


class _NoSuchPlatform(NotFound):
    """An index lists nothing that runs on this platform; the message says what it lists."""

    def __init__(self, source: Repository, index: Digest, wanted: Platform, children: Sequence[Descriptor]) -> None:
        having = dict.fromkeys(str(child.platform) for child in children if child.platform is not None)
        shown = [name for name in having if name != _NO_PLATFORM][:_PLATFORMS_SHOWN]
        super().__init__(f"{source.name}@{index} has no image for {wanted}; it has {', '.join(shown) or 'none at all'}")


class _TargetTrouble(Exception):
    """It is the target that could not be asked."""

    def __init__(self, error: RegsyncError) -> None:
        super().__init__(str(error))
        self.error = error


async def _present(target: Repository, at: str | Digest, options: CopyOptions) -> Descriptor | None:
    """Return what the target has; where that cannot be seen, pushing will show, unless it is a login that is wrong."""
    try:
        return await target.head_manifest(at, sparse=options.platforms)
    except RegsyncError as error:
        if says_nothing(error):
            return None
        raise _TargetTrouble(error) from error


def is_misnamed(error: RegsyncError) -> bool:
    """Say whether this is for a digest that was only said to be the tag's: looked at again, it is known by its own."""
    return isinstance(error.__cause__ if isinstance(error, CopyFailed) else error, Misnamed)


def _failed(message: str, pair: ImagePair, error: RegsyncError) -> Failed | Postponed:
    return Failed(message, str(pair.source), str(pair.target), error).decision()


def _value(outcome: T | BaseException) -> T:
    if isinstance(outcome, BaseException):
        raise outcome
    return outcome
