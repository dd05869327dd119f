"""Blobs from a registry: begun anywhere, gone on with where they broke, given up when they crawl."""

from __future__ import annotations

import pytest

from regsync.errors import Forbidden, TooSlow, Unavailable
from regsync.events import ignore
from regsync.registry.content.download import Download
from regsync.registry.content.suspended import Suspended
from regsync.registry.host import Learnt
from regsync.registry.http.feed import Timeouts
from regsync.registry.http.transport import Request, Transport
from regsync.registry.repository import RegistryRepository
from regsync.transfer.mover import Mover, Shared
from regsync.transfer.seen import Seen
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry
from tests.support.images import described, put_bytes, some_bytes
from tests.support.memory import MemoryRepository
from tests.unit.registry.content.lab import lab
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import Speaking, plain_host, speaking

DATA = some_bytes(300_000, "downloaded")
BLOB = described(DATA)
GET = Request("GET", "/v2/app/blobs/d", what="blob d")
HEAD = f"HTTP/1.1 200 OK\r\nContent-Length: {len(DATA)}\r\n\r\n".encode()


async def fetched(transport: Transport, clock: FakeClock, start: int = 0) -> bytes:
    async with Download(transport, GET, BLOB, clock=clock).open(start) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def from_byte(to: Speaking, start: int) -> bytes:
    return await fetched(to.transport, to.clock, start)


@pytest.mark.parametrize("start", [1, 1000, len(DATA) - 1])
async def test_only_what_is_wanted_is_asked_for(fake_registry: FakeRegistry, start: int) -> None:
    async with lab(fake_registry.host) as at:
        await put_bytes(at.repository(), DATA)
        async with at.repository().open_blob(BLOB, start=start) as chunks:
            assert b"".join([chunk async for chunk in chunks]) == DATA[start:]
    (asked,) = fake_registry.asked(method="GET", kind="blob")
    assert asked.headers["Range"] == f"bytes={start}-{len(DATA) - 1}"
    assert asked.bytes_out == len(DATA) - start


async def test_nothing_is_asked_for_where_nothing_is_left(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at, at.repository().open_blob(BLOB, start=len(DATA)) as chunks:
        assert [chunk async for chunk in chunks] == []
    assert fake_registry.journal == []


async def test_a_registry_that_ignores_ranges_is_skipped_over() -> None:
    async with RawServer(in_turn(says(200, DATA))) as server, speaking(server.host) as to:
        assert await from_byte(to, 123_456) == DATA[123_456:]


@pytest.mark.parametrize("status", [400, 403, 405, 501])
async def test_a_blob_is_fetched_whole_where_parts_are_forbidden(status: int) -> None:
    def answer(asked: Asked) -> Step:
        return says(status) if "range" in asked.headers else says(200, DATA)

    async with RawServer(answer) as server, speaking(server.host) as to:
        assert await from_byte(to, 123_456) == DATA[123_456:]
        assert len(server.asked) == 2


async def test_a_blob_that_is_forbidden_is_asked_for_whole_once() -> None:
    async with RawServer(in_turn(says(403))) as server, speaking(server.host) as to:
        with pytest.raises(Forbidden):
            await from_byte(to, 1000)
        with pytest.raises(Forbidden):
            await from_byte(to, 0)
        assert server.sent("range") == ["bytes=1000-299999", None, None]


@pytest.mark.parametrize("said", ["bytes 1001-299999/300000", "bytes 1000-299999/300001", "nonsense", ""])
async def test_a_part_from_elsewhere_is_not_taken_and_the_blob_fetched_whole(said: str) -> None:
    part = DATA[999:] + b"x"

    def answer(asked: Asked) -> Step:
        return says(206, part, ("Content-Range", said)) if "range" in asked.headers else says(200, DATA)

    async with RawServer(answer) as server, speaking(server.host) as to:
        assert await from_byte(to, 1000) == DATA[1000:]
        assert len(server.asked) == 2


@pytest.mark.parametrize("asked_for", [0, 1000])
@pytest.mark.parametrize("begins", [0, 999])
async def test_a_part_that_begins_earlier_than_was_asked_for_is_skipped_over(asked_for: int, begins: int) -> None:
    begins = min(begins, asked_for)
    part = says(206, DATA[begins:], ("Content-Range", f"bytes {begins}-299999/300000"))
    async with RawServer(in_turn(part)) as server, speaking(server.host) as to:
        assert await from_byte(to, asked_for) == DATA[asked_for:]
        assert len(server.asked) == 1


async def test_a_part_that_nobody_asked_for_and_that_is_not_the_beginning_is_no_blob() -> None:
    part = says(206, DATA[5:], ("Content-Range", "bytes 5-299999/300000"))
    async with RawServer(in_turn(part)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable, match="the registry sends another part than was asked for"):
            await from_byte(to, 0)


async def test_a_source_that_crawls_is_given_up_after_three_connections() -> None:
    crawling = Step(HEAD + b"x", then="stall")
    async with RawServer(in_turn(crawling)) as server, speaking(server.host, timeouts=Timeouts(idle=0.05)) as to:
        with pytest.raises(TooSlow, match="timed out reading the answer 3 times"):
            await from_byte(to, 0)
        assert len(server.asked) == 3
    assert not TooSlow.retryable  # whoever moves the blob does not begin it again, which would take as long


async def test_a_source_that_breaks_is_worth_another_attempt() -> None:
    breaking = Step(HEAD + b"x", then="close")
    async with RawServer(in_turn(breaking)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable) as caught:
            await from_byte(to, 0)
        assert len(server.asked) == 3
    assert caught.value.retryable


async def test_a_source_that_stalls_now_and_then_is_waited_for() -> None:
    def answer(asked: Asked) -> Step:
        start = int((asked.headers.get("range") or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        where = ("Content-Range", f"bytes {start}-{len(DATA) - 1}/{len(DATA)}")
        whole = says(206 if start else 200, DATA[start:], where).data
        return Step(whole[: 70_000 + len(whole) - len(DATA[start:])], then="stall")

    async with RawServer(answer) as server, speaking(server.host, timeouts=Timeouts(idle=0.05)) as to:
        assert await from_byte(to, 0) == DATA
        assert len(server.asked) == 5


async def test_a_blob_of_a_crawling_source_is_not_begun_again() -> None:
    crawling = Step(HEAD + b"x", then="stall")
    async with RawServer(in_turn(crawling)) as server, speaking(server.host, timeouts=Timeouts(idle=0.05)) as to:
        host, clock = plain_host(server.host), to.clock
        learnt, suspended = Learnt(host, chunk_limit=1, clock=clock), Suspended(clock)
        source = RegistryRepository(
            to.transport, host, "app", push=False, learnt=learnt, suspended=suspended, clock=clock
        )
        ends: list[object] = []
        mover = Mover(Shared(to.limits, clock, Seen(clock)), since=0.0, trusting=True, tell=ignore)
        target = MemoryRepository()
        await mover.settle(BLOB, source, [target], config=False, ended=lambda _, error: ends.append(type(error)))
        assert ends == [TooSlow]
        assert len(server.asked) == 3
