"""A TCP proxy on loopback that makes a line slow, cuts it, spoils it or closes it, whatever is spoken over it."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import socket
import struct
import termios
from collections import Counter, deque
from dataclasses import dataclass
from types import TracebackType
from typing import Literal, Self

Direction = Literal["up", "down"]  # up: from the client to the server
Trouble = Literal["close", "reset", "stall", "flip"]
_CHUNK = 65536


@dataclass(frozen=True, slots=True)
class Break:
    """What happens to the nth connection (from 1) once so many bytes have passed in one direction."""

    nth: int
    after: int
    direction: Direction
    trouble: Trouble


class Proxy:
    """Forwards its port to another one of this machine. `latency` is in seconds, each way."""

    def __init__(self, port: int, *, latency: float = 0.0) -> None:
        self.latency = latency
        self.port = 0
        self.connections = 0
        self.passed: Counter[Direction] = Counter()  # bytes
        self._target = port
        self._breaks: list[Break] = []
        self._every: dict[Direction, int] = {}
        self._refuses = 0
        self._open = asyncio.Event()
        self._open.set()
        self._lines: set[_Line] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        """What references call it: `127.0.0.1:port`."""
        return f"127.0.0.1:{self.port}"

    def cut(self, nth: int, *, after: int = 0, direction: Direction = "down", trouble: Trouble = "close") -> None:
        """Have the nth connection from now on (from 1) closed, reset or silenced at this byte, or a bit flipped."""
        self._breaks.append(Break(self.connections + nth, after, direction, trouble))

    def reset_every(self, count: int, *, direction: Direction = "down") -> None:
        """Have each connection from now on reset once so many bytes of it have arrived in this direction."""
        self._every[direction] = count

    def refuse(self, count: int) -> None:
        """Close the next connections without a word."""
        self._refuses = count

    def partition(self) -> None:
        """Hold back every byte of every connection, old and new, until `heal`."""
        self._open.clear()

    def heal(self) -> None:
        """Let bytes pass again."""
        self._open.set()

    def drop_all(self) -> None:
        """Reset every connection there is."""
        for line in list(self._lines):
            line.reset()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", 0, limit=_CHUNK)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self._open.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._carry(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        line = _Line([writer])
        self._lines.add(line)
        try:
            if self._refuses:
                self._refuses -= 1
            else:
                await self._join(reader, writer, line=line, number=number)
        except* (OSError, _Cut):
            pass
        finally:
            self._lines.discard(line)
            await line.close()

    async def _join(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, line: _Line, number: int
    ) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._target, limit=_CHUNK)
        line.writers.append(back)
        up = _Delayed(back, self.latency, passed=self.passed, direction="up")
        down = _Delayed(writer, self.latency, passed=self.passed, direction="down")
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, up, line=line, breaks=self._due(number, "up")))
            group.create_task(self._pump(there, down, line=line, breaks=self._due(number, "down")))

    def _due(self, number: int, direction: Direction) -> list[Break]:
        found = [each for each in self._breaks if each.nth == number and each.direction == direction]
        if direction in self._every:
            found.append(Break(number, self._every[direction], direction, "reset"))
        return sorted(found, key=lambda each: each.after)

    async def _pump(self, reader: asyncio.StreamReader, delayed: _Delayed, *, line: _Line, breaks: list[Break]) -> None:
        """Forward one direction to its end; a break happens when the first byte it concerns wants to pass."""
        passed = 0
        for each in breaks:
            if not await self._forward(reader, delayed, count=each.after - passed):
                break
            byte = await reader.read(1)
            if not byte:
                break
            delayed.write(await _spoilt(each, byte, delayed=delayed, line=line))
            passed = each.after + 1
        else:
            await self._forward(reader, delayed, count=None)
        delayed.end()
        await delayed.drained()

    async def _forward(self, reader: asyncio.StreamReader, delayed: _Delayed, *, count: int | None) -> bool:
        """Forward this many bytes, or all there are; False when they ended too early."""
        while count is None or count > 0:
            chunk = await reader.read(_CHUNK if count is None else min(count, _CHUNK))
            await self._open.wait()
            if not chunk:
                return False
            delayed.write(chunk)
            await delayed.room()
            count = None if count is None else count - len(chunk)
        return True


async def _spoilt(what: Break, byte: bytes, *, delayed: _Delayed, line: _Line) -> bytes:
    if what.trouble == "flip":
        return bytes([byte[0] ^ 1])
    await delayed.drained()
    if what.trouble == "stall":
        await asyncio.Event().wait()
    if what.trouble == "reset":
        await delayed.arrived()
        line.reset()
    raise _Cut


class _Cut(Exception):
    """The connection ends here."""


class _Delayed:
    """One direction of a connection: everything arrives this much later, in order, however much it is."""

    def __init__(
        self, writer: asyncio.StreamWriter, latency: float, *, passed: Counter[Direction], direction: Direction
    ) -> None:
        self._writer = writer
        self._latency = latency
        self._passed = passed
        self._direction: Direction = direction
        self._waiting: deque[bytes] = deque()  # b"" stands for the end
        self._empty = asyncio.Event()
        self._empty.set()

    def write(self, chunk: bytes) -> None:
        if not self._latency:
            self._send(chunk)
            return
        self._waiting.append(chunk)
        self._empty.clear()
        asyncio.get_running_loop().call_later(self._latency, self._arrive)

    def end(self) -> None:
        """Tell the other side that nothing more will come."""
        self.write(b"")

    async def room(self) -> None:
        """Return when the receiver keeps up."""
        await self._writer.drain()

    async def drained(self) -> None:
        """Return when everything has been handed to the receiver."""
        await self._empty.wait()
        await self._writer.drain()

    async def arrived(self) -> None:
        """Return when the receiver's system has it all: what a reset finds on its way never arrives."""
        loop = asyncio.get_running_loop()
        while self._writer.transport.get_write_buffer_size() or self._unacknowledged():
            moment = loop.create_future()
            loop.call_later(0.001, moment.set_result, None)
            await moment

    def _unacknowledged(self) -> int:
        raw = self._writer.get_extra_info("socket")
        if raw is None or self._writer.is_closing():
            return 0
        (count,) = struct.unpack("i", fcntl.ioctl(raw.fileno(), termios.TIOCOUTQ, bytes(4)))
        return int(count)

    def _arrive(self) -> None:
        self._send(self._waiting.popleft())
        if not self._waiting:
            self._empty.set()

    def _send(self, chunk: bytes) -> None:
        if self._writer.is_closing():
            return
        if chunk:
            self._passed[self._direction] += len(chunk)
            self._writer.write(chunk)
        elif self._writer.can_write_eof():
            with contextlib.suppress(OSError):
                self._writer.write_eof()


@dataclass(slots=True, eq=False)
class _Line:
    """Both connections of one client."""

    writers: list[asyncio.StreamWriter]

    def reset(self) -> None:
        """Reset both (RST, not FIN)."""
        for writer in self.writers:
            raw = writer.get_extra_info("socket")
            if raw is not None and not writer.is_closing():
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def close(self) -> None:
        """Close both, without waiting for a receiver that does not read."""
        for writer in self.writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
