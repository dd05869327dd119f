"""What one process has learnt by looking and does not ask again.

Many entries name the same source, and a target repository is often shared by hundreds of them: a source's tag is
resolved once, a manifest fetched once, tags listed once. How long an answer is good: `sync/answers.py`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from contextlib import nullcontext
from typing import Final
from weakref import WeakValueDictionary

from regsync.clock import Clock
from regsync.errors import (
    Forbidden,
    IntegrityError,
    Malformed,
    Misled,
    NoSuchRepository,
    NotFound,
    NotOurs,
    RegsyncError,
    Unsupported,
)
from regsync.limits import KeyedLock
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest, digest_tags
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import fallback_tag, is_fallback_tag
from regsync.repository import Endpoints, Quota, Repository
from regsync.sync.answers import Age, Aged, Answers
from regsync.transfer.seen import Seen

_HEADS: Final = 50_000
_NAMES: Final = 500_000  # tags, over all lists that are kept
_REFERRERS: Final = 100_000  # over all lists that are kept
_SETTLED: Final = 3600.0  # seconds; what refers to a referrer is asked as often, and its image's list every time
_NO_AGE: Final = Age(0, 0.0)
_BYTES: Final = 8 << 20  # of manifests; one may have as many, held several times while it is read
_UNSIZED: Final = 4  # manifests at once that are fetched by tag, of whatever length
_LARGE: Final = 1 << 20  # bytes; manifests above are fetched one at a time
_TagsOf = Mapping[Digest, tuple[str, ...]]


class Lookups:
    """The memory of what was seen at sources, and of the lists of targets' tags.

    Targets that turn out not to be there yet are told to `seen`, by which copies know them. `referrers_age` is how long
    lists of referrers are good, None where each run asks for them.
    """

    def __init__(self, clock: Clock, seen: Seen | None = None, *, referrers_age: Age | None = None) -> None:
        self._clock = clock
        self._seen = Seen(clock) if seen is None else seen
        self._heads: Answers[Descriptor | str] = Answers(clock, most=_HEADS)
        self._tags: Answers[tuple[str, ...]] = Answers(clock, most=_NAMES, weigh=lambda tags: 1 + len(tags))
        self._present: Answers[frozenset[str] | None] = Answers(
            clock, most=_NAMES, weigh=lambda tags: 1 + len(tags or ())
        )
        self._catalogues: Answers[tuple[str, ...]] = Answers(clock, most=_NAMES, weigh=lambda paths: 1 + len(paths))
        self._manifests: Answers[Manifest] = Answers(
            clock, most=_BYTES, weigh=lambda manifest: len(manifest.raw), lasting=True
        )
        self._digest_tags: Answers[_TagsOf] = Answers(clock, most=_NAMES, weigh=_weight_of_tags)
        self._lists: Answers[frozenset[str]] = Answers(clock, most=_NAMES, weigh=lambda tags: 1 + len(tags))
        self._referrers: Answers[tuple[Descriptor, ...]] = Answers(
            clock, most=_REFERRERS, weigh=lambda found: 1 + len(found)
        )
        self._aged: Aged[tuple[Descriptor, ...]] = Aged(clock, referrers_age or _NO_AGE)
        self._by_digest: WeakValueDictionary[Digest, Manifest] = WeakValueDictionary()
        self._large = asyncio.Lock()
        self._one_counter = KeyedLock()
        self._unsized = asyncio.Semaphore(_UNSIZED)

    async def head(
        self,
        source: Repository,
        ref: str | Digest,
        *,
        since: float,
        fetching: bool = False,
        sparse: Platforms | None = None,
    ) -> Descriptor:
        """Return what a source's tag or digest stands for; `NotFound` when it is not there.

        A list or the configuration names it, so GET has the last word: Nexus answers 404 to HEAD for what it has, and
        others refuse it.
        Where a source is looked into (a layout that is written to as well), `sparse` says which children count.
        `fetching`: where that has to be asked, its manifest is fetched, for it is wanted next.
        """

        async def looked() -> Descriptor | str:
            return await _headed(source, ref, sparse) or await _got(source, ref)

        async def fetched() -> Descriptor:
            async with self._unsized:
                manifest = await source.get_manifest(ref)

            async def given() -> Manifest:
                return manifest

            await self._manifests.get((source.name, manifest.digest), given, since=since)
            return manifest.descriptor

        ask = fetched if fetching else looked
        found = await self._heads.get(_head_key(source, ref, sparse), ask, since=since)
        if isinstance(found, str):
            how = f"; no registry says it so: {found}" if found else ""
            raise NotFound(f"{source.name}: {ref} is not there{how}")
        return found

    async def quota(self, source: Repository, ref: str | Digest, *, since: float) -> Quota:
        """Return what a source says of how much may be fetched; a look at this tag or digest asks it, for all."""
        if source.quota.heard < since:
            async with self._one_counter(source.name):
                if source.quota.heard < since:
                    await self.head(source, ref, since=since)
        return source.quota

    def forget(self, source: Repository, ref: str | Digest, *, sparse: Platforms | None = None) -> None:
        """Ask again next time: what this stood for is gone."""
        self._heads.forget(_head_key(source, ref, sparse))

    async def manifest(self, source: Repository, wanted: Descriptor, *, since: float) -> Manifest:
        """Return a manifest by digest: from its descriptor, from memory if any source has given it, or from this one.

        `IntegrityError`: it is of another type or length than it is listed with.
        """
        if wanted.data is not None:
            return Manifest.read(wanted.data, content_type=wanted.media_type, expected=wanted.digest)
        kept = self._by_digest.get(wanted.digest)
        if kept is None:
            key = (source.name, wanted.digest)
            kept = await self._manifests.get(key, lambda: self._fetched(source, wanted), since=since)
            self._by_digest[wanted.digest] = kept
        known = mediatype.is_manifest(wanted.media_type)  # else the type it is listed with says nothing
        if len(kept.raw) != wanted.size or (known and kept.media_type != wanted.media_type):
            raise IntegrityError(
                f"manifest {wanted.digest} is {kept.media_type} of {len(kept.raw)} bytes, "
                f"but it is listed as {wanted.media_type} of {wanted.size}"
            )
        return kept

    async def _fetched(self, source: Repository, wanted: Descriptor) -> Manifest:
        async with self._large if wanted.size > _LARGE else nullcontext():
            return await source.get_manifest(wanted.digest)

    async def tags(self, source: Repository, *, since: float) -> tuple[str, ...]:
        """Return the tags of a source, in its order; `NotFound` when it is not there."""

        async def ask() -> tuple[str, ...]:
            return tuple([tag async for tag in source.tags()])

        return await self._tags.get(source.name, ask, since=since)

    async def digest_tags(self, source: Repository, digest: Digest, *, since: float) -> Sequence[str]:
        """Return the tags of a source whose names begin with this digest."""

        async def ask() -> _TagsOf:
            return digest_tags(await self.tags(source, since=since))

        return (await self._digest_tags.get(source.name, ask, since=since)).get(digest, ())

    async def referrers(
        self, source: Repository, subject: Digest, *, slow: bool, settled: bool, since: float
    ) -> tuple[Descriptor, ...]:
        """Return what refers to a digest of a source; where that is `settled`, an answer of an hour ago is enough."""
        key = (source.name, subject, slow)
        aged = self._aged.get(key)
        if aged is not None:
            return aged

        async def ask() -> tuple[Descriptor, ...]:
            if settled and not slow and await self._is_unlisted(source, subject, since=since):
                return ()
            asked = self._clock.monotonic()
            found = await source.referrers(subject, slow=slow)
            self._aged.keep(key, found, asked=asked)
            return found

        return await self._referrers.get(key, ask, since=since - (_SETTLED if settled else 0.0))

    async def _is_unlisted(self, source: Repository, subject: Digest, *, since: float) -> bool:
        """Say whether tags that were listed anyway show lists of referrers, and none of this subject."""
        if not source.lists_under_tags or not self._tags.has(source.name, since=since):
            return False

        async def ask() -> frozenset[str]:
            return frozenset(filter(is_fallback_tag, await self.tags(source, since=since)))

        lists = await self._lists.get(source.name, ask, since=since)
        return bool(lists) and fallback_tag(subject) not in lists

    async def repositories(self, endpoints: Endpoints, host: str, *, since: float) -> tuple[str, ...]:
        """Return the paths of all repositories of a registry, in its order."""

        async def ask() -> tuple[str, ...]:
            return tuple([path async for path in endpoints.repositories(host)])

        return await self._catalogues.get(host, ask, since=since)

    async def present(self, target: Repository, *, since: float) -> frozenset[str] | None:
        """Return the tags a target has; None when it cannot be asked, so that each image has to be."""
        return await self._present.get(target.name, lambda: self._listed(target), since=since)

    def is_new(self, target: Repository, *, since: float) -> bool:
        """Say whether a target was found not to be there, so that it has nothing but what was copied since."""
        return self._seen.is_new(target, since=since)

    async def _listed(self, target: Repository) -> frozenset[str] | None:
        try:
            return frozenset([tag async for tag in target.tags()])
        except NotFound as error:
            if isinstance(error, NoSuchRepository):
                self._seen.found_new(target)
            return frozenset()
        except RegsyncError:
            return None


async def _headed(source: Repository, ref: str | Digest, sparse: Platforms | None) -> Descriptor | None:
    try:
        return await source.head_manifest(ref, sparse=sparse)
    except (Forbidden, Malformed, Misled, Unsupported):
        return None


async def _got(source: Repository, ref: str | Digest) -> Descriptor | str:
    """Return what this stands for; where it is not there how that is said, "" for as a registry does."""
    try:
        return (await source.get_manifest(ref)).descriptor
    except NotFound as error:
        return error.said if isinstance(error, NotOurs) else ""


def _head_key(source: Repository, ref: str | Digest, sparse: Platforms | None) -> Hashable:
    return source.name, ref, sparse if source.tidied else None


def _weight_of_tags(tags: _TagsOf) -> int:
    return 1 + sum(map(len, tags.values()))
