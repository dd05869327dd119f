"""An OCI image-layout directory as a `Repository` (image-spec, image-layout.md)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from regsync.clock import Clock
from regsync.errors import Incomplete, IntegrityError, NotFound, RegsyncError, StorageError, Unsupported
from regsync.events import Tell
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue, Change
from regsync.layout.commits import Commits
from regsync.layout.files import Files
from regsync.layout.finding import Finder
from regsync.layout.gc import Collector
from regsync.layout.lease import Lease
from regsync.layout.opened import OpenFile
from regsync.layout.paths import Paths
from regsync.layout.proofs import Proofs
from regsync.layout.referrers import LayoutReferrers
from regsync.layout.remarks import Remarks
from regsync.layout.threads import Threads
from regsync.layout.whole import Whole
from regsync.layout.writer import Suspended, Writer, read_ahead
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.repository import UNCOUNTED, BlobWriter, Chunks, Quota, Repository

T = TypeVar("T")
HOST: Final = "ocidir"  # one for all layouts: they share the disk


class LayoutRepository:
    """One layout directory; one object per directory and process, made by `Layouts`.

    It is written to only while `lease` is held (`Layouts.writing`), and then it answers only for what is whole; reading
    creates nothing and changes nothing.
    """

    def __init__(
        self,
        root: Path,
        *,
        name: str,
        files: Files,
        clock: Clock,
        threads: Threads,
        proofs: Proofs,
        grace: float,
        tell: Tell,
    ) -> None:
        paths = Paths(root)
        files = files.below(root)
        self._name = name
        self._clock = clock
        self._threads = threads
        self._remarks = Remarks(name, tell)
        self.blobs = Blobs(files, paths, proofs, closing=threads.closing, follows=self._follows)
        self._whole = Whole(files, paths, self.blobs)
        self._catalogue = Catalogue(files, paths, self.blobs, now=clock.now, follows=self._follows)
        self._finder = Finder(self._catalogue, self.blobs, self._whole, name)
        self._referrers = LayoutReferrers(self._catalogue, self.blobs, self._whole, name=name, closing=threads.closing)
        self._collector = Collector(files, paths, self.blobs, self._catalogue, grace)
        self.lease = Lease(files, paths, threads, clock=clock, first=self._collector.clear_left)
        self._commits = Commits(self._catalogue, files, paths, threads, clock=clock, begin=self._begin)
        self._suspended = Suspended(self.blobs)
        self._ready = False
        self._refused: StorageError | None = None
        self._under_way: set[asyncio.Future[Any]] = set()

    @property
    def name(self) -> str:
        """`ocidir://` and the path as it was first written."""
        return self._name

    @property
    def host(self) -> str:
        """The disk, for `Limits`."""
        return HOST

    @property
    def quota(self) -> Quota:
        """Nobody counts what is read from a disk."""
        return UNCOUNTED

    @property
    def lists_under_tags(self) -> bool:
        """There is no other way in a layout."""
        return True

    @property
    def tidied(self) -> bool:
        """What no entry leads to goes when nobody writes."""
        return True

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        """Return what a tag or digest names; None when it, or its content, is not there or is damaged.

        To a writer, all below it has to be there, too: else it would rely on what nobody has.
        """
        if not await self._guarded():
            return None
        found = await self._threads.run(partial(self._finder.head, ref, proving=self.lease.held, sparse=sparse))
        self._remarks.of_found(found, ref, writing=self.lease.held)
        if not self.lease.held:
            self._remarks.of_index(None, oddity=self._catalogue.oddity)
        return found.manifest

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Return the manifest, proved; a digest no entry lists is looked for among the blobs."""
        return await self._threads.run(partial(self._finder.get, ref))

    async def put_manifest(
        self, manifest: Manifest, *, at: str | Digest | None = None, sparse: Platforms | None = None
    ) -> None:
        """Store a manifest and enter it in the index, with its subject's referrers, in one change."""
        if isinstance(at, Digest) and at != manifest.digest:
            raise IntegrityError(f"manifest {manifest.digest} cannot be stored as {at}")
        if Digest.of(manifest.raw, manifest.digest.algorithm) != manifest.digest:
            raise Unsupported(f"{self._name} keeps what goes by the digest of its bytes: no signed schema 1 manifests")
        await self._prepare()
        self.lease.written = True
        await self._commit(partial(self._store, manifest, sparse))
        await self._commits.make(Change(manifest, at))

    async def referrers(self, subject: Digest, *, slow: bool = False) -> tuple[Descriptor, ...]:
        """Read the list of this subject; `slow` looks at every manifest that the index lists, too."""
        if not await self._guarded():
            return ()
        return await self._threads.run(partial(self._referrers.of, subject, slow=slow, proving=self.lease.held))

    async def has_blob(self, blob: Descriptor) -> bool:
        """Say whether the blob is there, hashed once per process; while writing, a damaged one is moved away."""
        if not await self._guarded():
            return False
        look = self.blobs.has_or_clears if self.lease.locked else self.blobs.has
        return await self._threads.run(partial(look, blob))

    async def blob_size(self, digest: Digest) -> int | None:
        """Return how long the blob's file is."""
        return await self._threads.run(partial(self.blobs.size_of, digest))

    @asynccontextmanager
    async def open_blob(self, blob: Descriptor, *, start: int = 0) -> AsyncIterator[Chunks]:
        """Open the blob's bytes from this one on, unproved, in pieces of 1 MiB.

        If whoever reads them finds that they are not the blob, the file is hashed, and if it is at fault, that is a
        `StorageError`: a file of this disk does not heal while one waits.
        """
        file = await self._threads.obtain(partial(self.blobs.open, blob, start=start), undo=OpenFile.close)
        chunks = read_ahead(file, self._threads)
        try:
            yield chunks
        except IntegrityError:
            await self._threads.run(partial(self.blobs.acquit, blob))
            raise
        finally:
            await self._threads.commit(file.close)

    @asynccontextmanager
    async def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AsyncIterator[BlobWriter]:
        """Open the blob to write; what a writer before had staged is gone on with, unless the caller restarts.

        A layout takes whatever it is given, so `insisting` changes nothing.
        """
        del insisting
        await self._prepare()
        self.lease.written = True
        writer = Writer(blob, self.blobs, self._threads, suspended=self._suspended, commit=self._commit)
        try:
            await writer.resume()
            yield writer
        except RegsyncError as error:
            if error.retryable and not isinstance(error, IntegrityError):  # what is wrong is not gone on with
                await writer.suspend()
            raise
        finally:
            await writer.discard()

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
        if not self.lease.held:
            self._remarks.of_index(index, oddity=self._catalogue.oddity)
        for tag in index.tags():
            yield tag

    async def tidy(self) -> int | None:
        """Collect garbage; return how many blobs went, None when another process writes and will do it."""
        now = self._clock.now().timestamp()
        removed = await self._threads.commit(partial(self._collector.collect, now=now))
        if removed is not None:
            self.lease.written = False
        return removed

    async def leave(self, *, sweep: bool) -> None:
        """Stop writing; the last one to leave collects garbage, if told to, and what only writers need goes."""
        try:
            if self._under_way:  # begun by those who were cancelled since
                await asyncio.wait(self._under_way)
        finally:  # who is cancelled while waiting here has left, too
            touched = self.lease.locked
            last = self._let_go()
        if not last:
            return
        await self._threads.commit(self._suspended.discard)
        if sweep and self.lease.written:
            await self.tidy()
        elif touched:
            await self._threads.commit(self._collector.leave)

    def _follows(self) -> bool:
        return not self.lease.held

    def _let_go(self) -> bool:
        """Give up one hold of the lease; what was known while nothing could be swept goes with the last one."""
        last = self.lease.leave()
        if last:
            self._ready, self._refused = False, None
            self._whole.forget()
        return last

    async def _guarded(self) -> bool:
        """Say whether there is a layout to look into, nothing of which is swept before a writer has left it.

        Where a writer may not lock, it looks all the same: perhaps there is nothing to write.
        """
        if not self.lease.held or self.lease.locked or self._refused is not None:
            return True
        if not await self._threads.run(self._catalogue.is_layout):
            return False
        try:
            await self.lease.lock()
        except StorageError as error:
            self._refused = error
        return True

    async def _prepare(self) -> None:
        """Make sure the directory is a layout and no other process collects its garbage."""
        if not self.lease.held:
            raise Unsupported(f"{self._name} was opened to read, not to write")
        if self._refused is not None:
            raise StorageError(str(self._refused)) from self._refused
        if self._ready:
            return
        await self._threads.run(self._catalogue.index)  # that it can be used, before anything is made
        await self.lease.lock()
        if await self._commit(self._catalogue.found):
            await self._commits.make(None)
        self._ready = True

    def _begin(self, call: Callable[[], T]) -> asyncio.Future[T]:
        """Begin a commit, the lease held until it ends, even when nobody waits for it any more."""
        self.lease.enter()
        future = self._threads.begin_commit(call)
        self._under_way.add(future)
        future.add_done_callback(self._ended)
        return future

    def _ended(self, future: asyncio.Future[Any]) -> None:
        self._under_way.discard(future)
        self._let_go()

    async def _commit(self, call: Callable[[], T], /) -> T:
        return await asyncio.shield(self._begin(call))

    def _store(self, manifest: Manifest, sparse: Platforms | None) -> None:
        try:
            self._whole.prove_parts(manifest, sparse=sparse)
        except Incomplete as error:
            raise Incomplete(f"{self._name} lacks parts of manifest {manifest.digest}: {error}") from error
        if not self.blobs.has(manifest.descriptor):
            self.blobs.write(manifest.descriptor, (manifest.raw,))
