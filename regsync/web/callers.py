"""Who is connected to the HTTP server: so many and no more, and nobody for longer than it takes to ask and to read.

Whoever connects and says nothing, sends its request byte by byte, or does not read its answer is hung up on, and before
that makes room for others: a probe must get its answer although 64 others keep connections open that they do not use.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler

from regsync.clock import Clock

MOST: Final = 64
_LOOKED_AT_EVERY: Final = 1.0  # seconds
_IDLE: Final = 15.0  # seconds without a request
_ASKING: Final = 10.0  # seconds from the first byte of a request to its last
_UNREAD: Final = 30.0  # seconds in which nothing of an answer is read
_STUCK: Final = 5.0  # seconds after which such a connection makes room for others


class Caller(asyncio.Protocol):
    """One connection: it is `idle`, `asking`, or being `answered`, since a moment of the monotonic clock."""

    def __init__(self, callers: Callers, serve: Callable[[], asyncio.Protocol]) -> None:
        self._callers = callers
        self._serve = serve
        self._inner: asyncio.Protocol | None = None
        self._unsent = 0  # bytes, when it was last looked at
        self._moved = callers.now()  # when some of these were last read
        self._state = "idle"
        self._since = callers.now()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, or end at once if there is no room."""
        self.transport = cast("asyncio.Transport", transport)
        if not self._callers.admits(self):
            self.transport.close()
            return
        self._inner = self._serve()
        self._inner.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Take more of a request."""
        if self._state == "idle":
            self.turn("asking")
        if self._inner is not None:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """Take note that nothing more will come."""
        return None if self._inner is None else self._inner.eof_received()

    def pause_writing(self) -> None:
        """Hold what is written."""
        if self._inner is not None:
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Go on writing, as what was written has been read."""
        self._moved = self._callers.now()
        if self._inner is not None:
            self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take note of the end."""
        self._callers.forget(self)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def turn(self, state: str) -> None:
        """Be in this state from now on."""
        self._state, self._since = state, self._callers.now()

    def look(self, now: float) -> None:
        """Hang up if it takes too long."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent < self._unsent:
            self._moved = now
        self._unsent = unsent
        if unsent and self._state == "idle":
            self._since = now  # it is when all was read
        most = {"idle": _IDLE, "asking": _ASKING}.get(self._state)
        if now - self._moved >= _UNREAD or (most is not None and not unsent and now - self._since >= most):
            self.transport.abort()

    def place(self, now: float) -> tuple[int, float] | None:
        """Return where it stands among those that make room for others, None if it does not."""
        if self.transport.get_write_buffer_size():
            return (2, self._moved) if now - self._moved >= _STUCK else None
        return {"idle": (0, self._since), "asking": (1, self._since)}.get(self._state)


class Callers:
    """All who are connected."""

    def __init__(self, clock: Clock) -> None:
        self.now = clock.monotonic
        self._clock = clock
        self._open: set[Caller] = set()

    def admits(self, caller: Caller) -> bool:
        """Say whether there is room for one more, be it that another has to go that nobody answers."""
        if len(self._open) >= MOST and not self._one_left():
            return False
        self._open.add(caller)
        return True

    def forget(self, caller: Caller) -> None:
        """Take note that one is gone."""
        self._open.discard(caller)

    async def watch(self) -> None:
        """Hang up on those who take too long, for ever."""
        while True:
            await self._clock.sleep(_LOOKED_AT_EVERY)
            for caller in [*self._open]:
                caller.look(self.now())

    def _one_left(self) -> bool:
        """Hang up on the one that has been idle for longest, or else on who takes longest to ask, or to read."""
        now = self.now()
        places = {place: caller for caller in self._open if (place := caller.place(now)) is not None}
        if not places:
            return False
        left = places[min(places)]
        self._open.discard(left)
        left.transport.abort()
        return True


@web.middleware
async def attended(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer when all of a request is there, which it has to be in time, and not be hung up on meanwhile."""
    caller = None if request.transport is None else request.transport.get_protocol()
    if not isinstance(caller, Caller):
        raise ConnectionResetError
    try:
        await _whole(request)
        caller.turn("answered")
        return await handler(request)
    finally:
        caller.turn("idle")


async def _whole(request: web.Request) -> None:
    try:
        await request.read()
    except web.RequestPayloadError as error:
        raise web.HTTPBadRequest(text="the body is not what the head of the request says") from error
