"""A blob's bytes from a registry, taken up again where they broke (RELIABILITY F20-F25, F35-F37).

What is yielded is in order and without gaps, yet unproved: the copier proves it. A connection that breaks is opened
again with `Range`, as long as connections bring something; the registry's URL is asked, never the CDN's, whose
signature may have expired meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from regsync.clock import Clock
from regsync.errors import Forbidden, IntegrityError, TooSlow, Unavailable, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.registry.http.encoding import coding_of, inflated, is_labelled, oddly_packed
from regsync.registry.http.transport import Request, Streamed, Transport
from regsync.repository import Chunks

_FRUITLESS = 3  # connections in a row that brought next to nothing
_FRUITFUL = 64 << 10  # bytes
_PAUSE = 0.5  # seconds before the next connection, doubled after a fruitless one
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")


class Download:
    """One blob, fetched with this request, over as many connections as it takes.

    Which blobs came as gzip, as their length has shown, the transport keeps; another download of them unpacks it.
    """

    def __init__(self, transport: Transport, request: Request, blob: Descriptor, *, clock: Clock) -> None:
        self._transport = transport
        self._request = replace(request, expect=frozenset({200, 206}))  # some send all of it as a part, unasked
        self._blob = blob
        self._clock = clock
        self._packed = transport.packed
        self._whole = False  # parts are refused

    @asynccontextmanager
    async def open(self, start: int = 0) -> AsyncIterator[Chunks]:
        """Open the blob from byte `start` on; what is wrong with the first connection is raised here."""
        if 0 < self._blob.size <= start:
            yield _nothing()
            return
        async with AsyncExitStack() as stack:
            first = await self._connected(stack, start)
            yield self._chunks(stack, first, start)

    async def _chunks(self, stack: AsyncExitStack, streamed: Streamed, offset: int) -> Chunks:
        skip, fruitless = offset - self._begins(streamed), 0
        while True:
            began = offset
            try:
                async for chunk in self._body(stack, streamed):
                    fresh = chunk[skip:] if skip else chunk
                    skip -= min(skip, len(chunk))
                    offset += len(fresh)
                    if offset > self._blob.size:
                        self._doubt(streamed)
                    if fresh:
                        yield fresh
                if offset < self._blob.size:
                    self._doubt(streamed)
                broke = Unavailable(f"{self._request.what} ended after {offset} of {self._blob.size} bytes")
            except Unavailable as error:
                broke = error
            if offset >= self._blob.size:
                return
            fruitless = 0 if offset - began >= _FRUITFUL else fruitless + 1
            if fruitless >= _FRUITLESS:
                raise self._given_up(broke)
            await stack.aclose()
            await self._clock.sleep(_PAUSE * 2**fruitless)
            streamed = await self._connected(stack, offset)
            skip = offset - self._begins(streamed)

    def _given_up(self, broke: Unavailable) -> Unavailable:
        """Return what a download ends with: a source that crawls has cost minutes, and would each time."""
        if not isinstance(broke.__cause__, TimeoutError):
            return broke
        return TooSlow(f"{self._request.what}: {broke} {_FRUITLESS} times and brought next to nothing")

    async def _connected(self, stack: AsyncExitStack, offset: int) -> Streamed:
        """Open the blob from a byte on, or wholly where parts are forbidden (gateways) or not what was wanted."""
        request = self._from(offset)
        try:
            streamed = await stack.enter_async_context(self._transport.stream(request))
        except (Forbidden, Unsupported):
            if request is self._request:
                raise
        else:
            if self._begins(streamed) <= offset:
                return streamed
            await stack.aclose()
            self._transport.warn("parts of blobs are others than were asked for; fetching what broke whole")
        self._whole = True
        streamed = await stack.enter_async_context(self._transport.stream(self._request))
        if self._begins(streamed) > offset:
            raise Unavailable(f"{self._request.what}: the registry sends another part than was asked for")
        return streamed

    def _from(self, offset: int) -> Request:
        if not offset or self._whole or self._blob.digest in self._packed:
            return self._request
        wanted = ("Range", f"bytes={offset}-{self._blob.size - 1}")
        return replace(self._request, headers=(*self._request.headers, wanted))

    def _body(self, stack: AsyncExitStack, streamed: Streamed) -> Chunks:
        if self._blob.digest not in self._packed or not is_labelled(streamed.headers):
            return streamed.chunks
        body = self._unpacked(streamed)
        stack.push_async_callback(body.aclose)
        return body

    async def _unpacked(self, streamed: Streamed) -> AsyncGenerator[bytes, None]:
        """Yield what the answer holds; where it is no gzip of this blob after all, it is not unpacked next time."""
        try:
            async for piece in inflated(streamed.chunks, streamed.headers, most=self._blob.size):
                yield piece
        except IntegrityError:
            self._packed.discard(self._blob.digest)
            raise
        self._transport.warn(oddly_packed(streamed.headers))

    def _doubt(self, streamed: Streamed) -> None:
        """Raise where bytes that are not as many as the blob's were labelled as packed: the label may be true."""
        coding = coding_of(streamed.headers)
        if not coding or streamed.status != 200 or self._blob.digest in self._packed:
            return
        if not is_labelled(streamed.headers):
            raise IntegrityError(f"{self._request.what} came as {coding} of another length, which nobody asked for")
        self._packed.add(self._blob.digest)
        raise IntegrityError(f"{self._request.what} came as {coding} of another length; unpacking it next time")

    def _begins(self, streamed: Streamed) -> int:
        """Return the byte of this blob that an answer begins with; beyond its end where it is no part of it."""
        if streamed.status == 200:
            return 0
        found = _CONTENT_RANGE.fullmatch(streamed.headers.get("content-range", "").strip())
        if found is None or found[3] not in {"*", str(self._blob.size)}:
            return self._blob.size + 1
        return int(found[1])


async def _nothing() -> Chunks:
    return
    yield
