"""The connections below an exchange: who answered at each, and how much anybody may say before the answer comes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.streams import StreamReader
from aiohttp.tracing import Trace
from yarl import URL

from regsync.registry.http.border import Flood
from regsync.registry.http.guard import AddressClass, class_of, guarded_socket
from regsync.registry.http.heads import Contradiction, end_of, mended

_KEEP_ALIVE = 20.0  # seconds; below the idle time-outs of the load balancers in front of registries
_LONGEST_HEAD = 1 << 20  # bytes before the body begins, interim answers included
_MOST_INTERIM = 16  # answers of class 1xx before the one that counts
Peers = dict[tuple[str | None, int | None], AddressClass]


class Connector(aiohttp.TCPConnector):
    """A pool that notes in `peers` which class of address answered for each origin.

    `proxy_tls` is what a proxy is believed by that is itself spoken to in TLS. The library would take the registry's
    context, and with it what the operator said of the registry alone: its authorities, our client certificate, or
    that nothing is to be verified.
    """

    def __init__(
        self, reach: frozenset[AddressClass] | None, peers: Peers, *, proxy_tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(
            limit=0,
            ttl_dns_cache=10,
            keepalive_timeout=_KEEP_ALIVE,
            resolver=aiohttp.ThreadedResolver(),
            socket_factory=None if reach is None else guarded_socket(reach),
        )
        self._peers_seen = peers
        self._proxy_tls = proxy_tls
        connections = partial(_Protocol, loop=asyncio.get_running_loop())
        self._factory = cast("partial[ResponseHandler]", connections)  # the library has no public way

    async def connect(
        self,
        req: aiohttp.ClientRequest,
        traces: list[Trace],
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109  # the library's signature
    ) -> aiohttp.connector.Connection:
        """Return a connection, having noted whose it is."""
        connection = await super().connect(req, traces, timeout)
        if isinstance(connection.protocol, _Protocol):
            connection.protocol.listen()
        peer = connection.transport.get_extra_info("peername") if connection.transport else None
        if peer:
            self._peers_seen[req.url.host, req.url.port] = class_of(str(peer[0]))
        return connection

    async def _wrap_create_connection(self, *args: Any, **kwargs: Any) -> tuple[asyncio.Transport, ResponseHandler]:
        to_proxy = kwargs.get("client_error") is aiohttp.ClientProxyConnectionError
        if to_proxy and self._proxy_tls is not None:
            kwargs["ssl"] = self._proxy_tls
        return await super()._wrap_create_connection(*args, **kwargs)


class _Protocol(ResponseHandler):
    """One connection, on which every request gets one answer of bounded size after few that are none (1xx)."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self.listen()

    def listen(self) -> None:
        """Expect the answer to one more request."""
        self._answered = False
        self._interim = self._head = 0
        self._held = b""  # of a head whose end is still to come

    def data_received(self, data: bytes) -> None:
        """Take bytes, as long as they are no header without an end; heads go to the library one by one, mended.

        By itself, a head is an answer even where its body is followed by what cannot be read.
        """
        if self._answered or self._parser is None:  # what comes before the library listens, it brings here again
            super().data_received(data)
            self._end_body()
            return
        self._head += len(data)
        if self._head > _LONGEST_HEAD:
            self._failed(Flood(f"sends headers without an end (more than {_LONGEST_HEAD >> 10} KiB)"))
        data, self._held = self._held + data, b""
        while data and self.exception() is None:
            data = self._rest_of(data)
        self._end_body()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Hand over what there is of a head."""
        if self._held and self._parser is not None:
            super().data_received(self._held)
        super().connection_lost(exc)

    def close(self) -> None:
        """Leave the connection, and what is still to be sent with it: a peer that does not read would keep it open."""
        if self.transport is not None and self.transport.get_write_buffer_size():
            self.abort()
        super().close()

    def _rest_of(self, data: bytes) -> bytes:
        """Hand over the next head, or all that follows the last one; return what is left."""
        end = len(data) if self._answered else end_of(data)
        if end is None:
            self._held = data
            return b""
        if self._answered or not end:
            super().data_received(data)
            return b""
        try:
            head, odd = mended(data[:end])
        except Contradiction as error:
            self._failed(error)
            return b""
        super().data_received(head)
        if odd:
            self.force_close()
        return data[end:]

    def _end_body(self) -> None:
        """Tell who reads a body that cannot be read on; the library leaves them waiting."""
        error = self.exception()
        if error is not None and self._payload is not None and not self._payload.is_eof():
            self._payload.set_exception(error)

    def feed_data(self, data: tuple[RawResponseMessage, StreamReader], size: int = 0) -> None:
        """Take one message, if it is the answer or one of few that announce it."""
        if self._answered:
            self._failed(Flood("sends answers nobody asked for"))
        elif 100 <= data[0].code < 200:
            self._interim += 1
            if self._interim > _MOST_INTERIM:
                self._failed(Flood(f"sends interim answers (1xx) without an end (more than {_MOST_INTERIM})"))
        else:
            self._answered = True
        if self.exception() is None:
            super().feed_data(data, size)

    def _failed(self, why: Exception) -> None:
        if self.exception() is None:
            self.set_exception(why)
        if self.transport is not None:
            self.transport.abort()


class NoCookies(aiohttp.DummyCookieJar):
    """Keeps no cookies, and does not read them either."""

    def update_cookies_from_headers(self, headers: Sequence[str], response_url: URL) -> None:
        """Do nothing."""
