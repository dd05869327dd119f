"""A repository whose registry has mirrors: read from whoever is to be asked first and has it.

Candidates are the mirrors and the registry itself. Those in trouble (left alone, pausing) come last, then the lower
`priority` comes first, and of equals the mirrors. A mirror is asked once; what it lacks, refuses or fails at is asked
of the next candidate, and a blob that breaks at one goes on at the next from the same byte. The registry itself has all
of its tries, and what it does not have is nowhere. When nobody can answer, it is its failure that counts.

Bytes are proved by their digests wherever they come from. What a tag stands for is believed of whoever is asked first,
and so is what there is of tags and referrers, as in the Go regsync. What is written goes to the registry alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import TracebackType
from typing import TypeVar

from regsync.errors import IntegrityError, NotFound, RegsyncError
from regsync.events import Tell, Warned
from regsync.limits import Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.registry.host import HostSettings, OnRegistry
from regsync.registry.repository import RegistryRepository
from regsync.repository import UNCOUNTED, BlobWriter, Chunks, Quota, Repository

_MOST_DOUBTS = 1024
_T = TypeVar("_T")


class Complaints:
    """Tells of a mirror that fails, once until it works again."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: set[str] = set()

    def fails(self, mirror: RegistryRepository, error: RegsyncError) -> None:
        """Note that a mirror could not answer."""
        if mirror.registry not in self._told:
            self._told.add(mirror.registry)
            fields = {"mirror": mirror.registry, "repository": mirror.path, "error": str(error)}
            self._tell(Warned("A mirror fails, others are asked instead", fields))

    def works(self, mirror: RegistryRepository) -> None:
        """Note that a mirror has answered, be it that it does not have what was wanted."""
        self._told.discard(mirror.registry)


class _Round:
    """One question, asked of one candidate after another; `failure` is what it comes to if none can answer."""

    def __init__(self, upstream: RegistryRepository, complaints: Complaints) -> None:
        self._upstream = upstream
        self._complaints = complaints
        self.failure: RegsyncError = NotFound(f"{upstream.name}: nobody has it")

    def of(self, candidate: RegistryRepository, blob: Descriptor) -> Descriptor:
        """Return the blob as it is asked for: only the registry itself is worth looking elsewhere after."""
        return blob if candidate is self._upstream else replace(blob, urls=())

    def answered(self, candidate: RegistryRepository) -> None:
        """Note an answer."""
        self._complaints.works(candidate)

    def failed(self, candidate: RegistryRepository, error: RegsyncError) -> None:
        """Note why a candidate does not answer; raises what is final: the registry itself does not have it."""
        if candidate is self._upstream:
            if isinstance(error, NotFound):
                raise error
            self.failure = error
        elif isinstance(error, NotFound):
            self._complaints.works(candidate)
        else:
            self._complaints.fails(candidate, error)


