"""A `Repository` in memory that keeps every promise of the contract, with knobs to break them one at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field

from regsync.errors import Incomplete, IntegrityError, NoSuchRepository, NotFound, RegsyncError
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import Referrers, fallback_tag, listed, with_referrers
from regsync.repository import UNCOUNTED, BlobWriter, Chunks, Quota, Repository


class Gate:
    """Holds up every call of one method: `reached` returns when somebody stands there, `open` lets all in."""

    def __init__(self) -> None:
        self.waiting = 0
        self._arrived = asyncio.Event()
        self._opened = asyncio.Event()

    async def reached(self) -> None:
        """Return when somebody stands before the gate."""
        await self._arrived.wait()

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._opened.set()

    async def passed(self) -> None:
        """Wait at the gate."""
        self.waiting += 1
        self._arrived.set()
        try:
            await self._opened.wait()
        finally:
            self.waiting -= 1


@dataclass(slots=True)
class _Failure:
    """The calls from the `skip`-th on fail, `times` of them."""

    error: RegsyncError
    skip: int
    times: int


@dataclass(slots=True)
class _Knobs:
    failures: dict[str, list[_Failure]] = field(default_factory=dict)
    gates: dict[str, Gate] = field(default_factory=dict)


class _Writer:
    """The `BlobWriter` of a memory: `data` is what was suspended and what has been written since."""

    def __init__(self, repository: MemoryRepository, blob: Descriptor, data: bytes) -> None:
        self.data = bytearray(data)
        self._repository = repository
        self._blob = blob

    @property
    def offset(self) -> int:
        return len(self.data)

    async def write(self, chunk: bytes) -> None:
        await self._repository.called("write", str(self._blob.digest))
        self.data += chunk

    async def commit(self) -> None:
        await self._repository.called("commit", str(self._blob.digest))
        if Digest.of(bytes(self.data), self._blob.digest.algorithm) != self._blob.digest:
            raise IntegrityError(f"{self._repository.name}: these are not the bytes of {self._blob.digest}")
        self._repository.blobs[self._blob.digest] = bytes(self.data)
        self._repository.phantoms.discard(self._blob.digest)

    async def restart(self) -> None:
        self.data.clear()


class MemoryRepository:
    """Blobs, manifests and tags in dictionaries that a test may look into and change.

    `lies` are blobs and manifests served with other bytes than theirs; `phantoms` blobs that are said to be there and
    are not; `breaks` blobs whose chunks end with an error after so many bytes. `calls` counts calls by method name,
    `log` has them in order. `adopts` says whether blobs are taken from neighbours, `lists_referrers` whether referrers
    are found without a tag that lists them; `suspended` is what broken writers have left. Chunks are of `chunk_size`
    bytes.
    """

    def __init__(self, name: str = "memory/repository", *, host: str = "memory", chunk_size: int = 65536) -> None:
        self.blobs: dict[Digest, bytes] = {}
        self.manifests: dict[Digest, Manifest] = {}
        self.tagged: dict[str, Digest] = {}
        self.calls: Counter[str] = Counter()
        self.log: list[str] = []
        self.lies: dict[Digest, bytes] = {}
        self.phantoms: set[Digest] = set()
        self.breaks: dict[Digest, tuple[int, RegsyncError]] = {}
        self.adopts = True
        self.takes_sparse = True
        self.lists_referrers = False
        self.chunk_size = chunk_size
        self._name = name
        self._host = host
        self._knobs = _Knobs()
        self.suspended: dict[Digest, bytes] = {}

    def fail(self, method: str, error: RegsyncError, *, nth: int = 1, times: int = 1) -> None:
        """Make the nth call of a method from now on, and those after it up to `times`, raise this error."""
        self._knobs.failures.setdefault(method, []).append(_Failure(error, nth - 1, times))

    def gate(self, method: str) -> Gate:
        """Make the calls of a method wait at a gate."""
        return self._knobs.gates.setdefault(method, Gate())

    @property
    def name(self) -> str:
        return self._name

    @property
    def host(self) -> str:
        return self._host

    @property
    def lists_under_tags(self) -> bool:
        return not self.lists_referrers

    @property
    def tidied(self) -> bool:
        return False

    @property
    def quota(self) -> Quota:
        return UNCOUNTED

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        await self.called("head_manifest", str(ref))
        manifest = self._find(ref)
        return manifest.descriptor if manifest else None

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        await self.called("get_manifest", str(ref))
        manifest = self._find(ref)
        if manifest is None:
            raise NotFound(f"{self._name}: no manifest {ref}")
        lie = self.lies.get(manifest.digest)
        return manifest if lie is None else Manifest.read(lie, expected=manifest.digest)

    async def put_manifest(
        self, manifest: Manifest, *, at: str | Digest | None = None, sparse: Platforms | None = None
    ) -> None:
        await self.called("put_manifest", str(at if at is not None else manifest.digest))
        self._demand_parts(manifest, sparse)
        self.manifests[manifest.digest] = manifest
        if isinstance(at, str):
            self.tagged[at] = manifest.digest
        if manifest.subject is not None and not self.lists_referrers:
            tag = fallback_tag(manifest.subject.digest)
            index = with_referrers(self._find(tag), [manifest])
            if index is not None:
                self.manifests[index.digest] = index
                self.tagged[tag] = index.digest

    async def referrers(self, subject: Digest, *, slow: bool = False) -> tuple[Descriptor, ...]:
        await self.called("referrers", f"{subject}{' slow' if slow else ''}")
        found = Referrers(f"referrers of {self._name}@{subject}")
        if self.lists_referrers or slow:
            found.take(
                listed(each) for each in self.manifests.values() if each.subject and each.subject.digest == subject
            )
        if not self.lists_referrers and (index := self._find(fallback_tag(subject))) is not None:
            found.add(index)
        return found.all

    async def has_blob(self, blob: Descriptor) -> bool:
        await self.called("has_blob", str(blob.digest))
        return blob.digest in self.phantoms or len(self.blobs.get(blob.digest, b"-" * (blob.size + 1))) == blob.size

    async def blob_size(self, digest: Digest) -> int | None:
        await self.called("blob_size", str(digest))
        return len(self.blobs[digest]) if digest in self.blobs else None

    def open_blob(self, blob: Descriptor, *, start: int = 0) -> AbstractAsyncContextManager[Chunks]:
        return self._opened(blob, start)

    @asynccontextmanager
    async def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AsyncIterator[BlobWriter]:
        await self.called("write_blob", f"{blob.digest}{' insisting' if insisting else ''}")
        writer = _Writer(self, blob, self.suspended.pop(blob.digest, b""))
        try:
            yield writer
        except RegsyncError as error:
            if error.retryable and not isinstance(error, IntegrityError):
                self.suspended[blob.digest] = bytes(writer.data)
            raise

    async def adopt_blob(self, blob: Descriptor, neighbour: Repository) -> bool:
        await self.called("adopt_blob", str(blob.digest))
        if not (self.adopts and isinstance(neighbour, MemoryRepository) and neighbour.host == self._host):
            return False
        data = neighbour.blobs.get(blob.digest)
        if data is None or len(data) != blob.size:
            return False
        self.blobs[blob.digest] = data
        return True

    async def tags(self) -> AsyncIterator[str]:
        await self.called("tags", "")
        if not self.manifests:
            raise NoSuchRepository(f"{self._name} is not there")
        for tag in sorted(self.tagged):
            yield tag

    async def called(self, method: str, what: str) -> None:
        """Note a call, and let it wait or fail as the knobs say."""
        self.calls[method] += 1
        self.log.append(f"{method} {what}".rstrip())
        if gate := self._knobs.gates.get(method):
            await gate.passed()
        for failure in self._knobs.failures.get(method, ()):
            if failure.skip:
                failure.skip -= 1
            elif failure.times:
                failure.times -= 1
                raise failure.error

    @asynccontextmanager
    async def _opened(self, blob: Descriptor, start: int) -> AsyncIterator[Chunks]:
        await self.called("open_blob", str(blob.digest))
        data = self.lies.get(blob.digest, self.blobs.get(blob.digest))
        if data is None:
            raise NotFound(f"{self._name}: no blob {blob.digest}")
        yield self._chunks(blob.digest, data, start)

    async def _chunks(self, digest: Digest, data: bytes, begin: int) -> AsyncIterator[bytes]:
        end, error = self.breaks.get(digest, (len(data), None))
        for start in range(begin, end, self.chunk_size):
            await self.called("chunk", str(digest))
            yield data[start : min(start + self.chunk_size, end)]
        if error is not None:
            raise error

    def _find(self, ref: str | Digest) -> Manifest | None:
        digest = ref if isinstance(ref, Digest) else self.tagged.get(ref)
        return self.manifests.get(digest) if digest is not None else None

    def _demand_parts(self, manifest: Manifest, sparse: Platforms | None) -> None:
        """Refuse a manifest whose parts are not there, as registries do; layers from elsewhere need not be."""
        blobs = [blob for blob in manifest.blobs if not blob.urls and blob.digest not in self.blobs]
        children = [
            child
            for child in manifest.children
            if (sparse is None or not self.takes_sparse or sparse.takes(child))
            and child.digest not in self.manifests
            and child.digest not in self.blobs
        ]
        if missing := [*blobs, *children]:
            raise Incomplete(f"{self._name} lacks {missing[0].digest}")
