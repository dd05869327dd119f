"""A blob on its way into a registry, pushed: what `BlobWriter` promises, over requests that pull their bodies.

The last chunk is held back until `commit`, so a registry that makes a blob visible with its last byte has not got it
before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Protocol

from regsync.errors import IntegrityError, Unavailable
from regsync.registry.content.session import Upload


class _Course(Protocol):
    """How the bytes go up."""

    async def take(self, chunk: bytes) -> None: ...

    async def finish(self) -> None: ...

    async def stop(self) -> None: ...


class RegistryWriter:
    """The one writer of an upload; without an upload the registry has the blob already.

    `pieces` is the size of the pieces the blob goes up in, in bytes, asked for when the first byte comes; 0 for a
    stream. `renew` gives an upload that begins at 0, `confirm` raises what is to be said of one that came to nothing.
    """

    def __init__(
        self,
        size: int,
        upload: Upload | None,
        *,
        pieces: Callable[[], int],
        renew: Callable[[], Awaitable[Upload]],
        confirm: Callable[[], Awaitable[None]],
    ) -> None:
        self.upload = upload
        self.committed = False
        self.offset = size if upload is None else upload.offset
        self._size = size
        self._pieces = pieces
        self._renew = renew
        self._confirm = confirm
        self._held = b""
        self._course: _Course | None = None

    async def write(self, chunk: bytes) -> None:
        """Hand over the next bytes; returns when it can take more."""
        if self.offset + len(chunk) > self._size:
            raise IntegrityError(f"more than the {self._size} bytes of the blob were written")
        if not chunk:
            return
        held, self._held = self._held, chunk
        self.offset += len(chunk)
        if held:
            await self._begun().take(held)

    async def commit(self) -> None:
        """Make the blob visible."""
        if self.offset < self._size:
            raise IntegrityError(f"{self.offset} of the {self._size} bytes of the blob were written")
        if self.upload is not None:
            course = self._begun()
            if self._held:
                await course.take(self._held)
            await course.finish()
            await self._confirm()
        self.committed = True

    async def restart(self) -> None:
        """Begin at 0 in a new session, whatever the registry has."""
        await self.stop()
        self._held, self._course = b"", None
        self.upload = await self._renew()
        self.offset = 0

    async def stop(self) -> None:
        """Return when no request is under way any more."""
        if self._course is not None:
            await self._course.stop()

    def _begun(self) -> _Course:
        if self._course is None:
            self._course = self._begin(self.upload)
        return self._course

    def _begin(self, upload: Upload | None) -> _Course:
        if upload is None:
            raise IntegrityError("bytes were written of a blob that is there already")
        size = self._pieces()
        if size or 0 < upload.offset == self._size:  # nothing is left to stream
            return _Pieces(upload, size)
        return _Stream(upload)


class _Pieces:
    """Piece after piece, each of the same size but the last."""

    def __init__(self, upload: Upload, size: int) -> None:
        self._upload = upload
        self._size = size
        self._buffer = bytearray()

    async def take(self, chunk: bytes) -> None:
        self._buffer += chunk
        while len(self._buffer) > self._size:
            await self._upload.send(bytes(self._buffer[: self._size]))
            del self._buffer[: self._size]

    async def finish(self) -> None:
        if self._buffer:
            await self._upload.send(bytes(self._buffer))
        await self._upload.close()

    async def stop(self) -> None:
        pass


class _Stream:
    """One request whose body is handed over chunk by chunk.

    A task sends it. It inherits the context in which the first byte came, so its request rides on the slot of the
    transfer (`Limits`).
    """

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._chunk = b""  # handed over and not taken yet
        self._given = asyncio.Event()
        self._moved = asyncio.Event()  # the chunk was taken, or will not be
        self._task = asyncio.create_task(upload.stream(self._chunks()))
        self._task.add_done_callback(lambda _: self._moved.set())

    async def take(self, chunk: bytes) -> None:
        if not self._task.done():
            self._chunk = chunk
            self._upload.handed += len(chunk)
            self._moved.clear()
            self._given.set()
            await self._moved.wait()
            if not self._chunk:
                return
        self._task.result()
        raise Unavailable("the registry answered before it had the whole blob")

    async def finish(self) -> None:
        self._given.set()
        await asyncio.wait({self._task})  # not the task itself, which a cancellation would reach through this
        self._task.result()

    async def stop(self) -> None:
        """Cancel the request and wait until it has ended, however often we are cancelled meanwhile."""
        cancelled: asyncio.CancelledError | None = None
        self._task.cancel()
        while not self._task.done():
            try:
                await asyncio.wait({self._task})
            except asyncio.CancelledError as error:
                cancelled = error
        if not self._task.cancelled():
            self._task.exception()  # seen: whoever wrote has been told, or has a reason of its own to leave
        if cancelled is not None:
            raise cancelled

    async def _chunks(self) -> AsyncGenerator[bytes, None]:
        while True:
            await self._given.wait()
            self._given.clear()
            chunk, self._chunk = self._chunk, b""
            if not chunk:
                return
            self._moved.set()
            yield chunk
