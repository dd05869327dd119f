"""Those who say nothing, say it slowly, say too much or do not read are hung up on, and nobody else waits for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import pytest
from aiohttp import web

from regsync.events import ignore
from regsync.listen import Address
from regsync.web.callers import MOST
from regsync.web.route import Route
from regsync.web.site import site
from tests.support.clock import FakeClock, settle
from tests.support.real import free_port

ASK: Final = b"GET /said HTTP/1.1\r\nHost: localhost\r\n\r\n"
HEAD: Final = b"POST /heard HTTP/1.1\r\nHost: localhost\r\n"
HUGE: Final = 32 << 20  # bytes, more than any buffer on the way takes
PART: Final = bytes(1 << 18)


@dataclass
class Caller:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def sends(self, data: bytes) -> None:
        self.writer.write(data)
        with suppress(ConnectionError):
            await self.writer.drain()

    async def answer(self) -> bytes:
        """Return the next answer, which is a short one."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        return head.split(b"\r\n")[0] + b"|" + await self.reader.readexactly(length)

    async def rest(self) -> bytes:
        """Return what comes until it is hung up on."""
        parts = []
        with suppress(ConnectionError):
            while part := await self.reader.read(1 << 20):
                parts.append(part)
        return b"".join(parts)


@dataclass
class World:
    """A server on virtual time; `held` answers wait until `free` is set."""

    clock: FakeClock = field(default_factory=FakeClock)
    port: int = field(default_factory=free_port)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    held: int = 0
    callers: list[Caller] = field(default_factory=list)

    async def call(self, data: bytes = b"") -> Caller:
        caller = Caller(*await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 16))
        self.callers.append(caller)
        await caller.sends(data)
        return caller

    async def deaf(self, path: bytes) -> Caller:
        """Have somebody ask who reads no more than the beginning."""
        caller = await self.call(ASK.replace(b"said", path))
        await caller.reader.readuntil(b"\r\n\r\n")
        caller.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await settle()
        return caller

    async def asked(self) -> bytes:
        """Return what somebody else is answered."""
        return await (await self.call(ASK)).answer()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[World]:
        routes = [Route("/said", said), Route("/huge", huge), Route("/parts", parts), Route("/hold", self._hold)]
        routes.append(Route("/heard", heard, method="POST"))
        async with site(Address("127.0.0.1", self.port), [], routes, tell=ignore, clock=self.clock):
            yield self
            for caller in self.callers:
                caller.writer.close()
            await settle()

    async def _hold(self, _: web.Request) -> web.Response:
        self.held += 1
        await self.free.wait()
        return web.Response(text="held")


async def said(_: web.Request) -> web.Response:
    return web.Response(text="hello")


async def huge(_: web.Request) -> web.Response:
    return web.Response(body=bytes(HUGE))


