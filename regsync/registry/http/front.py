"""What a registry asks of whoever comes to its front door, `/v2/`, where it says nothing of that elsewhere.

docker, podman and crane ask there before anything else, so who challenges there alone is not seen to be odd by them:
what takes a login is hidden behind 403 or 404 from everybody else (Artifactory with anonymous access, GitHub), or is
401 without a word (what authenticates in front of a registry). We ask there only where that may be so, once an hour.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.registry.host import HostSettings
from regsync.registry.http.message import Request
from regsync.registry.http.route import Route
from regsync.registry.http.wire import Reply

_DOOR = Request("GET", "/v2/")
_LASTS = 3600.0  # seconds
_BRIEFLY = 5.0  # seconds until one that has not answered is asked again
_MUTE = ("Basic",)  # what a door is taken to want that is closed without a word: proxies drop the header
_BODY = 4096  # bytes of its answer that are read, to keep the connection


class FrontDoor:
    """The front door of one registry."""

    def __init__(self, host: HostSettings, *, route: Route, clock: Clock) -> None:
        self._route = route
        self._clock = clock
        self._has_login = host.has_login or bool(host.below)
        self._lock = asyncio.Lock()
        self._good_until = float("-inf")  # on the monotonic clock
        self._said: tuple[str, ...] = ()

    async def challenges(self, reply: Reply, request: Request, *, sent: str | None) -> tuple[str, ...] | None:
        """Return the challenges to be met for this answer of the registry itself, None where it is an answer.

        Whoever sent a login has met them. 404 is an answer wherever we write: most of what is looked for is not there.
        """
        given = reply.headers.lines("www-authenticate")
        if reply.status == 401:
            mute = sent is None and not any(map(str.strip, given))
            worth = self._has_login or request.method != "HEAD"  # who is not let look may be let fetch
            return (await self._heard() or given) if mute and worth else given
        writing = any("push" in scope.actions for scope in request.scopes)
        hides = reply.status == 403 or (reply.status == 404 and not writing)
        return (await self._heard() or None) if hides and sent is None and self._has_login else None

    async def _heard(self) -> tuple[str, ...]:
        """Return what is wanted at the front door, as far as we may have it."""
        async with self._lock:
            if self._clock.monotonic() >= self._good_until:
                said = await self._ask()
                self._said = said or ()
                self._good_until = self._clock.monotonic() + (_BRIEFLY if said is None else _LASTS)
        return self._said if self._has_login or "bearer" in " ".join(self._said).lower() else ()

    async def _ask(self) -> tuple[str, ...] | None:
        """Return what is wanted there, None where nobody answers."""
        with suppress(RegsyncError):
            reply = await self._route.open(_DOOR, self._route.absolute(_DOOR.url), None, authorization=None)
            try:
                await reply.beginning(_BODY)
                said = reply.headers.lines("www-authenticate")
                return () if reply.status != 401 else said if any(map(str.strip, said)) else _MUTE
            finally:
                await reply.leave()
        return None
