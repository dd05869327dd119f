"""A server that sends whatever bytes it is told, a request at a time, and notes what it was sent."""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Self

from regsync.registry.http.message import Headers


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came: the request line's parts byte for byte."""

    method: str
    target: str
    headers: Headers
    body: bytes
    connection: int


@dataclass(frozen=True, slots=True)
class Step:
    """What is done about one request: bytes to send, and how the connection goes on."""

    data: bytes = b""
    then: str = "keep"  # keep, close, reset, stall, trickle: byte after byte
    read_body: bool = True


Answering = Callable[[Asked], Step]


def says(status: int, body: bytes = b"", *headers: tuple[str, str], then: str = "keep") -> Step:
    """An orderly answer."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return Step("\r\n".join(lines).encode() + body, then)


def in_turn(*steps: Step) -> Answering:
    """One answer after another; the last one for ever."""
    left = list(steps)
    return lambda _asked: left.pop(0) if len(left) > 1 else left[0]


@dataclass(slots=True)
class RawServer:
    answer: Answering
    tls: ssl.SSLContext | None = None
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    _server: asyncio.Server | None = None
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}"

    def sent(self, name: str) -> Sequence[str | None]:
        """What each request carried in this header."""
        return [asked.headers.get(name) for asked in self.asked]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._over.set()
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        self._open.add(writer)
        try:
            while await self._one(reader, writer, number):
                pass
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ", 2)
        headers = Headers((line.partition(":")[0], line.partition(":")[2].strip()) for line in head[1:] if line)
        asked = Asked(method, target, headers, b"", number)
        step = self.answer(asked)
        body = await reader.readexactly(int(headers.get("content-length", "0"))) if step.read_body else b""
        self.asked.append(Asked(method, target, headers, body, number))
        writer.write(step.data)
        await writer.drain()
        if step.then == "stall":
            await self._over.wait()
        while step.then == "trickle" and not self._over.is_set():
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0)
        if step.then == "reset":
            writer.get_extra_info("socket").setsockopt(1, 13, struct.pack("ii", 1, 0))  # SO_LINGER 0
            writer.transport.abort()
        return step.then == "keep"
