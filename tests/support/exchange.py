"""A small HTTP server on loopback with a journal, whose answers can be spoiled: the floor of the fakes.

Whole answers are sent by aiohttp; spoiled ones are written to the connection by hand, since no decent server would.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import TracebackType
from typing import Self

import trustme
from aiohttp import web
from multidict import CIMultiDict

from regsync.limits import KeyedLock
from tests.support import faults
from tests.support.faults import Action, Fault, Reply, Schedule

Silence = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, read to its end. `target` is that of its first line, as it came; `query` keeps the last of equals."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    target: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and what came of it; status 0 stands for no answer. Sizes are those of bodies, in bytes."""

    kind: str
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    status: int
    bytes_in: int
    bytes_out: int
    target: str


class LoopbackServer(ABC):
    """An HTTP server on a free loopback port. Who derives from it says what a request means and what it is called."""

    def __init__(self, *, authority: trustme.CA | None = None) -> None:
        self.stalled = asyncio.Event()  # an exchange has fallen silent
        self.broken = asyncio.Event()  # a request was cut
        self.journal: list[Exchange] = []
        self.faults = Schedule()
        self._one_at_a_time = KeyedLock()
        self.port = 0
        self._authority = authority
        self._closing = asyncio.Event()
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.1)

    @property
    def host(self) -> str:
        """What references call it: `127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self._authority else 'http'}://{self.host}"

    def fail(self, fault: Fault) -> None:
        """Add a fault to the schedule."""
        self.faults.add(fault)

    def asked(self, *, method: str = "", kind: str = "", path: str = "", status: int | None = None) -> list[Exchange]:
        """Return the exchanges of this method, kind, part of a path and status; what is left out matches all."""
        return [
            each
            for each in self.journal
            if method in {"", each.method}
            and kind in {"", each.kind}
            and path in each.path
            and status in {None, each.status}
        ]

    def count(self, *, method: str = "", kind: str = "", path: str = "", status: int | None = None) -> int:
        """Count them."""
        return len(self.asked(method=method, kind=kind, path=path, status=status))

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        await web.SockSite(self._runner, listener, ssl_context=self._tls()).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        await asyncio.sleep(0)  # who stalled resets the connection before it is closed
        await self._runner.cleanup()

    def _tls(self) -> ssl.SSLContext | None:
        if self._authority is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert("127.0.0.1", "localhost", "registry.example").configure_cert(context)
        return context

    @abstractmethod
    def kind_of(self, method: str, path: str) -> str:
        """Return what sort of request this is, in the words of `Fault.kind`."""

    def turned_away(self, asked: Asked) -> Reply | None:
        """Return a refusal that is given before the body is read; `asked.body` is empty yet."""
        return None

    @abstractmethod
    def answer(self, asked: Asked) -> Reply:
        """Process a request."""

    def cut(self, asked: Asked) -> None:
        """Do what is to be done about a request of which this is all that came: nothing, where nothing is kept."""
        del asked

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        asked = _without_body(request)
        kind = self.kind_of(asked.method, asked.path)
        refusal = self.turned_away(asked)
        action = Action() if refusal else self.faults.met(method=asked.method, kind=kind, path=asked.path)
        sent = _Sent()
        try:
            reply = refusal or action.instead()
            return await self._process(request, asked, reply=reply, action=action, sent=sent)
        finally:
            self.journal.append(
                Exchange(
                    kind=kind,
                    method=asked.method,
                    path=asked.path,
                    query=asked.query,
                    headers=asked.headers,
                    status=sent.status,
                    bytes_in=sent.bytes_in,
                    bytes_out=sent.bytes_out,
                    target=asked.target,
                )
            )

    async def _silence(self) -> None:
        self.stalled.set()
        await self._closing.wait()

    async def _process(
        self, request: web.BaseRequest, asked: Asked, *, reply: Reply | None, action: Action, sent: _Sent
    ) -> web.StreamResponse:
        line = _Line(request)
        if isinstance(action, faults.ResetBefore):
            return line.reset()
        if isinstance(action, faults.Stall) and action.after_bytes is None:
            return await line.stall(self._silence)
        if reply is None:
            async with self._one_at_a_time(asked.path):  # who asks for a session hears of all that came before
                reply = await self._take(line, asked, action=action, sent=sent)
        if reply is None or isinstance(action, faults.ResetRequest | faults.ResetAfter):
            return line.reset()
        reply = action.answered(reply)
        sent.status = reply.status
        return await line.send(reply, action=action, sent=sent, silence=self._silence)

    async def _take(self, line: _Line, asked: Asked, *, action: Action, sent: _Sent) -> Reply | None:
        """Read the body and process the request; None when the body was cut."""
        line.go_on()
        limit = action.after_bytes if isinstance(action, faults.ResetRequest) else None
        body, whole = await line.read(limit)
        sent.bytes_in = len(body)
        asked = replace(asked, body=action.asked(body))
        if whole or (isinstance(action, faults.ResetRequest) and action.keep):
            return self.answer(asked)
        self.cut(asked)
        self.broken.set()
        return None


@dataclass(slots=True)
class _Sent:
    """What the journal will say of an exchange under way."""

    status: int = 0
    bytes_in: int = 0
    bytes_out: int = 0


def _without_body(request: web.BaseRequest) -> Asked:
    headers = CIMultiDict({name: ", ".join(request.headers.getall(name)) for name in request.headers})
    return Asked(request.method, request.path, dict(request.rel_url.query), headers, b"", request.raw_path)


class _Line:
    """One connection, as far as one exchange goes."""

    def __init__(self, request: web.BaseRequest) -> None:
        self._request = request
        transport = request.transport
        assert transport is not None
        self._transport = transport

    def go_on(self) -> None:
        """Tell a client that waits with its body to send it."""
        if self._request.headers.get("Expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    async def read(self, limit: int | None) -> tuple[bytes, bool]:
        """Read the request's body, or so much of it, and say whether that was all before anybody cut it."""
        found = bytearray()
        try:
            async for chunk in self._request.content.iter_any():
                found += chunk
                if limit is not None and len(found) >= limit:
                    return bytes(found[:limit]), False
        except ConnectionError:
            return bytes(found), False
        return bytes(found), limit is None

    def reset(self) -> web.StreamResponse:
        """Reset the connection (RST, not FIN)."""
        raw = self._transport.get_extra_info("socket")
        if raw is not None:
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()
        return web.Response()

    async def stall(self, silence: Silence) -> web.StreamResponse:
        """Say nothing until the server closes or the client has had enough."""
        await silence()
        return self.reset()

    async def send(self, reply: Reply, *, action: Action, sent: _Sent, silence: Silence) -> web.StreamResponse:
        """Send the answer, or what is left of it."""
        body = b"" if self._request.method == "HEAD" else reply.body
        sent.bytes_out = len(body)
        match action:
            case faults.ResetInside(after_bytes=end):
                await self._write(_head(reply) + body[:end])
                return self.reset()
            case faults.Stall(after_bytes=int() as end):
                await self._write(_head(reply) + body[:end])
                return await self.stall(silence)
            case faults.HalfBody():
                head = _head(reply)
                return await self._end(head + body[: len(body) // 2] if body else head[: len(head) // 2])
            case faults.NotHttp():
                return await self._end(b"\x16\x03\x01\x02\x00 this is not HTTP\n\n")
            case faults.SlowHeaders(pause=pause):
                for byte in _head(reply):
                    await asyncio.sleep(pause)
                    await self._write(bytes([byte]))
                return await self._end(body)
            case _:
                if self._request.method == "HEAD":
                    reply.headers["Content-Length"] = str(len(reply.body))
                return web.Response(status=reply.status, headers=reply.headers, body=reply.body)

    async def _write(self, data: bytes) -> None:
        """Write, and wait until the kernel has it: what is still ours when the connection is reset never leaves."""
        self._transport.write(data)
        loop = asyncio.get_running_loop()
        while self._transport.get_write_buffer_size() and not self._transport.is_closing():
            moment = loop.create_future()
            loop.call_later(0.001, moment.set_result, None)
            await moment

    async def _end(self, data: bytes) -> web.StreamResponse:
        await self._write(data)
        self._transport.close()
        return web.Response()


def _head(reply: Reply) -> bytes:
    lines = [f"HTTP/1.1 {reply.status} {HTTPStatus(reply.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in reply.headers.items() if name.lower() != "content-length"]
    lines += [f"Content-Length: {len(reply.body)}", "Connection: close"]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
