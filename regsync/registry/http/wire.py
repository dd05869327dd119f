"""One HTTP exchange, without policy: the only module that knows the HTTP library.

Everything here is a setting somebody was bitten by. Bodies are never decoded (a decoded layer has another digest), URLs
go out byte for byte (re-quoting breaks signed ones), nothing is read from the environment (`.netrc`), redirects and
cookies are not followed, and no time-out is a total: what is bounded is every wait for the other side. One thing is
left to the library: it sends an idempotent request once more when a connection closes without an answer.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext, suppress
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp.tracing import Trace
from yarl import URL

from regsync.errors import AccessDenied, IntegrityError, Refused, RegsyncError, Unavailable
from regsync.registry.http.feed import Feed, Timeouts
from regsync.registry.http.guard import AddressClass, class_of, guarded_socket
from regsync.registry.http.message import Headers

_READ_BUFFER = 256 << 10  # bytes; what one read of the event loop brings at most
_LONGEST_HEADER = 64 << 10  # bytes; registries send Link and token headers beyond the library's 8190
_AT_ONCE = 256 << 10  # bytes; longer bodies go out in pieces that must move one by one
_KEEP_ALIVE = 20.0  # seconds; below the idle time-outs of the load balancers in front of registries


_PATIENCE = Timeouts()
_Peers = dict[tuple[str | None, int | None], AddressClass]


class Reply:
    """Status and headers of an answer whose body is still on its way."""

    def __init__(self, response: aiohttp.ClientResponse, url: str, timeouts: Timeouts) -> None:
        self.status = response.status
        self.headers = Headers(response.headers.items())
        self.url = url
        self._response = response
        self._timeouts = timeouts

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Yield the body as it comes, in pieces of whatever size the socket gave."""
        with _border(self.url):
            waited, got = 0.0, 0
            while True:
                began = time.monotonic()
                async with asyncio.timeout(self._timeouts.idle):
                    chunk = await self._response.content.readany()
                if not chunk:
                    return
                waited += time.monotonic() - began
                got += len(chunk)
                if waited > self._timeouts.window:
                    if got < self._timeouts.rate * waited:
                        raise TimeoutError
                    waited, got = 0.0, 0
                yield chunk

    async def read(self, cap: int) -> bytes:
        """Return the whole body; one longer than `cap` bytes is an `IntegrityError`."""
        if self._response.content.at_eof():  # an answer to HEAD has a length and no body
            return b""
        if (self._response.content_length or 0) > cap:
            raise IntegrityError(f"an answer of {self._response.content_length} bytes is more than the {cap} expected")
        body = bytearray()
        async for chunk in self.chunks():
            body += chunk
            if len(body) > cap:
                raise IntegrityError(f"an answer of more than the {cap} bytes expected")
        return bytes(body)

    async def beginning(self, cap: int) -> bytes:
        """Return the first `cap` bytes of a body nobody relies on, or what came of it before it broke."""
        body = bytearray()
        with suppress(RegsyncError):
            async with aclosing(self.chunks()) as chunks:
                async for chunk in chunks:
                    body += chunk
                    if len(body) >= cap:
                        break
        return bytes(body[:cap])


class Wire:
    """The connections of a process: one pool for what was configured, one per kind of place registries may derive."""

    def __init__(self, *, timeouts: Timeouts = _PATIENCE) -> None:
        self._timeouts = timeouts
        self._sessions: dict[frozenset[AddressClass] | None, aiohttp.ClientSession] = {}
        self._peers: _Peers = {}

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

    @asynccontextmanager
    async def exchange(
        self,
        method: str,
        url: str,
        headers: tuple[tuple[str, str], ...],
        body: bytes | Feed | None,
        *,
        tls: ssl.SSLContext | bool,
        proxy: str | None,
        reach: frozenset[AddressClass] | None,
    ) -> AsyncIterator[Reply]:
        """Send one request and open its answer.

        `reach` are the address classes a derived URL may lead to, None for a configured one. A connection whose answer
        was not read to its end is closed, never kept.
        """
        feed = Feed.of(body) if isinstance(body, bytes) and len(body) > _AT_ONCE else body
        response: aiohttp.ClientResponse | None = None
        try:
            with _border(url):
                async with asyncio.timeout(self._timeouts.header) as deadline:
                    with feed.watched(deadline, self._timeouts) if isinstance(feed, Feed) else nullcontext():
                        response = await self._session(reach).request(
                            method,
                            URL(url, encoded=True),
                            headers=_headed(headers, feed),
                            data=feed or None,
                            allow_redirects=False,
                            ssl=tls,
                            proxy=proxy,
                        )
            if response.status < 300 and method != "HEAD":
                _refuse_encoding(response, url)
            yield Reply(response, url, self._timeouts)
        finally:
            if response is not None:
                _leave(response)
            if isinstance(feed, Feed):
                await feed.settled()

    def _session(self, reach: frozenset[AddressClass] | None) -> aiohttp.ClientSession:
        session = self._sessions.get(reach)
        if session is None:
            connector = _Connector(reach, self._peers if reach is None else {})
            session = self._sessions[reach] = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeouts.connect),
                auto_decompress=False,
                trust_env=False,
                requote_redirect_url=False,
                read_bufsize=_READ_BUFFER,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
            )
        return session


