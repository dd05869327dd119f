"""The policy of talking to one registry: log in, pace, follow, try again, and name what went wrong.

Three things try again and each has its own budget: a request here, a blob in the copier, an entry by its schedule. What
was begun to be streamed is never sent twice from here.
"""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from regsync.clock import Clock
from regsync.errors import AccessDenied, RegsyncError, Unavailable, Unsupported
from regsync.events import Exchanged, RequestRetried, Tell, Warned
from regsync.limits import Limits
from regsync.registry.host import HostSettings
from regsync.registry.http.failure import ERROR_CAP, complaint_of, failure_of
from regsync.registry.http.feed import Feed
from regsync.registry.http.message import Answer, Headers, Request, Streamed
from regsync.registry.http.pacing import LONGEST_NAP, Pacing
from regsync.registry.http.redirect import MOST_HOPS, next_hop
from regsync.registry.http.retry import (
    LONGEST_DEFERRAL,
    Worth,
    back_off,
    is_outage,
    is_strain,
    retry_after,
    worth_of,
    worth_of_status,
)
from regsync.registry.http.route import Route
from regsync.registry.http.tls import CERTIFICATES
from regsync.registry.http.wire import Reply, Wire
from regsync.registry.login.auth import Authenticator
from regsync.registry.login.credentials import credentials_of
from regsync.secrets import Secrets
from regsync.text import plain

__all__ = ["Answer", "Headers", "Request", "Streamed", "Transport"]

_LOGINS = 3  # 401s in a row that are answered
_EXPIRED = frozenset({400, 401, 403})  # what storage says of a signed URL that is too old
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_MOST_WARNINGS = 100
_LONGEST_WARNING = 4096  # characters
_NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})
_T = TypeVar("_T")


@dataclass(slots=True)
class _Course:
    """How one logical request goes: the attempt under way, its streamed body, what its last failure is worth."""

    request: Request
    feed: Feed | None = None
    attempt: int = 0
    worth: Worth | None = None

    @property
    def spent(self) -> bool:
        return self.feed is not None and self.feed.began


