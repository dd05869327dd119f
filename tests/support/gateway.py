"""A proxy of HTTP (with or without TLS, CONNECT and whole URLs) and of SOCKS 4, 4a and 5 on one loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Passage:
    """What a client wanted to be connected with, as it said it, and the login it gave (`user:password`)."""

    kind: str  # socks4, socks4a, socks5, connect, or the method of a request that was handed on
    host: str
    port: int
    login: str = ""


class _No(Exception):
    """Nothing is connected; the text is what is sent instead, in latin-1."""


class Gateway:
    """Leads names to ports of this machine (`leads`); whatever else is asked for, it does not know.

    With `login` (`user:password`) it lets nobody else in. `refuses` is the code SOCKS requests are answered with, or
    the status CONNECT is, if that is not 0; `hello` is what CONNECT is answered with where it works. `passed` is a
    journal of connections, not of requests.
    """

    def __init__(self, leads: Mapping[str, int], *, login: str = "", tls: ssl.SSLContext | None = None) -> None:
        self.leads = dict(leads)
        self.login = login
        self.refuses = 0
        self.hello = b"HTTP/1.1 200 Connection established\r\n\r\n"
        self.passed: list[Passage] = []
        self.port = 0
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, ssl=self._tls, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(1)
            if first == b"\x05":
                await self._socks5(reader, writer)
            elif first == b"\x04":
                await self._socks4(reader, writer)
            else:
                await self._http(first, reader, writer)
        except _No as no:
            writer.write(str(no).encode("latin-1"))
            with contextlib.suppress(OSError):
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _socks5(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        methods = await reader.readexactly((await reader.readexactly(1))[0])
        login = ""
        if self.login:
            if 2 not in methods:
                raise _No("\x05\xff")
            writer.write(b"\x05\x02")
            await reader.readexactly(1)
            login = ":".join([await _counted(reader), await _counted(reader)])
            if login != self.login:
                raise _No("\x01\x01")
            writer.write(b"\x01\x00")
        else:
            writer.write(b"\x05\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 3:
            host = await _counted(reader)
        else:
            family, size = (socket.AF_INET, 4) if kind == 1 else (socket.AF_INET6, 16)
            host = socket.inet_ntop(family, await reader.readexactly(size))
        passage = Passage("socks5", host, int.from_bytes(await reader.readexactly(2), "big"), login)
        end = "\x00\x01" + "\x00" * 6
        port = self._way(passage, refusal=f"\x05{chr(self.refuses)}{end}", unknown=f"\x05\x04{end}")
        await self._join(port, reader, writer, hello=f"\x05\x00{end}".encode("latin-1"))

    async def _socks4(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, high, low, *address = await reader.readexactly(7)
        user = (await reader.readuntil(b"\0"))[:-1].decode()
        kind, host = "socks4", ".".join(map(str, address))
        if address[:3] == [0, 0, 0]:
            kind, host = "socks4a", (await reader.readuntil(b"\0"))[:-1].decode()
        end = "\x00" * 6
        passage = Passage(kind, host, high << 8 | low, user)
        port = self._way(passage, refusal=f"\x00{chr(self.refuses)}{end}", unknown=f"\x00\x5b{end}")
        await self._join(port, reader, writer, hello=f"\x00\x5a{end}".encode("latin-1"))

    async def _http(self, first: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, target, _ = head[0].split(" ")
        given = next((line[21:].strip() for line in head if line.lower().startswith("proxy-authorization:")), "")
        if self.login and given != f"Basic {b64encode(self.login.encode()).decode()}":
            raise _No("HTTP/1.1 407 Who are you\r\nContent-Length: 0\r\n\r\n")
        place = urlsplit(f"//{target}" if method == "CONNECT" else target)
        passage = Passage(method.lower(), place.hostname or "", place.port or 80, self.login if given else "")
        refusal = f"HTTP/1.1 {self.refuses} No\r\nContent-Length: 0\r\n\r\n"
        port = self._way(passage, refusal=refusal, unknown="HTTP/1.1 502 Unknown\r\nContent-Length: 0\r\n\r\n")
        if method == "CONNECT":
            await self._join(port, reader, writer, hello=self.hello)
            return
        lines = [line for line in head[1:] if not line.lower().startswith(("proxy-", "connection:"))]
        inner = f"{method} {place.path}{'?' if place.query else ''}{place.query} HTTP/1.1"
        request = "\r\n".join([inner, "Connection: close", *lines]).encode("latin-1")
        await self._join(port, reader, writer, request=request)

    def _way(self, passage: Passage, *, refusal: str, unknown: str) -> int:
        """Return the port on this machine that this leads to."""
        self.passed.append(passage)
        if self.refuses:
            raise _No(refusal)
        if passage.host not in self.leads:
            raise _No(unknown)
        return self.leads[passage.host]

    async def _join(
        self,
        port: int,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        hello: bytes = b"",
        request: bytes = b"",
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port, limit=_CHUNK)
        writer.write(hello)
        back.write(request)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, back))
                group.create_task(_pump(there, writer))
        except* OSError:
            pass
        finally:
            back.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward one direction; its end is the end of both."""
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    writer.close()


async def _counted(reader: asyncio.StreamReader) -> str:
    return (await reader.readexactly((await reader.readexactly(1))[0])).decode()
