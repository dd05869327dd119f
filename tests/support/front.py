"""What may stand before a registry and make its answers odd on the wire: each answer is taken apart and sent anew."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

_LIMIT = 1 << 22


@dataclass(slots=True)
class Plain:
    """One answer: the status line without its end, fields as lines, the body; `close` ends the connection after it.

    `method` and `target` are what was asked. `raw`, where it is set, is sent in place of all that.
    """

    method: str
    target: str
    status: str
    fields: list[str]
    body: bytes
    close: bool = False
    raw: bytes = b""

    @property
    def code(self) -> int:
        return int(self.status.split(" ")[1])

    def value(self, name: str) -> str:
        lines = [line for line in self.fields if line.lower().startswith(f"{name.lower()}:")]
        return lines[0].partition(":")[2].strip() if lines else ""

    def drop(self, *names: str) -> None:
        begun = tuple(f"{name.lower()}:" for name in names)
        self.fields = [line for line in self.fields if not line.lower().startswith(begun)]

    @property
    def has_body(self) -> bool:
        return self.method != "HEAD" and self.code >= 200 and self.code not in {204, 304}

    def chunked(self) -> None:
        """Send the body in chunks, beside whatever length is told."""
        self.fields.append("Transfer-Encoding: chunked")
        if self.has_body:
            size = f"{len(self.body):x}\r\n".encode() if self.body else b""
            self.body = size + self.body + (b"\r\n" if size else b"") + b"0\r\n\r\n"

    def written(self) -> bytes:
        head = "\r\n".join([self.status, *self.fields, "", ""]).encode("latin-1")
        return self.raw or head + self.body


Oddity = Callable[[Plain], None]


class Front:
    """Hands requests on to a port of this machine, and its answers back as `odd` leaves them."""

    def __init__(self, port: int, odd: Oddity) -> None:
        self.odd = odd
        self.port = 0
        self.connections = 0
        self.answered: list[tuple[str, str, int]] = []
        self._behind = port
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, limit=_LIMIT)
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
        self.connections += 1
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines, body = await _message(reader, asked=True)
        method, target, _ = lines[0].split(" ", 2)
        there, back = await asyncio.open_connection("127.0.0.1", self._behind, limit=_LIMIT)
        try:
            back.write("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1") + body)
            answer, found = await _message(there, asked=False, empty=method == "HEAD")
        finally:
            back.close()
        plain = Plain(method, target, answer[0], answer[1:], found)
        plain.drop("connection")
        self.answered.append((method, target, plain.code))
        self.odd(plain)
        writer.write(plain.written())
        await writer.drain()
        return not plain.close


async def _message(reader: asyncio.StreamReader, *, asked: bool, empty: bool = False) -> tuple[list[str], bytes]:
    """Read a request or an answer: its head's lines, and its body of known length or up to the end."""
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    length = next((int(line[15:]) for line in lines if line.lower().startswith("content-length:")), None)
    if empty:
        return lines, b""
    if length is None:
        return lines, b"" if asked else await reader.read()
    return lines, await reader.readexactly(length)
