"""A blob on its way into a layout, in pieces of about 1 MiB: one is being written while the next comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Final, Protocol, TypeVar

from regsync.layout.blobs import PIECE, Blobs
from regsync.layout.files import OpenFile
from regsync.layout.threads import Threads
from regsync.oci.digest import Digest

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_BATCH: Final = 1 << 20  # bytes that make a hop to a thread worth while


class Commit(Protocol):
    """How a step is done that must not be left half done."""

    async def __call__(self, call: Callable[[], T], /) -> T:
        """Do it."""
        ...


class Staging:
    """At most two batches are in memory. A blob of one batch is written, synced and named in a single hop."""

    def __init__(self, blobs: Blobs, threads: Threads, *, commit: Commit, digest: Digest) -> None:
        self._blobs = blobs
        self._threads = threads
        self._commit = commit
        self._digest = digest
        self.offset = 0
        self._batch: list[bytes] = []
        self._size = 0
        self._file: OpenFile | None = None
        self._writing: asyncio.Future[None] | None = None

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes; waits while the disk is behind."""
        self.offset += len(chunk)
        self._batch.append(chunk)
        self._size += len(chunk)
        if self._size >= _BATCH:
            if self._file is None:
                self._file = await self._threads.obtain(self._blobs.stage, undo=self._blobs.discard)
            await self._flush(self._file)

    async def restart(self) -> None:
        """There is nothing from before."""

    async def commit(self) -> None:
        """Make it the blob of its digest, durable but for its name (see `Blobs.sync_names`)."""
        if self._file is None:
            await self._commit(partial(self._blobs.write, self._digest, self._batch))
            return
        await self._flush(self._file)
        if self._writing is not None:
            await self._writing
        file, self._file = self._file, None  # whoever settles it now also removes it
        await self._commit(partial(self._blobs.settle, file, self._digest))

    async def discard(self) -> None:
        """Leave nothing behind."""
        if self._file is not None:
            await self._commit(partial(self._blobs.discard, self._file))

    async def _flush(self, file: OpenFile) -> None:
        if self._writing is not None:
            await self._writing
        batch, self._batch, self._size = self._batch, [], 0
        self._writing = self._threads.start(partial(file.write, batch))


async def read_ahead(file: OpenFile, threads: Threads) -> AsyncGenerator[bytes, None]:
    """Yield a file's bytes, the next piece being read while one is used."""
    ahead = threads.start(partial(file.read, PIECE))
    while piece := await ahead:
        ahead = threads.start(partial(file.read, PIECE))
        yield piece
