"""One HTTP exchange, without policy; with `connection` and `border`, all that knows the HTTP library.

Everything here is a setting somebody was bitten by. Bodies are never decoded (a decoded layer has another digest), URLs
go out byte for byte (re-quoting breaks signed ones), nothing is read from the environment (`.netrc`), redirects and
cookies are not followed, and no time-out is a total: what is bounded is every wait for the other side. One thing is
left to the library: it sends an idempotent request once more when a connection closes without an answer.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import nullcontext, suppress
from io import BytesIO
from types import MappingProxyType, TracebackType
from typing import Final, Self, TypedDict

import aiohttp
from yarl import URL

from regsync.errors import IntegrityError, RegsyncError
from regsync.registry.http.border import Border, place_of
from regsync.registry.http.connection import Connector, NoCookies, Peers
from regsync.registry.http.detour import of_status
from regsync.registry.http.feed import Feed, Timeouts
from regsync.registry.http.guard import AddressClass
from regsync.registry.http.message import Headers
from regsync.registry.http.proxy import Fields, Proxy
from regsync.registry.http.tls import trust_elsewhere

_READ_BUFFER = 256 << 10  # bytes; what one read of the event loop brings at most
_LONGEST_HEADER = 64 << 10  # bytes; registries send Link and token headers beyond the library's 8190
_MOST_HEADERS = 1000
_AT_ONCE = 256 << 10  # bytes; longer bodies go out in pieces that must move one by one
_UNWATCHED: Final = nullcontext()

_PROXY_LOGIN = 407  # status with which a proxy that hands on plain HTTP asks for another login

_PATIENCE = Timeouts()
_NO_ENVIRONMENT: Mapping[str, str] = MappingProxyType({})


class _Through(TypedDict, total=False):
    """The library's words for a proxy."""

    proxy: URL
    proxy_headers: dict[str, str]  # of CONNECT alone


class Reply:
    """Status and headers of an answer whose body is still on its way, until it is left."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        url: str,
        timeouts: Timeouts,
        *,
        feed: Feed | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self.status = response.status
        self.headers = Headers(response.headers.items())
        self.url = url
        self._response = response
        self._timeouts = timeouts
        self._feed = feed
        self._proxy = proxy
        self._waited, self._got = 0.0, 0

    async def leave(self) -> None:
        """Give the connection back, or close it where the body was not read to its end."""
        _leave(self._response)
        if self._feed is not None:
            await self._feed.settled()

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, in pieces of whatever size the socket gave."""
        while chunk := await self._next():
            yield chunk

    async def _next(self) -> bytes:
        content = self._response.content
        with Border(self.url, "timed out reading the answer", proxy=self._proxy):
            if chunk := content.read_nowait():  # most answers are here with their headers
                self._got += len(chunk)
                return chunk
            if content.at_eof():
                return b""
            began = time.monotonic()
            async with asyncio.timeout(self._timeouts.idle):
                chunk = await content.readany()
            self._waited += time.monotonic() - began
            self._got += len(chunk)
            if chunk and self._waited > self._timeouts.window:
                if self._got < self._timeouts.rate * self._waited:
                    raise TimeoutError
                self._waited, self._got = 0.0, 0
            return chunk

    async def read(self, cap: int) -> bytes:
        """Return the whole body; one longer than `cap` bytes is an `IntegrityError`."""
        if self._response.content.at_eof():  # an answer to HEAD has a length and no body
            return b""
        with Border(self.url, proxy=self._proxy):
            length = self._response.content_length or 0
        if length > cap:
            raise IntegrityError(f"an answer of {length} bytes is more than the {cap} expected")
        body = BytesIO()  # which gives away its own buffer, where that of a bytearray has to be copied
        while chunk := await self._next():
            if body.tell() + len(chunk) > cap:
                raise IntegrityError(f"an answer of more than the {cap} bytes expected")
            body.write(chunk)
        return body.getvalue()

    async def beginning(self, cap: int) -> bytes:
        """Return the first `cap` bytes of a body nobody relies on, or what came of it before it broke."""
        body = bytearray()
        with suppress(RegsyncError):
            while len(body) < cap and (chunk := await self._next()):
                body += chunk
        return bytes(body[:cap])


