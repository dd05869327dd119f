"""The policy of talking to one registry: what is tried again, how often, and after which pause.

Three things try again and each has its own budget: a request here, a blob in the copier, an entry by its schedule. What
was begun to be streamed is never sent twice from here.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from regsync.clock import Clock
from regsync.errors import RegsyncError, Unsupported
from regsync.events import RequestRetried, Tell
from regsync.limits import Hold, Limits
from regsync.oci.digest import Digest
from regsync.registry.host import HostSettings
from regsync.registry.http.attempt import Attempts, Course
from regsync.registry.http.feed import Feed
from regsync.registry.http.message import Answer, Headers, Request, Streamed
from regsync.registry.http.pacing import Pacing, Rest
from regsync.registry.http.retry import Worth, back_off, worth_of
from regsync.registry.http.route import Route
from regsync.registry.http.wire import Wire
from regsync.registry.login.auth import Authenticator
from regsync.registry.login.credentials import credentials_of
from regsync.registry.login.doors import Doors
from regsync.secrets import Secrets
from regsync.waiting import NAP

__all__ = ["Answer", "Headers", "Request", "Streamed", "Transport"]

_NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})
_T = TypeVar("_T")


class Transport:
    """One registry, spoken to.

    `environ` is where proxies and credential helpers come from, `certificates` folders like docker's `certs.d`, `draw`
    the source of chance for back-off, `secrets` who gets to know what logs in.
    """

    def __init__(
        self,
        host: HostSettings,
        wire: Wire,
        *,
        limits: Limits,
        clock: Clock,
        tell: Tell,
        user_agent: str,
        environ: Mapping[str, str] = _NO_ENVIRONMENT,
        certificates: Sequence[Path] = (),
        secrets: Secrets | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self.packed: set[Digest] = set()  # blobs that came as gzip and are to be unpacked the next time
        self._host = host
        self._clock = clock
        self._tell = tell
        self._draw = draw
        self._pacing = Pacing(host.name, host.per_second, clock=clock, draw=draw)
        route = Route(host, wire, environ=environ, certificates=certificates, tell=tell, user_agent=user_agent)
        knowing = partial(
            _authenticator,
            route=route,
            user_agent=user_agent,
            clock=clock,
            environ=environ,
            secrets=Secrets() if secrets is None else secrets,
            warn=self.warn,
        )
        self._limits = limits
        self._attempts = Attempts(
            host, route=route, doors=Doors(host, knowing), pacing=self._pacing, limits=limits, clock=clock, tell=tell
        )

    def place(self) -> Hold:
        """Hold one slot at the host for requests that belong together, so that no others come in between."""
        return self._limits.hold(self._host.name)

    @property
    def closed(self) -> bool:
        """Say whether a request would have to wait, or fail at once, because of trouble the registry had."""
        return self._pacing.closed

    @property
    def rest(self) -> Rest | None:
        """Say until when the registry is not asked, as it wants or because it stayed away; None if it is."""
        return self._pacing.rest

    @property
    def origin(self) -> str:
        """Where the registry is asked: `scheme://host[:port]`."""
        return self._host.origin

    def warn(self, what: str, example: str = "") -> None:
        """Tell of an oddity of this registry and what we do about it, once, by its first example."""
        self._attempts.remarks.odd(what, example)

    async def send(self, request: Request) -> Answer:
        """Send a request and return its whole answer, tried again as far as that makes sense."""
        return await self._persist(Course(request), self._attempts.whole)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Open an answer to read its body as it comes; tried again until there are headers."""
        opened = await self._persist(Course(request), self._attempts.open)
        async with opened as reply, aclosing(reply.chunks()) as chunks:
            yield Streamed(reply.status, reply.headers, reply.url, chunks)

    async def pour(self, request: Request, chunks: AsyncIterator[bytes], *, length: int) -> Answer:
        """Send a body of `length` bytes as it comes; once its first chunk was asked for, it is never sent again."""
        if not length:
            async for _ in chunks:
                raise Unsupported(f"{request.what} has bytes although it should be empty")
            return await self.send(replace(request, body=b""))
        course = Course(request, Feed(chunks, length))
        async with AsyncExitStack() as stack:
            if isinstance(chunks, AsyncGenerator):  # else it waits for the garbage collector, and its source with it
                stack.push_async_callback(chunks.aclose)
            return await self._persist(course, self._attempts.whole)

    async def _persist(self, course: Course, once: Callable[[Course], Awaitable[_T]]) -> _T:
        """Try until it works or is not worth another try."""
        self._pacing.began()
        while True:
            course.attempt, course.worth = course.attempt + 1, None
            try:
                return await once(course)
            except RegsyncError as error:
                error.attempts = course.attempt
                if not self._may_go_on(course, error):
                    raise
                pause = self._pause_after(course, error)
                why = self._attempts.words_of(error, course.request)
            self._tell(RequestRetried(self._host.name, course.request.named, course.attempt, pause, why))
            await self._clock.sleep(pause)

    def _may_go_on(self, course: Course, error: RegsyncError) -> bool:
        worth = course.worth or worth_of(error)
        if error.retry_after is not None and error.retry_after > NAP:
            return False
        if worth is Worth.NEVER or course.spent or course.attempt >= course.request.attempts:
            return False
        if worth is Worth.ONCE and course.attempt > 1:
            return False
        return self._pacing.may_retry(course.attempt)

    def _pause_after(self, course: Course, error: RegsyncError) -> float:
        return max(error.retry_after or 0.0, back_off(course.attempt, draw=self._draw))


def _authenticator(
    login: HostSettings,
    *,
    route: Route,
    user_agent: str,
    clock: Clock,
    environ: Mapping[str, str],
    secrets: Secrets,
    warn: Callable[[str, str], None],
) -> Authenticator:
    return Authenticator(
        login,
        credentials_of(login, clock=clock, environ=environ, secrets=secrets),
        route.fetch,
        user_agent=user_agent,
        clock=clock,
        local_realms=route.is_local,
        secrets=secrets,
        warn=warn,
    )
