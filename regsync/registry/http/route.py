"""How a URL of one registry is reached: which certificate is believed, which proxy is taken, what the guard allows.

The registry's own origin is what the operator wrote down; every other place is one the registry chose for us.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from regsync.errors import Refused
from regsync.events import Tell
from regsync.registry.host import HostSettings
from regsync.registry.http.encoding import as_text
from regsync.registry.http.feed import Feed
from regsync.registry.http.guard import AddressClass, class_of_name, reachable
from regsync.registry.http.message import Request
from regsync.registry.http.proxies import Proxies
from regsync.registry.http.redirect import MOST_HOPS, Origin, kept_in_tls, next_hop, origin_of
from regsync.registry.http.tls import Trust, trust_of
from regsync.registry.http.wire import Reply, Wire
from regsync.registry.login.token import TokenAnswer, TokenRequest

_TOKEN_CAP = 1 << 20  # bytes
_NEAR = frozenset({AddressClass.PRIVATE, AddressClass.LOOPBACK})


class Route:
    """The ways from here to one registry and to where it sends us."""

    def __init__(
        self,
        host: HostSettings,
        wire: Wire,
        *,
        environ: Mapping[str, str],
        certificates: Sequence[Path],
        tell: Tell,
        user_agent: str,
    ) -> None:
        self._host = host
        self._wire = wire
        self._environ = environ
        self._proxies = Proxies(environ)
        self._certificates = certificates
        self._tell = tell
        self._agent = ("User-Agent", user_agent)
        self._origin = origin_of(host.origin)

    def absolute(self, url: str) -> str:
        """Return the URL a request goes to; one the registry named must not lead out of TLS."""
        return self._host.origin + url if url.startswith("/") else kept_in_tls(url, by=self._host.origin)

    def is_own(self, url: str) -> bool:
        """Say whether a URL is the registry's own, so that its credentials may go there."""
        return origin_of(url) == self._origin

    def is_local(self) -> bool:
        """Say whether the registry is at a private or loopback address."""
        return self._class in _NEAR

    @property
    def _class(self) -> AddressClass | None:
        """How far the registry itself is: as it was last reached or, behind a proxy, as its name alone tells."""
        return self._wire.class_at(self._host.origin) or class_of_name(self._origin.host)

    async def open(self, request: Request, url: str, feed: Feed | None, *, authorization: str | None) -> Reply:
        """Send one request to this URL and return its answer, which is to be left."""
        login = () if authorization is None else (("Authorization", authorization),)
        headers = (*request.headers, self._agent, *login)
        return await self._open(request.method, url, headers, feed if feed is not None else request.body)

    async def fetch(self, request: TokenRequest) -> TokenAnswer:
        """Ask a token server, as the `Fetch` of this host's `Authenticator`: guarded and capped.

        It is followed within its origin, where the login may go, and anywhere with none; a redirect that would take a
        login elsewhere is its answer.
        """
        headers, url = (*request.headers.items(), self._agent), request.url
        for hops_left in reversed(range(MOST_HOPS)):
            reply = await self._open(request.method, url, headers, request.body or None)
            try:
                following = _followed(request, reply, url) if hops_left else None
                if following is None:
                    body = as_text(await reply.read(_TOKEN_CAP), reply.headers, cap=_TOKEN_CAP)
                    return TokenAnswer(reply.status, body, reply.headers.get("retry-after", ""))
            finally:
                await reply.leave()
            url = following
        raise AssertionError("the last hop answers")

    def _open(
        self, method: str, url: str, headers: tuple[tuple[str, str], ...], body: bytes | Feed | None
    ) -> Awaitable[Reply]:
        own, proxy = self.is_own(url), self._proxies.of(url)
        reach = None if own else reachable(self._class)
        if reach is not None:
            _judge_name(url, reach)
        if proxy is not None:
            reach = None  # the socket leads to the proxy, which the operator chose
        tls = (self._trust.own if own else self._trust.derived) if url.startswith("https:") else True
        return self._wire.open(method, url, headers, body, tls=tls, proxy=proxy, reach=reach)

    @property
    def _trust(self) -> Trust:
        if isinstance(self._found, Trust):
            return self._found
        raise Refused(self._found)

    @cached_property
    def _found(self) -> Trust | str:
        """The contexts, or why there are none: that takes as long to find out, and every request asks."""
        try:
            return trust_of(self._host, roots=self._certificates, environ=self._environ, tell=self._tell)
        except Refused as error:
            return str(error)


def _judge_name(url: str, reach: frozenset[AddressClass]) -> None:
    """Refuse what can be seen from the name alone: a proxy would be asked for it, or a resolver that may lie."""
    origin = origin_of(url)
    found = class_of_name(origin.host)
    if found is not None and found not in reach:
        where = f"[{origin.host}]" if ":" in origin.host else origin.host
        raise Refused(f"will not follow the registry to {where}:{origin.port}: it is at a {found.value} address")


def _followed(request: TokenRequest, reply: Reply, url: str) -> str | None:
    """Return where this answer of a token server sends a request, if that may go there with all it shows."""
    if not reply.headers.get("location"):
        return None
    following = next_hop(request.method, reply.status, reply.headers, url=url)
    if following is None or (request.shows_login and not _same_place(origin_of(url), origin_of(following))):
        return None
    return following


def _same_place(before: Origin, after: Origin) -> bool:
    """Say whether this is the same origin, or the same host in TLS now, each at its usual port."""
    raised = (before.scheme, before.port, after.scheme, after.port) == ("http", 80, "https", 443)
    return before == after or (raised and before.host == after.host)