class Transport:
    """One registry, spoken to.

    `environ` is where proxies and credential helpers come from, `certificates` the folder of docker's `certs.d`, `draw`
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
        certificates: Path = CERTIFICATES,
        secrets: Secrets | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._host = host
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._draw = draw
        self._pacing = Pacing(host.name, host.per_second, clock=clock, draw=draw)
        self._route = Route(host, wire, environ=environ, certificates=certificates, tell=tell, user_agent=user_agent)
        secrets = secrets if secrets is not None else Secrets()
        self._auth = Authenticator(
            host,
            credentials_of(host, clock=clock, environ=environ, secrets=secrets),
            self._route.fetch,
            user_agent=user_agent,
            clock=clock,
            local_realms=self._route.is_local,
            secrets=secrets,
        )
        self._warned: set[str] = set()

    async def send(self, request: Request) -> Answer:
        """Send a request and return its whole answer, tried again as far as that makes sense."""
        course = _Course(request)
        return await self._persist(course, lambda: self._whole(course))

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Streamed]:
        """Open an answer to read its body as it comes; tried again until there are headers."""
        course = _Course(request)
        async with AsyncExitStack() as stack:

            async def once() -> Reply:
                async with AsyncExitStack() as attempt:
                    reply = await attempt.enter_async_context(self._attempt(course))
                    await stack.enter_async_context(attempt.pop_all())
                return reply

            reply = await self._persist(course, once)
            chunks = await stack.enter_async_context(aclosing(reply.chunks()))
            yield Streamed(reply.status, reply.headers, reply.url, chunks)

    async def pour(self, request: Request, chunks: AsyncIterator[bytes], *, length: int) -> Answer:
        """Send a body of `length` bytes as it comes; once its first chunk was asked for, it is never sent again."""
        if not length:
            async for _ in chunks:
                raise Unsupported(f"{request.what} has bytes although it should be empty")
            return await self.send(replace(request, body=b""))
        course = _Course(request, Feed(chunks, length))
        async with AsyncExitStack() as stack:
            if isinstance(chunks, AsyncGenerator):  # else it waits for the garbage collector, and its source with it
                stack.push_async_callback(chunks.aclose)
            return await self._persist(course, lambda: self._whole(course))

    async def _persist(self, course: _Course, once: Callable[[], Awaitable[_T]]) -> _T:
        """Try until it works or is not worth another try."""
        self._pacing.began()
        while True:
            course.attempt, course.worth = course.attempt + 1, None
            try:
                return await once()
            except RegsyncError as error:
                error.attempts = course.attempt
                if not self._may_go_on(course, error):
                    raise
                pause = self._pause_after(course, error)
                why = str(error)
            self._tell(RequestRetried(self._host.name, _named(course.request), course.attempt, pause, why))
            await self._clock.sleep(pause)

    def _may_go_on(self, course: _Course, error: RegsyncError) -> bool:
        worth = course.worth or worth_of(error)
        if error.retry_after is not None and error.retry_after > LONGEST_NAP:
            return False
        if worth is Worth.NEVER or course.spent or course.attempt >= course.request.attempts:
            return False
        if worth is Worth.ONCE and course.attempt > 1:
            return False
        return self._pacing.may_retry(course.attempt)

    def _pause_after(self, course: _Course, error: RegsyncError) -> float:
        return max(error.retry_after or 0.0, back_off(course.attempt, draw=self._draw))

    async def _whole(self, course: _Course) -> Answer:
        async with self._attempt(course) as reply:
            return Answer(reply.status, reply.headers, reply.url, await reply.read(course.request.cap))

    @asynccontextmanager
    async def _attempt(self, course: _Course) -> AsyncIterator[Reply]:
        """Open one answer among those expected, logging in on the way."""
        request = course.request
        for _ in range(_LOGINS):
            streaming = course.feed is not None
            async with self._turn(streaming=streaming), self._auth.trying(request.scopes) as sent:
                async with self._followed(course, sent) as reply:
                    if reply.status != 401 or 401 in request.expect or not self._route.is_own(reply.url):
                        if reply.status != 401 or 401 not in request.expect:
                            self._auth.accepted(request.scopes, sent=sent)
                        self._heed(reply.headers)
                        if reply.status not in request.expect:
                            raise await self._unexpected(course, reply)
                        yield reply
                        return
                    challenges = reply.headers.lines("www-authenticate")
                    await reply.beginning(ERROR_CAP)
                await self._auth.challenged(request.scopes, challenges, sent=sent)
            if course.spent:
                raise Unavailable(f"{self._place(request)}: 401 in mid-upload; logged in for the next one")
        raise AccessDenied(f"{self._place(request)}: 401 after {_LOGINS} logins")

    @asynccontextmanager
    async def _turn(self, *, streaming: bool) -> AsyncIterator[None]:
        """Hold a slot at the host while it may be talked to; pauses are waited for before, without one."""
        while True:
            await self._pacing.opened()
            async with self._limits.hold(self._host.name):
                if self._pacing.closed:  # meanwhile
                    continue
                async with self._pacing.turn(streaming=streaming):
                    yield
                return

    @asynccontextmanager
    async def _followed(self, course: _Course, sent: str | None) -> AsyncIterator[Reply]:
        """Open the answer at the end of the redirects; who follows them carries our login to our own origin only."""
        request = course.request
        url = self._route.absolute(request.url)
        for _ in range(MOST_HOPS + 1):
            async with self._exchange(course, url, sent) as reply:
                following = next_hop(request.method, reply.status, reply.headers, url=url)
                if following is None or reply.status in request.expect:
                    yield reply
                    return
                if course.feed is not None:
                    raise Unsupported(f"{self._place(request)}: the registry redirects an upload that has begun")
                await reply.beginning(ERROR_CAP)
            url = following
        raise Unsupported(f"{self._place(request)}: more than {MOST_HOPS} redirects")

    @asynccontextmanager
    async def _exchange(self, course: _Course, url: str, sent: str | None) -> AsyncIterator[Reply]:
        own = self._route.is_own(url)
        async with AsyncExitStack() as stack:
            try:
                reply = await stack.enter_async_context(
                    self._route.exchange(course.request, url, course.feed, authorization=sent if own else None)
                )
            except Unavailable as error:
                if own and not (course.feed is not None and course.feed.failed):
                    self._note_silence(error)
                raise
            if own:
                self._note_status(reply.status, pause_named="retry-after" in reply.headers)
            shown = url.partition("?")[0]
            self._tell(Exchanged(course.request.method, shown, reply.status, authorized=own and sent is not None))
            yield reply

    def _note_silence(self, error: Unavailable) -> None:
        self._pacing.failed(str(error), silent=True)
        if isinstance(error.__cause__, TimeoutError):
            self._limits.went_badly(self._host.name)

    def _note_status(self, status: int, *, pause_named: bool) -> None:
        """Tell pacing and limits; who names a pause is at work and no outage, whatever the status."""
        if worth_of_status(status) is Worth.NEVER or status < 400:
            self._pacing.answered()
            self._limits.went_well(self._host.name)
            return
        self._pacing.failed(f"it answers {status}", silent=is_outage(status) and not pause_named)
        if is_strain(status):
            self._limits.went_badly(self._host.name)

    async def _unexpected(self, course: _Course, reply: Reply) -> RegsyncError:
        """Return the failure an answer means, having set what it is worth and for how long the host pauses."""
        request = course.request
        body = await reply.beginning(ERROR_CAP)
        elsewhere = not self._route.is_own(reply.url) and self._route.is_own(self._route.absolute(request.url))
        if elsewhere and reply.status in _EXPIRED:
            return Unavailable(f"{self._place(request)}: {reply.status} from where the registry sends us")
        course.worth = worth_of_status(reply.status, complaint_of(body).code)
        error = failure_of(reply.status, body, place=self._place(request))
        if isinstance(error, Unavailable) and not elsewhere:
            error.retry_after = self._paused(course, reply.headers, str(error))
        return error

    def _paused(self, course: _Course, headers: Headers, why: str) -> float | None:
        seconds = retry_after(headers.get("retry-after", ""), self._clock.now())
        if seconds is None:
            return None
        if seconds > LONGEST_DEFERRAL:
            course.worth = Worth.NEVER
            self._pacing.defer(seconds, why)
        else:
            self._pacing.pause(seconds)
        return seconds

    def _heed(self, headers: Headers) -> None:
        for text in _WARNING.findall(headers.get("warning", "")):
            said = plain(text[:_LONGEST_WARNING])
            if said not in self._warned and len(self._warned) < _MOST_WARNINGS:
                self._warned.add(said)
                self._tell(Warned("Registry warning message", {"host": self._host.name, "warning": said}))

    def _place(self, request: Request) -> str:
        return f"{_named(request)} at {self._host.name}"


def _named(request: Request) -> str:
    return f"{request.method} {request.what or request.url.partition('?')[0]}"
