"""One blob, read once, into one or several repositories.

The last chunk is held back until size and digest are proved, so a wrong blob cannot become whole anywhere. Each writer
gets the bytes it lacks; the slowest sets the pace, and one that fails drops out alone. What a writer was given before
something broke is proved by the same `Proof` the next stream of the blob goes on with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.events import BlobProgress, BlobRead, Tell
from regsync.oci.descriptor import Descriptor
from regsync.repository import BlobWriter, Chunks, Repository
from regsync.transfer.proof import Proof
from regsync.transfer.together import together

_TELLING: Final = 0.25  # seconds between two words about one blob's progress


class Sink:
    """One repository a blob is poured into.

    `began` is the byte it began at, `failure` why it dropped out (None: it did not).
    """

    def __init__(self, target: Repository) -> None:
        self.target = target
        self.began = 0
        self.failure: RegsyncError | None = None
        self._context = AsyncExitStack()
        self._writer: BlobWriter | None = None

    @property
    def offset(self) -> int:
        """Return how many bytes the far side has."""
        return self._writer.offset if self._writer is not None else 0

    async def open(self, blob: Descriptor, proof: Proof, *, insisting: bool) -> None:
        """Begin where the far side stands, if what it holds can be proved."""
        try:
            writer = await self._context.enter_async_context(self.target.write_blob(blob, insisting=insisting))
            self._writer = writer
            if 0 < writer.offset < blob.size and not proof.covers(self.target.name, writer.offset):
                await writer.restart()
        except RegsyncError as error:
            await self.drop(error)
        else:
            self.began = writer.offset
            if writer.offset < blob.size:  # else it has all of it, and from whom is not for us to say
                proof.proves.add(self.target.name)

    async def give(self, chunk: bytes, at: int) -> None:
        """Hand over what the writer lacks of these bytes, which begin at byte `at` of the blob."""
        if self.failure is None and self._writer is not None and at + len(chunk) > self._writer.offset:
            try:
                await self._writer.write(chunk[self._writer.offset - at :] if at < self._writer.offset else chunk)
            except RegsyncError as error:
                await self.drop(error)

    async def commit(self) -> None:
        """Make the blob visible."""
        if self.failure is None and self._writer is not None:
            try:
                await self._writer.commit()
                await self._context.aclose()
            except RegsyncError as error:
                await self.drop(error)

    async def drop(self, error: BaseException) -> None:
        """Leave by this error, if it is not left yet; what is raised on the way out says nothing new."""
        if self.failure is None and isinstance(error, RegsyncError):
            self.failure = error
        try:
            await self._context.__aexit__(type(error), error, error.__traceback__)
        except RegsyncError:
            return


async def pour(
    proof: Proof, source: Repository, sinks: Sequence[Sink], *, insisting: bool, clock: Clock, tell: Tell
) -> None:
    """Fill these sinks with the proof's blob; each says afterwards whether, and why not.

    What the source does wrong is the failure of all. Cancelled, nothing is left open.
    """
    blob = proof.blob
    try:
        await _each(sink.open(blob, proof, insisting=insisting) for sink in sinks)
        if any(sink.offset < blob.size for sink in _live(sinks)) or (not blob.size and _live(sinks)):
            await _read(proof, source, sinks, clock=clock, tell=tell)
        await _each(sink.commit() for sink in _live(sinks))
    except RegsyncError as error:
        await _each(sink.drop(error) for sink in _live(sinks))
    except BaseException as error:
        await _each(sink.drop(error) for sink in _live(sinks))
        raise


async def _read(proof: Proof, source: Repository, sinks: Sequence[Sink], *, clock: Clock, tell: Tell) -> None:
    blob, names = proof.blob, tuple(sink.target.name for sink in sinks)
    at = proof.go_back(min(sink.offset for sink in _live(sinks)))
    told, read = clock.monotonic(), 0
    try:
        async with _opened(source, blob, start=at) as chunks:
            held = b""
            async for chunk in chunks:
                if not chunk:  # the last one is held back, and must not be nothing
                    continue
                read += len(chunk)
                proof.add(chunk)
                if held:
                    await _give(sinks, held, at)
                    at += len(held)
                held = chunk
                if not _live(sinks):
                    return
                if (now := clock.monotonic()) - told >= _TELLING:
                    told = now
                    tell(BlobProgress(source.name, names, str(blob.digest), at, blob.size))
            proof.finish()
            await _give(sinks, held, at)
    finally:
        tell(BlobRead(source.name, str(blob.digest), read))


def _opened(source: Repository, blob: Descriptor, *, start: int) -> AbstractAsyncContextManager[Chunks]:
    """Open a blob's bytes: those that its descriptor holds, else the source's."""
    return source.open_blob(blob, start=start) if blob.data is None else _inline(blob.data[start:])


@asynccontextmanager
async def _inline(data: bytes) -> AsyncIterator[Chunks]:
    async def once() -> Chunks:
        yield data

    yield once()


async def _give(sinks: Sequence[Sink], chunk: bytes, at: int) -> None:
    if len(sinks) == 1:
        await sinks[0].give(chunk, at)
    else:
        await _each(sink.give(chunk, at) for sink in sinks)


def _live(sinks: Sequence[Sink]) -> list[Sink]:
    return [sink for sink in sinks if sink.failure is None]


async def _each(work: Iterable[Coroutine[object, object, None]]) -> None:
    """Do all of this at once; a single thing needs no task of its own."""
    several = list(work)
    if len(several) == 1:
        await several[0]
    elif several:
        await together(several)
