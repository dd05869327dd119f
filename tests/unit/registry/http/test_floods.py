"""Servers that talk without end, and what is held of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import repeat

import pytest

from regsync.errors import IntegrityError, RegsyncError, Unavailable
from regsync.registry.http.feed import Timeouts
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking

GET = Request("GET", "/v2/a/manifests/v1", what="manifest a:v1", attempts=1, cap=1 << 20)
HINT = b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
PATIENCE = Timeouts(header=20, idle=20)


@dataclass(slots=True)
class Flood:
    """A server that sends these pieces until the other side has had enough."""

    host: str = ""
    sent: int = 0


@asynccontextmanager
async def flooding(first: bytes, pieces: Iterator[bytes], *, pause: float = 0) -> AsyncIterator[Flood]:
    flood = Flood()
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(first)
            for piece in pieces:
                writer.write(piece)
                flood.sent += len(piece)
                await writer.drain()
                await asyncio.sleep(pause)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            over.set()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        flood.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield flood
        await over.wait()
        await asyncio.sleep(0)  # the connection is closed in the next round


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (b"", HINT * 1000),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nX: ", b"x" * 10_000),
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"x" * 60_000 + b"\r\n"),
        (b"HTTP/1.1 200 ", b"x" * 10_000),
        (CHUNKED, b"1\r\nx\r\n" * 1000),
        (CHUNKED + b"0\r\n", b"X: y\r\n" * 1000),
    ],
)
async def test_a_server_that_never_comes_to_an_end_is_left_after_a_few_mebibytes(first: bytes, piece: bytes) -> None:
    async with flooding(first, repeat(piece)) as flood, speaking(flood.host, timeouts=PATIENCE) as to:
        with pytest.raises(RegsyncError):
            await to.transport.send(GET)
    assert flood.sent < 32 << 20  # what the system's buffers take, included


async def test_interim_answers_without_end_are_called_that_and_not_tried_again() -> None:
    async with flooding(b"", repeat(HINT * 100)) as flood, speaking(flood.host) as to:
        with pytest.raises(IntegrityError, match="sends interim answers \\(1xx\\) without an end"):
            await to.transport.send(Request("GET", "/"))
    assert to.clock.slept == []


async def test_a_few_interim_answers_are_passed_over_on_every_request_of_a_connection() -> None:
    announced = Step(HINT * 16 + says(200, b"hello").data)
    async with RawServer(in_turn(announced)) as server, speaking(server.host) as to:
        for _ in range(3):
            assert (await to.transport.send(GET)).body == b"hello"
    assert server.connections == 1


async def test_an_answer_nobody_asked_for_ends_its_connection() -> None:
    twice = Step(says(200, b"hello").data + says(200, b"forged").data)
    async with RawServer(in_turn(twice)) as server, speaking(server.host) as to:
        for _ in range(2):
            assert (await to.transport.send(GET)).body == b"hello"
    assert server.connections == 2


async def test_a_source_that_trickles_is_given_up_after_its_window() -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"
    timeouts = Timeouts(window=0.05, rate=1 << 20)
    async with flooding(head, repeat(b"x"), pause=0.005) as flood, speaking(flood.host, timeouts=timeouts) as to:
        with pytest.raises(Unavailable, match="timed out reading the answer"):
            await to.transport.send(GET)