class Wire:
    """The connections of a process: one pool for what was configured, one per kind of place registries may derive.

    And one for each proxy; whom to believe that it is one is found in `environ`.
    """

    def __init__(self, *, timeouts: Timeouts = _PATIENCE, environ: Mapping[str, str] = _NO_ENVIRONMENT) -> None:
        self._timeouts = timeouts
        self._environ = environ
        self._sessions: dict[tuple[frozenset[AddressClass] | None, Proxy | None], aiohttp.ClientSession] = {}
        self._peers: Peers = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        while self._sessions:
            await self._sessions.popitem()[1].close()

    def class_at(self, url: str) -> AddressClass | None:
        """Return the class of the address that last answered for this URL's origin; None when a proxy was asked."""
        origin = URL(url, encoded=True)
        return self._peers.get((origin.host, origin.port))

    async def open(
        self,
        method: str,
        url: str,
        headers: Fields,
        body: bytes | Feed | None,
        *,
        tls: ssl.SSLContext | bool,
        proxy: Proxy | None,
        reach: frozenset[AddressClass] | None,
    ) -> Reply:
        """Send one request and return its answer, which is to be left.

        `reach` are the address classes a derived URL may lead to, None for a configured one.
        """
        feed = Feed.of(body) if isinstance(body, bytes) and len(body) > _AT_ONCE else body
        response: aiohttp.ClientResponse | None = None
        reply: Reply | None = None
        try:
            with Border(url, "timed out waiting for an answer", proxy=proxy):
                async with asyncio.timeout(self._timeouts.header) as deadline:
                    with feed.watched(deadline, self._timeouts) if isinstance(feed, Feed) else _UNWATCHED:
                        response = await self._session(reach, proxy).request(
                            method,
                            URL(url, encoded=True),
                            headers=_headed(headers, feed, _for_proxy(proxy, url)),
                            data=feed or None,
                            allow_redirects=False,
                            ssl=tls,
                            **_by_way_of(proxy),
                        )
            if proxy is not None and response.status == _PROXY_LOGIN:
                raise of_status(response.status, proxy, place=place_of(url))
            reply = Reply(response, url, self._timeouts, feed=feed if isinstance(feed, Feed) else None, proxy=proxy)
            return reply
        finally:
            if reply is None:
                _leave(response)
                if isinstance(feed, Feed):
                    await feed.settled()

    def _session(self, reach: frozenset[AddressClass] | None, proxy: Proxy | None) -> aiohttp.ClientSession:
        session = self._sessions.get((reach, proxy))
        if session is None:
            session = self._sessions[reach, proxy] = aiohttp.ClientSession(
                connector=self._pool(reach, proxy),
                cookie_jar=NoCookies(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
                auto_decompress=False,
                trust_env=False,
                requote_redirect_url=False,
                read_bufsize=_READ_BUFFER,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
                max_headers=_MOST_HEADERS,
            )
        return session

    def _pool(self, reach: frozenset[AddressClass] | None, proxy: Proxy | None) -> Connector:
        if proxy is None:
            return Connector(reach, self._peers if reach is None else {})
        if proxy.is_socks:
            from regsync.registry.http.socks import SocksConnector  # noqa: PLC0415  # its library costs every start

            return SocksConnector(proxy)
        tls = trust_elsewhere(proxy.name, self._environ) if proxy.scheme == "https" else None
        return Connector(reach, {}, proxy_tls=tls)


def _headed(headers: Fields, body: bytes | Feed | None, for_proxy: Fields) -> list[tuple[str, str]]:
    length = [("Content-Length", str(body.length))] if isinstance(body, Feed) else []
    return [*headers, ("Accept-Encoding", "identity"), *length, *for_proxy]


def _for_proxy(proxy: Proxy | None, url: str) -> Fields:
    """Return what a proxy reads in the request itself; where it hands on TLS, that stands in CONNECT."""
    return proxy.authorization if proxy is not None and url.startswith("http:") else ()


def _by_way_of(proxy: Proxy | None) -> _Through:
    """Return what the library is to be told of a proxy: nothing of one that only the connections know about."""
    if proxy is None or proxy.is_socks:
        return {}
    place = URL.build(scheme=proxy.scheme, host=proxy.host, port=proxy.port)
    return {"proxy": place, "proxy_headers": dict(proxy.authorization)}


def _leave(response: aiohttp.ClientResponse | None) -> None:
    """Keep the connection of an answer that was read to its end; any other is closed."""
    if response is None:
        return
    if response.content.at_eof():
        response.release()
    else:
        response.close()
