"""Layers that no registry may hold, fetched from the URLs their descriptor names (image-spec, descriptor.md: `urls`).

The registry is asked first. Whoever wrote the manifest chose the URLs, so they get no credential, not even where they
lead to the registry itself; they are reached as redirects are: not outside TLS, and no nearer than the registry is
(RELIABILITY B4). Size and digest are known beforehand, and whoever reads proves them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Final

from regsync.clock import Clock
from regsync.errors import AccessDenied, NotFound, RegsyncError
from regsync.oci.descriptor import Descriptor
from regsync.registry.content.download import Download
from regsync.registry.http.redirect import origin_of
from regsync.registry.http.transport import Request, Transport
from regsync.repository import Chunks

_MOST: Final = 8  # URLs of one layer that are tried
_ATTEMPTS: Final = 3  # at one of them, while there may be others


def opened(
    transport: Transport, request: Request, blob: Descriptor, *, start: int, clock: Clock
) -> AbstractAsyncContextManager[Chunks]:
    """Open a blob from byte `start` on, by this request or, where the registry does not have it, by its URLs."""
    here = Download(transport, request, blob, clock=clock).open(start)
    return _here_or_there(here, transport, blob, start=start, clock=clock) if blob.urls else here


@asynccontextmanager
async def _here_or_there(
    here: AbstractAsyncContextManager[Chunks], transport: Transport, blob: Descriptor, *, start: int, clock: Clock
) -> AsyncIterator[Chunks]:
    async with AsyncExitStack() as stack:
        try:
            chunks = await stack.enter_async_context(here)
        except (NotFound, AccessDenied) as missing:
            chunks = await _elsewhere(stack, transport, blob, start=start, clock=clock, missing=missing)
        yield chunks


async def _elsewhere(
    stack: AsyncExitStack, transport: Transport, blob: Descriptor, *, start: int, clock: Clock, missing: RegsyncError
) -> Chunks:
    """Return the bytes from the first URL that gives them; what the last one failed at is raised."""
    failure = missing
    for url in blob.urls[:_MOST]:
        try:
            host = origin_of(url).host
            request = Request("GET", url, anonymous=True, attempts=_ATTEMPTS, what=f"layer {blob.digest} from {host}")
            return await stack.enter_async_context(Download(transport, request, blob, clock=clock).open(start))
        except RegsyncError as error:
            failure = error
    raise failure
