"""A blob on its way into a layout, in pieces of about 1 MiB: one is being written while the next comes in.

What was staged when a retryable error broke the way is kept, suspended, for the next writer of the same blob: in this
process only, and not longer than somebody here writes into the layout, since `.regsync` is emptied then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from threading import Lock as Mutex
from typing import Final, Protocol, TypeVar

from regsync.errors import IntegrityError, RegsyncError
from regsync.layout.blobs import PIECE, Blobs
from regsync.layout.opened import OpenFile, Stat
from regsync.layout.threads import Threads
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest

T = TypeVar("T")

_BATCH: Final = 1 << 20  # bytes that make a hop to a thread worth while
_MOST: Final = 32  # suspended files of one layout; the oldest go first


class Commit(Protocol):
    """How a step is done that must not be left half done."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Do it."""
        ...


class Suspended:
    """The staged files of one layout that wait for somebody to go on with them. Blocking."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._files: dict[tuple[Digest, int], tuple[OpenFile, Stat]] = {}
        self._mutex = Mutex()

    def keep(self, blob: Descriptor, file: OpenFile) -> None:
        """Keep a file for the next writer of its blob; one that is kept already, or is one too many, goes."""
        with self._mutex:
            key = blob.digest, blob.size
            gone = [self._files.pop(key)] if key in self._files else []
            self._files[key] = file, file.stat()
            while len(self._files) > _MOST:
                gone.append(self._files.pop(next(iter(self._files))))
        for each, _ in gone:
            self._blobs.discard(each)

    def take(self, blob: Descriptor) -> tuple[OpenFile, int] | None:
        """Hand out the file of this blob and its size, unless it is no longer as we left it."""
        with self._mutex:
            found = self._files.pop((blob.digest, blob.size), None)
        if found is None:
            return None
        file, left = found
        if file.stat().content == left.content and left.size <= blob.size:
            return file, left.size
        self._blobs.discard(file)
        return None

    def discard(self) -> None:
        """Remove them all."""
        with self._mutex:
            gone, self._files = self._files, {}
        for file, _ in gone.values():
            self._blobs.discard(file)


class Writer:
    """A `BlobWriter`. At most two batches are in memory; a blob of one batch is written, synced and named in one hop.

    The bytes are proved by whoever hands them in; only their number is checked here.
    """

    def __init__(
        self, blob: Descriptor, blobs: Blobs, threads: Threads, *, suspended: Suspended, commit: Commit
    ) -> None:
        self._blob = blob
        self._blobs = blobs
        self._threads = threads
        self._suspended = suspended
        self._commit = commit
        self._batch: list[bytes] = []
        self._size = 0
        self._offset = 0
        self._file: OpenFile | None = None
        self._writing: asyncio.Future[None] | None = None

    @property
    def offset(self) -> int:
        """How many bytes were handed in, those of a writer before us included."""
        return self._offset

    async def resume(self) -> None:
        """Go on where a writer before us was broken off."""
        found = await self._threads.obtain(partial(self._suspended.take, self._blob), undo=self._put_back)
        if found is not None:
            self._file, self._offset = found

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; waits while the disk is behind."""
        self._batch.append(chunk)
        self._size += len(chunk)
        self._offset += len(chunk)
        if self._size >= _BATCH:
            if self._file is None:
                self._file = await self._threads.obtain(self._blobs.stage, undo=self._blobs.discard)
            await self._flush(self._file)

    async def commit(self) -> None:
        """Make it the blob, durable but for its name (see `Blobs.sync_names`)."""
        if self._offset != self._blob.size:
            raise IntegrityError(f"blob {self._blob.digest} has {self._offset} of {self._blob.size} bytes")
        if self._file is None:
            await self._commit(partial(self._blobs.write, self._blob, self._batch))
            return
        await self._flush(self._file)
        await self._written()
        file, self._file = self._file, None  # whoever settles it now also removes it
        await self._commit(partial(self._blobs.settle, file, self._blob))

    async def restart(self) -> None:
        """Begin at the first byte again."""
        await self.discard()
        self._file, self._writing = None, None
        self._batch, self._size, self._offset = [], 0, 0

    async def suspend(self) -> None:
        """Keep for the next writer what came so far."""
        if self._offset == 0:
            return
        await self._written()
        file, self._file = self._file, None  # whoever puts it away now also removes it
        await self._commit(partial(self._put_away, file, self._batch))

    async def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            await self._commit(partial(self._blobs.discard, self._file))

    async def _flush(self, file: OpenFile) -> None:
        await self._written()
        batch, self._batch, self._size = self._batch, [], 0
        self._writing = self._threads.start(partial(file.write, batch))

    async def _written(self) -> None:
        if self._writing is not None:
            await self._writing

    def _put_away(self, staged: OpenFile | None, batch: list[bytes]) -> None:
        file = self._blobs.stage() if staged is None else staged
        try:
            file.write(batch)
            self._suspended.keep(self._blob, file)
        except RegsyncError:
            self._blobs.discard(file)

    def _put_back(self, found: tuple[OpenFile, int] | None) -> None:
        if found is not None:
            self._suspended.keep(self._blob, found[0])


async def read_ahead(file: OpenFile, threads: Threads) -> AsyncGenerator[bytes, None]:
    """Yield a file's bytes, the next piece being read while one is used."""
    ahead = threads.start(partial(file.read, PIECE))
    while piece := await ahead:
        ahead = threads.start(partial(file.read, PIECE))
        yield piece
