"""Bodies that go out as they come in, and answers that are read as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from contextvars import Context

import pytest

from regsync.errors import AccessDenied, IntegrityError, NotFound, Unavailable, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.registry.http.feed import Feed, Timeouts
from regsync.registry.http.transport import Request
from tests.support.clock import settle
from tests.support.images import Verified
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking, with_login

PUT = Request("PUT", "/v2/a/blobs/uploads/1?digest=d", expect=frozenset({201}), what="blob d")
GET = Request("GET", "/v2/a/blobs/d", what="blob d")
MADE = says(201)
BIG = 8 << 20


async def chunks_of(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def endless(pulled: list[int], size: int = 256 << 10) -> AsyncGenerator[bytes, None]:
    while True:
        pulled.append(size)
        yield bytes(size)


async def test_a_body_goes_out_with_its_length_and_unchunked() -> None:
    async with RawServer(in_turn(MADE)) as server, speaking(server.host) as to:
        answer = await to.transport.pour(PUT, chunks_of(b"hel", b"lo"), length=5)
    assert (answer.status, server.asked[0].body) == (201, b"hello")
    assert server.sent("content-length") == ["5"]
    assert server.sent("transfer-encoding") == [None]


async def test_an_empty_body_is_proved_empty_and_sent() -> None:
    nothing = Descriptor("x", Digest.of(b""), 0)
    async with RawServer(in_turn(MADE)) as server, speaking(server.host) as to:
        await to.transport.pour(PUT, aiter(Verified(nothing, chunks_of())), length=0)
        with pytest.raises(IntegrityError):
            await to.transport.pour(PUT, aiter(Verified(nothing, chunks_of(b"x"))), length=0)
        with pytest.raises(Unsupported):
            await to.transport.pour(PUT, chunks_of(b"x"), length=0)
    assert server.sent("content-length") == ["0"]


async def test_what_the_source_raises_goes_through_and_completes_nothing() -> None:
    blob = Descriptor("x", Digest.of(b"hello"), 5)
    async with RawServer(in_turn(MADE)) as server, speaking(server.host) as to:
        with pytest.raises(IntegrityError, match="came as"):
            await to.transport.pour(PUT, aiter(Verified(blob, chunks_of(b"hel", b"la"))), length=5)
    assert server.asked == []
    assert to.retried == []


async def test_a_source_that_is_away_does_not_count_against_the_target() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"x"
        raise Unavailable("the source is away")

    async with RawServer(in_turn(MADE)) as server, speaking(server.host) as to:
        for _ in range(30):
            with pytest.raises(Unavailable, match="the source is away"):
                await to.transport.pour(PUT, broken(), length=5)
        assert (await to.transport.send(Request("GET", "/", expect=frozenset({201})))).status == 201


async def test_a_body_that_was_begun_is_not_sent_again() -> None:
    pulled: list[int] = []
    async with (
        RawServer(in_turn(Step(then="reset", read_body=False))) as server,
        speaking(server.host) as to,
        aclosing(endless(pulled)) as chunks,
    ):
        with pytest.raises(Unavailable):
            await to.transport.pour(PUT, chunks, length=BIG)
    assert server.connections == 1
    assert pulled


async def test_a_body_that_was_not_begun_is_sent_to_a_host_that_came_back() -> None:
    async with RawServer(in_turn(says(503), MADE)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable):
            await to.transport.send(Request("GET", "/", attempts=1))
        assert (await to.transport.pour(PUT, chunks_of(b"x"), length=1)).status == 201


@pytest.mark.parametrize(("status", "kind"), [(403, AccessDenied), (404, NotFound), (429, Unavailable)])
async def test_an_early_refusal_ends_the_upload(status: int, kind: type[Exception]) -> None:
    early = says(status, b"", then="close")
    pulled: list[int] = []
    async with (
        RawServer(in_turn(Step(early.data, "stall", read_body=False))) as server,
        speaking(server.host) as to,
        aclosing(endless(pulled)) as chunks,
    ):
        with pytest.raises(kind):
            await to.transport.pour(PUT, chunks, length=1 << 40)


async def test_an_early_401_logs_in_for_the_next_upload() -> None:
    def answer(asked: Asked) -> Step:
        if asked.headers.get("authorization"):
            return MADE
        return Step(says(401, b"", ("WWW-Authenticate", 'Basic realm="r"')).data, "stall", read_body=False)

    async with RawServer(answer) as server, speaking(with_login(server.host)) as to:
        async with aclosing(endless([])) as chunks:
            with pytest.raises(Unavailable, match="mid-upload"):
                await to.transport.pour(PUT, chunks, length=1 << 40)
        assert (await to.transport.pour(PUT, chunks_of(b"x"), length=1)).status == 201
    assert to.clock.slept == []


async def test_a_target_that_stops_reading_is_left() -> None:
    async with (
        RawServer(in_turn(Step(then="stall", read_body=False))) as server,
        speaking(server.host, timeouts=Timeouts(idle=0.1, header=30)) as to,
        aclosing(endless([])) as chunks,
    ):
        with pytest.raises(Unavailable, match="timed out"):
            await to.transport.pour(PUT, chunks, length=1 << 40)


async def test_the_clock_runs_against_the_target_and_not_against_the_source() -> None:
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        await gate.wait()
        yield b"x"

    feed = Feed(slow(), 1)
    async with asyncio.timeout(60) as deadline:
        with feed.watched(deadline, Timeouts()):
            pulling = asyncio.ensure_future(anext(feed))
            await settle()
            assert deadline.when() is None
            gate.set()
            assert await pulling == b"x"
            assert deadline.when() is not None


async def test_a_cancelled_upload_leaves_its_source_at_rest() -> None:
    started, gate = asyncio.Event(), asyncio.Event()
    left: list[str] = []

    async def source() -> AsyncIterator[bytes]:
        try:
            yield b"x"
            started.set()
            await gate.wait()
        finally:
            left.append("the source")

    async with RawServer(in_turn(MADE)) as server, speaking(server.host) as to:
        task = asyncio.create_task(to.transport.pour(PUT, source(), length=2))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left == ["the source"]


async def test_large_bytes_go_out_whole_and_can_be_sent_again() -> None:
    body = bytes(range(256)) * 4096
    async with RawServer(in_turn(says(503), MADE)) as server, speaking(server.host) as to:
        await to.transport.send(Request("PATCH", "/u", body=body, expect=frozenset({201})))
    assert [asked.body == body for asked in server.asked] == [True, True]
    assert server.sent("transfer-encoding") == [None, None]


async def test_a_stream_is_tried_again_until_it_has_headers() -> None:
    whole = says(200, b"hello")
    async with (
        RawServer(in_turn(says(503), says(502), whole)) as server,
        speaking(server.host) as to,
        to.transport.stream(GET) as streamed,
    ):
        assert streamed.headers["content-length"] == "5"
        assert b"".join([chunk async for chunk in streamed.chunks]) == b"hello"
    assert [event.attempt for event in to.retried] == [1, 2]


async def test_a_stream_that_breaks_tells_its_reader() -> None:
    half = Step(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", then="close")
    async with RawServer(in_turn(half)) as server, speaking(server.host) as to, to.transport.stream(GET) as streamed:
        assert await anext(streamed.chunks) == b"hello"
        with pytest.raises(Unavailable, match="ended early"):
            await anext(streamed.chunks)
    assert to.retried == []


async def test_a_stream_holds_its_slot_and_a_failed_one_gives_it_back() -> None:
    async with RawServer(in_turn(says(404), says(200, b"hello"))) as server, speaking(server.host, cap=1) as to:
        with pytest.raises(NotFound):
            async with to.transport.stream(GET):
                pass
        async with to.transport.stream(GET):
            waiting = asyncio.create_task(to.transport.send(GET), context=Context())
            await asyncio.sleep(0)
            assert not waiting.done()
        assert (await waiting).status == 200


async def test_a_stream_left_in_the_middle_closes_its_connection() -> None:
    half = Step(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", then="stall")
    async with RawServer(in_turn(half)) as server, speaking(server.host) as to:
        for _ in range(2):
            async with to.transport.stream(GET) as streamed:
                assert await anext(streamed.chunks) == b"hello"
    assert server.connections == 2
