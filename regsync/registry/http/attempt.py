"""One attempt at a request: wait for its place, log in, follow redirects, and say what an answer means.

Every request passes here, so an attempt is made of plain coroutines: each stacked generator would cost as much as what
it guards.
"""

from __future__ import annotations

from contextlib import AsyncExitStack, nullcontext
from dataclasses import dataclass
from types import TracebackType

from regsync.clock import Clock
from regsync.errors import AccessDenied, Failing, Forbidden, Misled, Refused, RegsyncError, Unavailable, Unsupported
from regsync.events import Exchanged, Tell
from regsync.limits import Limits
from regsync.registry.host import HostSettings
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.encoding import as_text
from regsync.registry.http.failure import ERROR_CAP, failure_of
from regsync.registry.http.feed import Feed
from regsync.registry.http.front import FrontDoor
from regsync.registry.http.guest import Guest
from regsync.registry.http.message import Answer, Headers, Request
from regsync.registry.http.pacing import Pacing
from regsync.registry.http.redirect import MOST_HOPS, next_hop, origin_of
from regsync.registry.http.remarks import Remarks
from regsync.registry.http.retry import Worth, is_outage, is_strain, retry_after, worth_of_status
from regsync.registry.http.route import Route
from regsync.registry.http.wire import Reply
from regsync.registry.login.doors import Doors
from regsync.waiting import UNIT

_LOGINS = 5  # 401s in a row that are answered: without a login, with two tokens, with two passwords
_EXPIRED = frozenset({400, 401, 403})  # what storage says of a signed URL that is too old
_WANTING = frozenset({401, 403})
_HIDING = _WANTING | {404}


@dataclass(slots=True)
class Course:
    """How one logical request goes: the attempt under way, its streamed body, what its last failure is worth."""

    request: Request
    feed: Feed | None = None
    attempt: int = 0
    worth: Worth | None = None

    @property
    def spent(self) -> bool:
        """Say whether its body was begun, so that it cannot be sent again."""
        return self.feed is not None and self.feed.began


@dataclass(frozen=True, slots=True)
class Opened:
    """An answer among those expected, and what is held until it was read; to be entered at once."""

    reply: Reply
    held: AsyncExitStack

    async def __aenter__(self) -> Reply:
        return self.reply

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.held.__aexit__(kind, error, trace)


