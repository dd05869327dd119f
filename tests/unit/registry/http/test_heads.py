"""Heads that are put as the library reads them, those that stay as they are, and those that nobody can read."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext

import pytest

from regsync.errors import IntegrityError, RegsyncError, Unavailable
from regsync.registry.http.connection import _Protocol
from regsync.registry.http.heads import Contradiction, end_of, mended
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, Step, in_turn
from tests.unit.registry.speaking import speaking

GET = Request("GET", "/v2/a/manifests/v1", what="manifest a:v1", attempts=1)
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "head",
    [
        OK + b"Content-Length: 5\r\n\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n",
        OK
        + b'Content-Type: a/b; c=d\r\nLink: <http://x:1/y>; rel="next", <z>\r\nDate: Mon, 1 Jan 26 0:00:00 GMT\r\n\r\n',
        b"HTTP/1.1 200 a: b, c\r\nContent-Length: 5\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n",
        b"HTTP/1.0 200\nContent-Length: 5\n\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
    ],
)
def test_a_head_that_can_be_read_is_left_as_it_is(head: bytes) -> None:
    assert mended(head) == (head, False)
    assert end_of(head + b"\r\n\r\nbody") == len(head)


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        (b"Content-Length: 3\r\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked"),
        (b"transfer-encoding:Chunked\r\ncontent-length:3\r\nX: y", b"transfer-encoding:Chunked\r\nX: y"),
        (b"Transfer-Encoding: gzip, chunked\r\nContent-Length: 9", b"Transfer-Encoding: gzip, chunked"),
        (b"Transfer-Encoding : chunked\r\nContent-Length : 9", b"Transfer-Encoding: chunked"),
        (b"Content-Length: 5\r\nX: y\r\nContent-Length: 5", b"X: y\r\nContent-Length: 5"),
        (b"Content-Length: 5, 5,5", b"Content-Length: 5"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 5", b"Content-Length: 5"),
        (b"Transfer-Encoding: identity", b""),
        (b"Docker-Content-Digest : x\r\nA b: c\r\nE\t: f", b"Docker-Content-Digest: x\r\nE: f"),
        (b"A b: c\r\nLong: d\r\n  e", b"Long: d e"),
    ],
)
def test_a_head_that_says_too_much_says_what_counts(fields: bytes, left: bytes) -> None:
    whole, _ = mended(OK + fields + b"\r\n\r\n")
    assert whole == OK + left + (b"\r\n" if left else b"") + b"\r\n"


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: 5, 6",
        b"Content-Length: 5\r\nContent-Length : 50",
        b"Content-Length: 5\r\nContent-Length: 05",
        b"content-length: 5,\r\nCONTENT-LENGTH: 5",
    ],
)
async def test_two_lengths_are_a_contradiction_that_is_told_and_not_tried_again(fields: bytes) -> None:
    with pytest.raises(Contradiction):
        mended(OK + fields + b"\r\n\r\n")
    answer = Step(OK + fields + b"\r\n\r\nhello")
    async with RawServer(in_turn(answer)) as server, speaking(server.host) as to:
        with pytest.raises(IntegrityError, match=rf"^{server.host}: names more than one length for an answer"):
            await to.transport.send(Request("GET", "/"))
    assert (len(server.asked), to.clock.slept) == (1, [])


@pytest.mark.parametrize(
    "fields",
    [
        *(b"Content-Length: +5", b"Content-Length: -5", b"Content-Length: 0x5", b"Content-Length: 5 5"),
        *(b"no colon", b": no name", b"X: a\0b", b"X(y): z"),
    ],
)
async def test_what_can_be_read_in_two_ways_is_no_answer(fields: bytes) -> None:
    answer = Step(OK + fields + b"\r\n\r\nhello", "close")
    async with RawServer(in_turn(answer)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable):
            await to.transport.send(GET)


@pytest.mark.parametrize(
    "odd",
    [
        b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"Content-Length: 5\r\n\r\nhello HTTP/1.1 200 OK\r\n\r\n",
    ],
)
async def test_a_connection_on_which_answers_are_odd_is_not_used_again(odd: bytes) -> None:
    async with RawServer(in_turn(Step(OK + odd))) as server, speaking(server.host) as to:
        for _ in range(3):
            assert (await to.transport.send(GET)).body == b"hello"
    assert server.connections == 3


@pytest.mark.parametrize("size", [1, 2, 7, 30, 1000])
@pytest.mark.parametrize("interim", [b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"])
async def test_a_head_may_come_in_pieces(size: int, interim: bytes) -> None:
    data = interim + OK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS
    protocol = _Protocol(asyncio.get_running_loop())
    protocol.set_response_params(read_until_eof=True)
    for start in range(0, len(data), size):
        protocol.data_received(data[start : start + size])
    if interim:
        await protocol.read()
    message, body = await protocol.read()
    assert (message.code, await body.read()) == (200, b"hello")


@pytest.mark.parametrize("begun", [b"HTTP/1.1 200 OK\r\nContent-Le", b"HT", b"\r\n", b"\x15\x03\x03", b"SSH-2.0-x\r\n"])
async def test_what_ends_before_its_head_does_is_no_answer(begun: bytes) -> None:
    async with RawServer(in_turn(Step(begun, "close"))) as server, speaking(server.host) as to:
        with pytest.raises(RegsyncError):
            await to.transport.send(GET)


@pytest.mark.parametrize("name", ["WWW-Authenticate", "Link", "Location", "X-Policy"])
async def test_a_header_may_be_longer_than_usual_but_not_without_end(name: str) -> None:
    long = ("x" * 60_000, "x" * 70_000)
    answers = [Step(OK + f"{name}: {text}\r\nContent-Length: 5\r\n\r\nhello".encode()) for text in long]
    async with RawServer(in_turn(*answers)) as server, speaking(server.host) as to:
        assert len((await to.transport.send(GET)).headers[name]) == 60_000
        with pytest.raises(Unavailable, match="sends more or longer headers than"):
            await to.transport.send(GET)


@pytest.mark.parametrize(("count", "fits"), [(900, True), (1100, False)])
async def test_headers_may_be_many_but_not_without_end(count: int, fits: bool) -> None:
    fields = b"".join(b"X-%d: y\r\n" % number for number in range(count))
    answer = Step(OK + fields + b"Content-Length: 5\r\n\r\nhello")
    async with RawServer(in_turn(answer)) as server, speaking(server.host) as to:
        with nullcontext() if fits else pytest.raises(Unavailable, match="sends more or longer headers than"):
            assert (await to.transport.send(GET)).body == b"hello"


async def test_a_body_that_cannot_be_read_on_is_told_at_once() -> None:
    broken = Step(OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n")
    async with RawServer(in_turn(broken)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable, match=f"^{server.host}: the answer ended early$"):
            await to.transport.send(GET)
