"""`/events`: what happens, as server-sent events for as long as somebody listens."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from regsync.api import operations
from regsync.api.stream import Stream
from regsync.service import Service
from regsync.web.parameters import Refused, refuse_unknown
from regsync.web.route import Route

_LATER: Final = {"Retry-After": "15"}
_KIND: Final = {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}  # the latter for a proxy before us


class Following:
    """Answers with a stream's events, of all entries or of one."""

    def __init__(self, service: Service, stream: Stream) -> None:
        self._service = service
        self._stream = stream

    def routes(self) -> list[Route]:
        """Return who answers."""
        return [Route("/events", self._follow, operations.EVENTS)]

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        entry = self._asked_for(request)
        if self._stream.crowded:
            raise web.HTTPServiceUnavailable(text="as many follow as may; come back later", headers=_LATER)
        response = web.StreamResponse(headers=_KIND)
        await response.prepare(request)
        if request.method == "HEAD" or request.transport is None:
            return response
        since = request.headers.get("Last-Event-ID", "")
        with self._stream.followed(since=since, entry=entry, drop=request.transport.abort) as reader:
            async for frame in reader.frames():
                await response.write(frame)
        return response

    def _asked_for(self, request: web.Request) -> str:
        """Return the entry that is wanted, empty for all."""
        try:
            refuse_unknown(request.query, {"entry"})
        except Refused as refusal:
            raise web.HTTPBadRequest(text=f"{refusal}") from refusal
        entry = request.query.get("entry", "")
        if "entry" in request.query and entry not in self._service.setup.entries:
            raise web.HTTPNotFound(text="there is no entry of this name")
        return entry
