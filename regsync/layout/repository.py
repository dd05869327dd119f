"""An OCI image-layout directory as a `Repository` (image-spec, image-layout.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from regsync.clock import Clock
from regsync.errors import IntegrityError, Malformed, NotFound, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue, Change
from regsync.layout.commits import Commits
from regsync.layout.files import Files, OpenFile
from regsync.layout.gc import Collector
from regsync.layout.lease import Lease
from regsync.layout.paths import Paths
from regsync.layout.proofs import Proofs
from regsync.layout.staging import Staging, read_ahead
from regsync.layout.threads import Threads
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import BlobWriter, Chunks, Repository

T = TypeVar("T")

HOST: Final = "ocidir"  # one for all layouts: they share the disk


class LayoutRepository:
    """One layout directory; one object per directory and process, made by `Layouts`.

    It is written to only while `lease` is held (`Layouts.writing`); reading creates nothing and changes nothing.
    """

    def __init__(
        self, root: Path, *, name: str, files: Files, clock: Clock, threads: Threads, proofs: Proofs, grace: float
    ) -> None:
        paths = Paths(root)
        self._name = name
        self._clock = clock
        self._threads = threads
        self.blobs = Blobs(files, paths, proofs, closing=threads.closing)
        self._catalogue = Catalogue(files, paths, self.blobs, now=clock.now)
        self._collector = Collector(files, paths, self.blobs, self._catalogue, grace)
        self.lease = Lease(files, paths, threads, clock=clock)
        self._commits = Commits(self._catalogue, files, paths, threads, clock=clock, begin=self._begin)

    @property
    def name(self) -> str:
        """`ocidir://` and the path as it was first written."""
        return self._name

    @property
    def host(self) -> str:
        """The disk, for `Limits`."""
        return HOST

    @property
    def tidied(self) -> bool:
        """What no entry leads to goes when nobody writes."""
        return True

    async def head_manifest(self, ref: str | Digest) -> Descriptor | None:
        """Return what a tag or digest names; None when it, or its content, is not there or is damaged."""
        return await self._threads.run(partial(self._head, ref))

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Return the manifest, proved; a digest no entry lists is looked for among the blobs."""
        return await self._threads.run(partial(self._get, ref))

    async def put_manifest(self, manifest: Manifest, *, at: str | Digest | None = None) -> None:
        """Store a manifest and enter it in the index, with its subject's referrers, in one change."""
        if isinstance(at, Digest) and at != manifest.digest:
            raise IntegrityError(f"manifest {manifest.digest} cannot be stored as {at}")
        await self._prepare()
        self.lease.written = True
        await self._commit(partial(self._store, manifest))
        await self._commits.make(Change(manifest, at))

    async def has_blob(self, blob: Descriptor) -> bool:
        """Say whether the blob is there, hashed once per process; while writing, a damaged one is moved away."""
        if not self.lease.held:
            return await self._threads.run(partial(self.blobs.has, blob))
        if not await self._threads.run(self._catalogue.is_layout):
            return False
        await self._prepare()
        return await self._threads.run(partial(self.blobs.has_or_clears, blob))

    @asynccontextmanager
    async def open_blob(self, blob: Descriptor, *, start: int = 0) -> AsyncIterator[Chunks]:
        """Open the blob's bytes, unproved, in pieces of 1 MiB; one of another size is an `IntegrityError`."""
        file = await self._threads.obtain(partial(self.blobs.open, blob), undo=OpenFile.close)
        if start:
            await self._threads.run(partial(file.seek, start))
        chunks = read_ahead(file, self._threads)
        try:
            yield chunks
        finally:
            await self._threads.commit(file.close)

    @asynccontextmanager
    async def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AsyncIterator[BlobWriter]:
        """Open the blob to write, from its first byte; a layout takes whatever it is given."""
        del insisting
        await self._prepare()
        self.lease.written = True
        staging = Staging(self.blobs, self._threads, commit=self._commit, digest=blob.digest)
        try:
            yield staging
        except BaseException:
            await staging.discard()
            raise

    async def adopt_blob(self, blob: Descriptor, neighbour: Repository) -> bool:
        """Link the blob from a layout on the same file system, its bytes proved first."""
        if not isinstance(neighbour, LayoutRepository):
            return False
        await self._prepare()
        if not await self._threads.run(partial(self.blobs.can_adopt, blob, neighbour.blobs)):
            return False
        self.lease.written = True
        return await self._commit(partial(self.blobs.adopt, blob, neighbour.blobs))

    async def tags(self) -> AsyncIterator[str]:
        """Every tag once, sorted; `NotFound` when the directory is missing or empty."""
        index = await self._threads.run(self._catalogue.index)
        if index is None:
            raise NotFound(f"{self._name} is not there")
        for tag in index.tags():
            yield tag

    async def tidy(self) -> int | None:
        """Collect garbage; return how many blobs went, None when another process writes and will do it."""
        collect = partial(self._collector.collect, now=self._clock.now().timestamp())
        removed = await self._threads.run(collect)
        if removed is not None:
            self.lease.written = False
        return removed

    async def _prepare(self) -> None:
        """Make sure the directory is a layout and no other process collects its garbage."""
        if not self.lease.held:
            raise Unsupported(f"{self._name} was opened to read, not to write")
        if not self.lease.locked:
            await self._commit(self._catalogue.found)
            await self.lease.lock()

    def _begin(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Begin a commit, the lease held until it ends, even when nobody waits for it any more."""
        self.lease.enter()
        future = self._threads.begin_commit(call)
        future.add_done_callback(lambda _: self.lease.leave())
        return future

    async def _commit(self, call: Callable[[], T], /) -> T:
        return await asyncio.shield(self._begin(call))

    def _store(self, manifest: Manifest) -> None:
        if not self.blobs.has(manifest.descriptor):
            self.blobs.write(manifest.digest, (manifest.raw,))

    def _head(self, ref: str | Digest) -> Descriptor | None:
        index = self._catalogue.index()
        if index is None:
            return None
        entry = index.find(ref)
        if entry is not None:
            return entry.descriptor if self.blobs.has(entry.descriptor) else None
        try:
            return self._unlisted(ref).descriptor if isinstance(ref, Digest) else None
        except (NotFound, IntegrityError, Malformed):
            return None

    def _get(self, ref: str | Digest) -> Manifest:
        index = self._catalogue.index()
        entry = None if index is None else index.find(ref)
        if entry is None:
            if index is None or not isinstance(ref, Digest):
                raise NotFound(f"{self._name} has no manifest {ref}")
            return self._unlisted(ref)
        known = entry.descriptor
        return Manifest.read(self.blobs.read(known.digest), content_type=known.media_type, expected=known.digest)

    def _unlisted(self, digest: Digest) -> Manifest:
        return Manifest.read(self.blobs.read(digest), expected=digest)