class Attempts:
    """One registry, asked once at a time."""

    def __init__(
        self,
        host: HostSettings,
        *,
        route: Route,
        doors: Doors,
        pacing: Pacing,
        limits: Limits,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self._host = host
        self._route = route
        self._doors = doors
        self._pacing = pacing
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._front = FrontDoor(host, route=route, clock=clock)
        self._guest = Guest(route.fetch, clock=clock, local_realms=route.is_local)
        self.remarks = Remarks(host.name, tell)

    async def whole(self, course: Course) -> Answer:
        """Return an answer with its body."""
        async with await self.open(course) as reply:
            return Answer(reply.status, reply.headers, reply.url, await reply.read(course.request.cap))

    async def open(self, course: Course) -> Opened:
        """Open one answer among those expected, logging in on the way."""
        request = course.request
        for _ in range(_LOGINS):
            async with AsyncExitStack() as held:
                await self._take_place(held, streaming=course.feed is not None)
                door = self._doors.of(request.scopes)
                trying = nullcontext(None) if request.anonymous else door.trying(request.scopes)
                sent = await held.enter_async_context(trying)
                reply = await self._followed(course, sent)
                held.push_async_callback(reply.leave)
                wanted = await self._wanted(course, reply, sent)
                if wanted is None:
                    if not request.anonymous and (reply.status != 401 or 401 not in request.expect):
                        door.accepted(request.scopes, sent=sent)
                    self.remarks.heed(reply.headers)
                    if reply.status not in request.expect and not self._went_astray(reply, request):
                        raise await self._unexpected(course, reply)
                    return Opened(reply, held.pop_all())
                await reply.beginning(ERROR_CAP)
                await self._challenged(course, wanted, sent)
            if course.spent:
                raise Unavailable(f"{self._place(request)}: 401 in mid-upload; logged in for the next one")
        raise AccessDenied(f"{self._place(request)}: 401 after {_LOGINS} logins")

    async def _wanted(self, course: Course, reply: Reply, sent: str | None) -> tuple[str, ...] | None:
        """Return what the registry itself wants to see before it answers, None where this is its answer."""
        request = course.request
        if reply.status not in _HIDING or not self._is_its_own(reply.url, request):
            return None
        if 401 in request.expect if reply.status == 401 else course.feed is not None:
            return None
        given, door = reply.headers.lines("www-authenticate"), self._doors.of(request.scopes)
        if reply.status == 403 and given and await door.doubted(request.scopes, given, sent=sent):
            return given
        return await self._front.challenges(reply, request, sent=sent)

    async def _challenged(self, course: Course, challenges: tuple[str, ...], sent: str | None) -> None:
        """Learn from a 401, if it is not a mishap; one that asks for nothing is hardly about a login that was good."""
        request, door = course.request, self._doors.of(course.request.scopes)
        if not any(map(str.strip, challenges)) and door.is_fine(request.scopes, sent=sent):
            raise Forbidden(f"{self._place(request)}: 401 without a word of how to log in")
        taken = door.was_taken(request.scopes, sent=sent)
        if taken and course.attempt == 1 and (request.attempts > 1 or not request.looks):
            course.worth = Worth.ONCE
            raise Unavailable(f"{self._place(request)}: 401 to a user and password that were taken before")
        await door.challenged(request.scopes, challenges, sent=sent, looking=request.looks)

    def _is_its_own(self, url: str, request: Request) -> bool:
        """Say whether it is the registry that answers from this URL, and for itself."""
        return not request.anonymous and self._route.is_own(url)

    def _went_astray(self, reply: Reply, request: Request) -> bool:
        """Say whether this is an answer that only means something from elsewhere, and comes from there."""
        return reply.status in request.astray and not self._is_its_own(reply.url, request)

    def words_of(self, error: RegsyncError, request: Request) -> str:
        """Return why this request failed, without saying again which request it was and at which host."""
        return str(error).removeprefix(f"{self._place(request)}: ").removeprefix(f"{self._host.hostname}: ")

    async def _take_place(self, held: AsyncExitStack, *, streaming: bool) -> None:
        """Hold a slot at the host while it may be talked to; pauses are waited for before, without one."""
        while True:
            await self._pacing.opened()
            slot = self._limits.hold(self._host.name)
            await slot.__aenter__()
            if not self._pacing.closed:
                break
            await slot.__aexit__(None, None, None)
        held.push_async_exit(slot)
        await held.enter_async_context(self._pacing.under_way(streaming=streaming))

    async def _followed(self, course: Course, sent: str | None) -> Reply:
        """Return the answer at the end of the redirects; who follows them carries our login to our own origin only."""
        request, url = course.request, self._absolute(course.request)
        for hop in range(MOST_HOPS + 1):
            reply, arrived = await (self._answered if not hop else self._led)(course, url, sent), False
            try:
                following = next_hop(request.method, reply.status, reply.headers, url=url)
                arrived = following is None or reply.status in request.expect
                if following is None or arrived:
                    return reply
                if course.feed is not None:
                    raise Unsupported(f"{self._place(request)}: the registry redirects an upload that has begun")
                await reply.beginning(ERROR_CAP)
            finally:
                if not arrived:
                    await reply.leave()
            url = following
        raise Unsupported(f"{self._place(request)}: more than {MOST_HOPS} redirects")

    def _absolute(self, request: Request) -> str:
        url = self._route.absolute(request.url)
        if url.startswith("https:") and request.url.startswith("http:"):
            self.remarks.odd("it names places of its own in plain http; asking for them in https")
        return url

    async def _led(self, course: Course, url: str, sent: str | None) -> Reply:
        """Return the answer from where we were sent; what goes wrong on the way there is not the registry's absence."""
        try:
            return await self._answered(course, url, sent)
        except Refused as error:
            raise Misled(str(error)) from error
        except Unavailable as error:
            if self._route.is_own(url):
                raise
            raise Failing(str(error), retry_after=error.retry_after) from error.__cause__

    async def _answered(self, course: Course, url: str, sent: str | None) -> Reply:
        """Return the answer from this URL; another registry that wants a token gets one that anybody can have."""
        shown = self._guest.header(url) if self._is_guest(course.request, url) else None
        reply = await self._exchanged(course, url, sent)
        if reply.status != 401 or not self._is_guest(course.request, url):
            return reply
        try:
            welcome = await self._guest.challenged(url, reply.headers.lines("www-authenticate"), sent=shown)
        except BaseException:
            await reply.leave()
            raise
        if not welcome:
            return reply
        what = "it sends us to another registry that wants a token; getting one that anybody can have"
        self.remarks.odd(what, origin_of(url).host)
        await reply.beginning(ERROR_CAP)
        await reply.leave()
        return await self._exchanged(course, url, None)

    def _is_guest(self, request: Request, url: str) -> bool:
        """Say whether the registry has sent us to this URL to read."""
        return request.looks and not request.anonymous and not self._route.is_own(url)

    async def _exchanged(self, course: Course, url: str, sent: str | None) -> Reply:
        own = self._is_its_own(url, course.request)
        login = sent if own else self._guest.header(url) if self._is_guest(course.request, url) else None
        try:
            reply = await self._route.open(course.request, url, course.feed, authorization=login)
        except Unavailable as error:
            if own and not (course.feed is not None and course.feed.failed):
                self._note_silence(error)
            raise
        except Refused as error:
            if url == self._route.absolute(course.request.url) and own:
                raise
            raise Refused(f"{self._place(course.request)}: {error}") from error
        if own:
            self._note_status(reply.status, pause_named="retry-after" in reply.headers)
        authorized = own and sent is not None
        self._tell(Exchanged(course.request.method, url.partition("?")[0], reply.status, authorized=authorized))
        return reply

    def _note_silence(self, error: Unavailable) -> None:
        self._pacing.failed(str(error).removeprefix(f"{self._host.hostname}: "), silent=True)
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

    async def _unexpected(self, course: Course, reply: Reply) -> RegsyncError:
        """Return the failure an answer means, having set what it is worth and for how long the host pauses."""
        request = course.request
        body = as_text(await reply.beginning(ERROR_CAP), reply.headers, cap=ERROR_CAP)
        own = self._is_its_own(self._route.absolute(request.url), request)
        elsewhere = own and not self._is_its_own(reply.url, request)
        if elsewhere and reply.status in _EXPIRED:
            return Unavailable(f"{self._place(request)}: {reply.status} from where the registry sends us")
        if not own and not request.anonymous and reply.status in _WANTING:
            there = origin_of(self._route.absolute(request.url))
            return AccessDenied(
                f"{self._place(request)}: it sends us to {there.host}:{there.port}, which answers {reply.status}, "
                "and a login goes nowhere but to the registry itself"
            )
        course.worth = worth_of_status(reply.status, complaint_of(body).code)
        error = failure_of(reply.status, body, place=self._place(request))
        if elsewhere and isinstance(error, Failing):
            error.status = 0
        if isinstance(error, Unavailable) and not elsewhere and not request.anonymous:
            error.retry_after = self._paused(course, reply.headers, str(error))
        return error

    def _paused(self, course: Course, headers: Headers, why: str) -> float | None:
        seconds = retry_after(headers.get("retry-after", ""), self._clock.now())
        if seconds is None:
            return None
        if seconds > UNIT:
            course.worth = Worth.NEVER
            self._pacing.defer(seconds, why)
        else:
            self._pacing.pause(seconds, why)
        return seconds

    def _place(self, request: Request) -> str:
        return f"{request.named} at {self._host.name}"