async def parts(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Length": f"{HUGE}"})
    await answer.prepare(request)
    for _ in range(HUGE // len(PART)):
        await answer.write(PART)
    return answer


async def heard(request: web.Request) -> web.Response:
    return web.Response(text=f"{len(await request.read())}")


FINE: Final = b"HTTP/1.1 200 OK|hello"


async def test_who_says_nothing_is_hung_up_on_after_a_while() -> None:
    async with World().serving() as world:
        caller = await world.call()
        assert await world.asked() == FINE
        await world.clock.advance(16)
        assert await caller.rest() == b""
        assert await world.asked() == FINE


@pytest.mark.parametrize("data", [ASK[:-2], HEAD + b"Content-Length: 99\r\n\r\n" + b"x" * 98], ids=["head", "body"])
async def test_a_request_that_comes_byte_by_byte_is_not_waited_for(data: bytes) -> None:
    async with World().serving() as world:
        caller = await world.call(data[:-14])
        await settle()
        for place in range(len(data) - 14, len(data)):
            await caller.sends(data[place : place + 1])
            await world.clock.advance(1)
        assert await caller.rest() == b""
        assert await world.asked() == FINE


async def test_a_slow_request_that_is_there_in_time_is_answered() -> None:
    async with World().serving() as world:
        caller = await world.call(HEAD + b"Content-Length: 4\r\n\r\n")
        for _ in range(4):
            await world.clock.advance(2)
            await caller.sends(b"x")
        assert await caller.answer() == b"HTTP/1.1 200 OK|4"


async def test_a_connection_is_kept_while_it_is_used() -> None:
    async with World().serving() as world:
        caller = await world.call()
        for _ in range(3):
            await world.clock.advance(12)
            await caller.sends(ASK)
            assert await caller.answer() == FINE
        await world.clock.advance(16)
        assert await caller.rest() == b""


@pytest.mark.parametrize("path", [b"huge", b"parts"])
async def test_who_does_not_read_its_answer_is_hung_up_on(path: bytes) -> None:
    async with World().serving() as world:
        caller = await world.deaf(path)
        await world.clock.advance(60)
        caller.writer.transport.resume_reading()  # type: ignore[attr-defined]
        assert len(await caller.rest()) < HUGE
        assert await world.asked() == FINE


async def test_an_answer_takes_as_long_as_it_takes_while_it_is_read() -> None:
    async with World().serving() as world:
        caller = await world.call(ASK.replace(b"said", b"parts").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        got = len(await caller.reader.readuntil(b"\r\n\r\n")) * 0
        while got < HUGE:
            got += len(await caller.reader.readexactly(HUGE // 8))
            await world.clock.advance(20)
        assert got == HUGE


async def test_an_answer_that_is_long_in_coming_is_waited_for() -> None:
    async with World().serving() as world:
        caller = await world.call(ASK.replace(b"said", b"hold"))
        while not world.held:
            await settle()
        await world.clock.advance(100)
        world.free.set()
        assert await caller.answer() == b"HTTP/1.1 200 OK|held"


@pytest.mark.parametrize("data", [b"", ASK[:-2]], ids=["idle", "half a request"])
async def test_one_more_takes_the_place_of_the_one_that_has_done_nothing_for_longest(data: bytes) -> None:
    async with World().serving() as world:
        callers = []
        for _ in range(MOST):
            callers.append(await world.call(data))
            await settle()
            await world.clock.advance(0.01)
        assert await world.asked() == FINE
        assert await callers[0].rest() == b""
        await callers[1].sends(ASK[-2:] if data else ASK)
        assert await callers[1].answer() == FINE


async def test_nobody_who_is_answered_makes_room_for_one_more() -> None:
    async with World().serving() as world:
        callers = [await world.call(ASK.replace(b"said", b"hold")) for _ in range(MOST)]
        while world.held < MOST:
            await settle()
        assert await (await world.call(ASK)).rest() == b""
        world.free.set()
        assert {await caller.answer() for caller in callers} == {b"HTTP/1.1 200 OK|held"}
        assert await world.asked() == FINE


async def test_who_does_not_read_makes_room_for_one_more_after_a_moment() -> None:
    async with World().serving() as world:
        for _ in range(MOST):
            await world.deaf(b"parts")
        assert await (await world.call(ASK)).rest() == b""
        await world.clock.advance(6)
        assert await world.asked() == FINE


@pytest.mark.parametrize(
    ("data", "status"),
    [
        pytest.param(b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n", b"400", id="a huge request line"),
        pytest.param(ASK[:-2] + b"X: " + b"x" * 100_000 + b"\r\n\r\n", b"400", id="a huge header"),
        pytest.param(ASK[:-2] + b"X: y\r\n" * 1000 + b"\r\n", b"400", id="too many headers"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00" * 9 + b"\r\n\r\n", b"400", id="TLS"),
        pytest.param(b"nonsense\r\n\r\n", b"400", id="nonsense"),
        pytest.param(ASK.replace(b"1.1", b"7.1"), b"400", id="another HTTP"),
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n", b"400", id="a length that is none"),
        pytest.param(HEAD + b"Content-Length: 99999\r\n\r\n" + bytes(99_999), b"413", id="a huge body"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"2000\r\n" + bytes(0x2000) + b"\r\n" + b"zz\r\n",
            b"400",
            id="chunks that are none",
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + (b"2000\r\n" + bytes(0x2000) + b"\r\n") * 9,
            b"413",
            id="too many chunks",
        ),
    ],
)
async def test_what_is_malformed_or_huge_is_refused(data: bytes, status: bytes) -> None:
    async with World().serving() as world:
        caller = await world.call(data)
        assert (await caller.reader.readuntil(b"\r\n")).split()[1] == status
        assert await world.asked() == FINE


async def test_many_requests_at_once_are_answered_one_after_another() -> None:
    async with World().serving() as world:
        caller = await world.call(ASK * 500)
        assert [await caller.answer() for _ in range(500)] == [FINE] * 500