class _Connector(aiohttp.TCPConnector):
    """A pool that remembers which class of address answered for each configured origin."""

    def __init__(self, reach: frozenset[AddressClass] | None, peers: _Peers) -> None:
        super().__init__(
            limit=0,
            ttl_dns_cache=10,
            keepalive_timeout=_KEEP_ALIVE,
            resolver=aiohttp.ThreadedResolver(),
            socket_factory=None if reach is None else guarded_socket(reach),
        )
        self._peers_seen = peers

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # the library's signature
    ) -> aiohttp.connector.Connection:
        """Return a connection, having noted whose it is."""
        connection = await super().connect(req, traces, timeout)
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        if peer and not req.proxy:
            self._peers_seen[req.url.host, req.url.port] = class_of(str(peer[0]))
        return connection


def _headed(headers: tuple[tuple[str, str], ...], body: bytes | Feed | None) -> list[tuple[str, str]]:
    length = [("Content-Length", str(body.length))] if isinstance(body, Feed) else []
    return [*headers, ("Accept-Encoding", "identity"), *length]


def _refuse_encoding(response: aiohttp.ClientResponse, url: str) -> None:
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"", "identity"}:
        raise IntegrityError(
            f"{URL(url, encoded=True).host} sent a body encoded as {encoding[:40]!r}, which was not asked for"
        )


def _leave(response: aiohttp.ClientResponse) -> None:
    if response.content.at_eof():
        response.release()
    else:
        response.close()


@contextmanager
def _border(url: str) -> Iterator[None]:
    """Turn the library's and the system's exceptions into ours; no text of theirs that may hold a URL gets out."""
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:
        cause = error.__cause__
        if isinstance(cause, RegsyncError):  # the source of a body we were sending
            raise cause from None
        if isinstance(error, aiohttp.ClientConnectorError):
            raise _unconnected(error, url) from error.os_error
        raise _broken(error, _place(url)) from error


def _place(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _unconnected(error: aiohttp.ClientConnectorError, url: str) -> RegsyncError:
    place, reason = _place(url), error.os_error
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        said = getattr(error.certificate_error, "verify_message", "") or str(error.certificate_error)
        return Refused(f"{place}: its TLS certificate is not trusted: {said}")
    if isinstance(reason, ssl.SSLError):
        if "EOF" in str(reason.reason):
            return Unavailable(f"{place}: connection closed during the TLS handshake")
        return Refused(f"{place}: no TLS connection: {reason.reason}")
    if isinstance(reason, PermissionError) and reason.errno is None:  # the guard's
        return Refused(f"will not follow the registry to {place}: {reason}")
    if isinstance(reason, socket.gaierror):
        return Unavailable(f"{place}: name not resolved: {reason.strerror}")
    via = " through the proxy" if isinstance(error, aiohttp.ClientProxyConnectionError) else ""
    return Unavailable(f"{place}: no connection{via}: {reason.strerror or reason}")


def _broken(error: Exception, place: str) -> RegsyncError:
    match error:
        case aiohttp.ClientHttpProxyError():
            kind = AccessDenied if error.status == 407 else Unavailable
            return kind(f"{place}: the proxy answered {error.status}")
        case aiohttp.ClientResponseError():
            return Unavailable(f"{place}: answered something that is not HTTP")
        case aiohttp.ClientPayloadError():
            return Unavailable(f"{place}: the answer ended early")
        case aiohttp.ServerDisconnectedError():
            return Unavailable(f"{place}: connection closed without an answer")
        case TimeoutError():
            return Unavailable(f"{place}: timed out")
        case OSError():
            return Unavailable(f"{place}: {error.strerror or 'connection lost'}")
        case ValueError():
            return Refused(f"{place}: not a URL or header that can be sent")
        case _:
            return Unavailable(f"{place}: connection failed: {type(error).__name__}")