class MirroredRepository(OnRegistry):
    """One repository and its mirrors, to be read from."""

    def __init__(
        self,
        upstream: RegistryRepository,
        settings: HostSettings,
        mirrors: Iterable[RegistryRepository],
        *,
        limits: Limits,
        complaints: Complaints,
    ) -> None:
        super().__init__(settings, upstream.path)
        self._upstream = upstream
        self._everybody = (*mirrors, upstream)
        self._limits = limits
        self._complaints = complaints
        self._doubts: set[tuple[str, Digest]] = set()  # mirrors, and blobs they gave wrong bytes of

    @property
    def host(self) -> str:
        """Whoever is asked first: a transfer holds its slot, until it has to turn to another."""
        return self._order()[0].host

    @property
    def quota(self) -> Quota:
        """What was said last, by whoever was asked and says anything."""
        quotas = [candidate.quota for candidate in self._everybody]
        return max([one for one in quotas if one != UNCOUNTED] or quotas, key=lambda quota: quota.heard)

    def _order(self) -> Sequence[RegistryRepository]:
        return sorted(self._everybody, key=lambda candidate: candidate.standing)  # stable: mirrors come first

    async def _asked(self, ask: Callable[[RegistryRepository], Awaitable[_T]]) -> _T:
        """Return the first answer; `NotFound` is none, but for the registry's own."""
        asking = _Round(self._upstream, self._complaints)
        for candidate in self._order():
            try:
                answer = await ask(candidate)
            except RegsyncError as error:
                asking.failed(candidate, error)
            else:
                asking.answered(candidate)
                return answer
        raise asking.failure

    @property
    def lists_under_tags(self) -> bool:
        """Each mirror may keep referrers in a way of its own."""
        return False

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        """Return what a tag or digest names at the first who has it."""

        async def ask(candidate: RegistryRepository) -> Descriptor:
            return _there(await candidate.head_manifest(ref, sparse=sparse))

        try:
            return await self._asked(ask)
        except NotFound:
            return None

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Fetch a manifest from the first who has it, and whole."""
        return await self._asked(lambda candidate: candidate.get_manifest(ref))

    async def referrers(self, subject: Digest, *, slow: bool = False) -> tuple[Descriptor, ...]:
        """Return what the first lists who has any: a mirror that lacks the image itself lists nothing, too."""

        async def ask(candidate: RegistryRepository) -> tuple[Descriptor, ...]:
            return _there(await candidate.referrers(subject, slow=slow))

        try:
            return await self._asked(ask)
        except NotFound:
            return ()

    async def has_blob(self, blob: Descriptor) -> bool:
        """Ask for the blob, of one after another."""

        async def ask(candidate: RegistryRepository) -> bool:
            return _there(await candidate.has_blob(blob))

        try:
            return await self._asked(ask)
        except NotFound:
            return False

    async def blob_size(self, digest: Digest) -> int | None:
        """Ask for the blob, of one after another."""

        async def ask(candidate: RegistryRepository) -> int:
            return _there(await candidate.blob_size(digest))

        try:
            return await self._asked(ask)
        except NotFound:
            return None

    async def tags(self) -> AsyncIterator[str]:
        """Every tag of the first list that comes to its end."""

        async def ask(candidate: RegistryRepository) -> list[str]:
            return [tag async for tag in candidate.tags()]

        for tag in await self._asked(ask):
            yield tag

    @asynccontextmanager
    async def open_blob(self, blob: Descriptor, *, start: int = 0) -> AsyncIterator[Chunks]:
        """Open the blob's bytes from byte `start` on; mirrors that give wrong ones are not asked for it again."""
        asking = _Round(self._upstream, self._complaints)
        candidates = [one for one in self._order() if (one.registry, blob.digest) not in self._doubts]
        reading = _Reading(blob, start, candidates, asking, self._limits)
        try:
            async with reading as chunks:
                yield chunks
        except IntegrityError as error:
            self._doubt(blob, reading.given, error)
            raise

    def _doubt(self, blob: Descriptor, given: Iterable[RegistryRepository], error: IntegrityError) -> None:
        for mirror in given:
            if mirror is not self._upstream:
                self._complaints.fails(mirror, error)
                if len(self._doubts) >= _MOST_DOUBTS:
                    self._doubts.clear()
                self._doubts.add((mirror.registry, blob.digest))

    async def put_manifest(
        self, manifest: Manifest, *, at: str | Digest | None = None, sparse: Platforms | None = None
    ) -> None:
        """Push to the registry itself."""
        await self._upstream.put_manifest(manifest, at=at, sparse=sparse)

    def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AbstractAsyncContextManager[BlobWriter]:
        """Write to the registry itself."""
        return self._upstream.write_blob(blob, insisting=insisting)

    async def adopt_blob(self, blob: Descriptor, neighbour: Repository) -> bool:
        """Mount at the registry itself."""
        return await self._upstream.adopt_blob(blob, neighbour)


class _Reading:
    """One blob, read from one candidate until that fails and then from the next; `given` are those who gave bytes."""

    def __init__(
        self,
        blob: Descriptor,
        start: int,
        candidates: Sequence[RegistryRepository],
        asking: _Round,
        limits: Limits,
    ) -> None:
        self.given: list[RegistryRepository] = []
        self._blob = blob
        self._offset = start
        self._left = list(candidates)
        self._hosts = frozenset(candidate.host for candidate in candidates)
        self._asking = asking
        self._limits = limits
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Chunks:
        return self._chunks(await self._opened())

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, trace)

    async def _chunks(self, opened: Chunks) -> Chunks:
        while True:
            try:
                async for chunk in opened:
                    self._offset += len(chunk)
                    yield chunk
            except RegsyncError as error:
                self._asking.failed(self.given[-1], error)
            else:
                return
            await self._stack.aclose()
            opened = await self._opened()

    async def _opened(self) -> Chunks:
        """Open the rest of the blob at the next candidate that has it."""
        while self._left:
            candidate = self._left.pop(0)
            await self._limits.turn(candidate.host, among=self._hosts)
            try:
                opened = candidate.open_blob(self._asking.of(candidate, self._blob), start=self._offset)
                chunks = await self._stack.enter_async_context(opened)
            except RegsyncError as error:
                self._asking.failed(candidate, error)
            else:
                self._asking.answered(candidate)
                self.given.append(candidate)
                return chunks
        raise self._asking.failure


def _there(found: _T | None) -> _T:
    """Return what was found; `NotFound` if it is nothing."""
    if not found:
        raise NotFound("it is not there")
    return found
