"""One logical request, whatever happens on its way."""

from __future__ import annotations

import asyncio
import re

import pytest

from regsync.errors import (
    AccessDenied,
    Forbidden,
    IntegrityError,
    NoSuchRepository,
    NotFound,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.events import Warned
from regsync.registry.http.feed import Timeouts
from regsync.registry.http.transport import Request
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking, with_login

READING = (Scope.of_repository("a", push=False),)

GET = Request("GET", "/v2/a/manifests/v1?secret=q-canary", what="manifest a:v1")
OK = says(200, b"hello", ("Content-Type", "text/plain"), ("X-Two", "1"), ("X-Two", "2"))
TRANSIENT = [408, 425, 429, 500, 502, 503, 504]


async def test_an_answer_comes_whole_with_its_headers_in_any_case() -> None:
    async with RawServer(in_turn(OK)) as server, speaking(server.host) as to:
        answer = await to.transport.send(GET)
    assert (answer.status, answer.body, answer.headers["CONTENT-TYPE"]) == (200, b"hello", "text/plain")
    assert (answer.headers["x-two"], answer.headers.lines("X-TWO")) == ("1, 2", ("1", "2"))
    assert server.asked[0].target == GET.url
    assert server.sent("accept-encoding") == ["identity"]
    assert server.sent("user-agent") == ["regsync/test"]


@pytest.mark.parametrize("status", TRANSIENT)
async def test_one_transient_status_is_survived(status: int) -> None:
    async with RawServer(in_turn(says(status), OK)) as server, speaking(server.host) as to:
        assert (await to.transport.send(GET)).body == b"hello"
    assert [event.attempt for event in to.retried] == [1]
    assert to.clock.slept == [0.5]


BROKEN = {
    "closed before the answer": Step(then="close"),
    "reset before the answer": Step(then="reset"),
    "reset within the headers": Step(b"HTTP/1.1 200 OK\r\nContent-", then="reset"),
    "half a body": Step(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", then="close"),
    "chunks that end early": Step(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", then="close"),
    "not HTTP": Step(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n", then="close"),
    "a number that is none": Step(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", then="close"),
    "an unexpected success": says(204),
}


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH"])
@pytest.mark.parametrize("how", BROKEN)
async def test_one_broken_exchange_is_survived(how: str, method: str) -> None:
    body = None if method == "GET" else b"payload"
    async with RawServer(in_turn(BROKEN[how], OK)) as server, speaking(server.host) as to:
        answer = await to.transport.send(Request(method, "/v2/x", body=body, what="x"))
    assert answer.body == b"hello"
    assert server.asked[-1].body == (body or b"")


async def test_a_kept_connection_that_went_stale_costs_a_post_nothing() -> None:
    async with RawServer(in_turn(OK, Step(then="close"), OK)) as server, speaking(server.host) as to:
        post = Request("POST", "/v2/a/blobs/uploads/", what="upload")
        await to.transport.send(post)
        assert (await to.transport.send(post)).status == 200
    assert [asked.connection for asked in server.asked] == [1, 1, 2]


async def test_a_failure_that_stays_is_given_up_with_growing_pauses() -> None:
    async with RawServer(in_turn(says(500))) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable, match=r"GET manifest a:v1 at 127\.0\.0\.1:\d+: 500 Internal") as caught:
            await to.transport.send(GET)
    assert caught.value.attempts == len(server.asked) == 6
    assert to.clock.slept == [0.5, 1, 2, 4, 8]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Unsupported),
        (403, Forbidden),
        (404, NoSuchRepository),
        (405, Unsupported),
        (409, Unsupported),
        (410, NotFound),
        (412, Unsupported),
        (413, Unsupported),
        (414, Unsupported),
        (415, Unsupported),
        (416, Unavailable),
        (422, Unsupported),
        (451, AccessDenied),
        (501, Unsupported),
        (507, Unsupported),
    ],
)
async def test_a_refusal_is_not_tried_again(status: int, kind: type[RegsyncError]) -> None:
    body = b'{"errors":[{"code":"NAME_UNKNOWN","message":"repository name\\u001b[2J\\nnot known"}]}'
    async with RawServer(in_turn(says(status, body))) as server, speaking(server.host) as to:
        with pytest.raises(RegsyncError) as caught:
            await to.transport.send(GET)
    assert len(server.asked) == 1
    assert type(caught.value) is (NoSuchRepository if status == 400 else kind)
    text = str(caught.value)
    assert re.search(rf"GET manifest a:v1 at \S+: {status} NAME_UNKNOWN repository name\\x1b\[2J not known$", text)
    assert "canary" not in text


async def test_a_500_with_a_permanent_code_is_tried_twice() -> None:
    body = b'{"errors":[{"code":"MANIFEST_INVALID","message":"no"}]}'
    async with RawServer(in_turn(says(500, body))) as server, speaking(server.host) as to:
        with pytest.raises(Unsupported, match="MANIFEST_INVALID"):
            await to.transport.send(GET)
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("value", "pause"),
    [
        ("2", 2.0),
        ("Thu, 01 Jan 2026 00:00:07 GMT", 7.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.5),
        ("soon", 0.5),
        ("-3", 0.5),
        ("", 0.5),
    ],
)
async def test_retry_after_is_obeyed_where_it_means_something(value: str, pause: float) -> None:
    async with RawServer(in_turn(says(429, b"", ("Retry-After", value)), OK)) as server, speaking(server.host) as to:
        await to.transport.send(GET)
    assert to.clock.monotonic() == pause


async def test_a_registry_that_asks_for_too_long_is_left_alone() -> None:
    async with RawServer(in_turn(says(503, b"", ("Retry-After", "1000000000")))) as server, speaking(server.host) as to:
        for _ in range(3):
            with pytest.raises(Unavailable) as caught:
                await to.transport.send(GET)
            assert caught.value.retry_after is not None
            assert caught.value.retry_after >= 3600  # and after an hour it is asked again, whatever it said
    assert len(server.asked) == 1
    assert to.clock.slept == []


async def test_a_whole_host_waits_where_one_request_was_told_to() -> None:
    async with RawServer(in_turn(says(429, b"", ("Retry-After", "5")), OK)) as server, speaking(server.host) as to:
        with pytest.raises(Unavailable):
            await to.transport.send(Request("GET", "/", attempts=1))
        await to.transport.send(GET)
    assert to.clock.slept == [5.0]


async def test_a_warning_of_the_registry_is_told_once() -> None:
    warning = ("Warning", '299 - "this repository\r moves \\"soon\\""'.replace("\r", ""))
    async with RawServer(in_turn(says(200, b"", warning))) as server, speaking(server.host) as to:
        await to.transport.send(GET)
        await to.transport.send(GET)
    warned = [event for event in to.told if isinstance(event, Warned)]
    assert [event.message for event in warned] == ["Registry warning message"]
    assert "moves" in str(warned[0].fields["warning"])


async def test_an_answer_beyond_its_cap_is_refused() -> None:
    async with RawServer(in_turn(OK)) as server, speaking(server.host) as to:
        with pytest.raises(IntegrityError):
            await to.transport.send(Request("GET", "/", cap=4))
    endless = Step(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"5\r\nhello\r\n" * 9, then="stall")
    async with RawServer(in_turn(endless)) as server, speaking(server.host) as to:
        with pytest.raises(IntegrityError):
            await to.transport.send(Request("GET", "/", cap=40))


async def test_the_length_a_head_tells_is_no_body_to_read() -> None:
    length = Step(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    async with RawServer(in_turn(length)) as server, speaking(server.host) as to:
        answer = await to.transport.send(Request("HEAD", "/"))
    assert answer.headers["content-length"] == "99999999999"


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "gzip, identity"])
async def test_a_body_is_handed_on_as_it_came_whatever_it_is_labelled(encoding: str) -> None:
    async with (
        RawServer(in_turn(says(200, b"x", ("Content-Encoding", encoding)))) as server,
        speaking(server.host) as to,
    ):
        assert (await to.transport.send(GET)).body == b"x"
        assert server.asked[0].headers["accept-encoding"] == "identity"


async def test_headers_beyond_the_librarys_own_limit_are_read() -> None:
    link = "<" + "x" * 9000 + '>; rel="next"'
    async with RawServer(in_turn(says(200, b"", ("Link", link)))) as server, speaking(server.host) as to:
        assert (await to.transport.send(GET)).headers["link"] == link


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nX", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel"])
async def test_a_server_that_falls_silent_is_left_after_its_time_out(data: bytes) -> None:
    async with (
        RawServer(in_turn(Step(data, then="stall"))) as server,
        speaking(server.host, timeouts=Timeouts(header=0.05, idle=0.05)) as to,
    ):
        with pytest.raises(Unavailable, match="timed out"):
            await to.transport.send(Request("GET", "/", attempts=1))


async def test_a_body_slower_than_anything_useful_is_given_up() -> None:
    trickle = Step(b"HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n", then="trickle")
    timeouts = Timeouts(window=0, rate=1e12)
    async with RawServer(in_turn(trickle)) as server, speaking(server.host, timeouts=timeouts) as to:
        with pytest.raises(Unavailable, match="timed out"):
            await to.transport.send(Request("GET", "/", attempts=1))


async def test_a_body_without_a_length_ends_with_its_connection() -> None:
    until_close = Step(b"HTTP/1.0 200 OK\r\n\r\nhello", then="close")
    async with RawServer(in_turn(until_close)) as server, speaking(server.host) as to:
        assert (await to.transport.send(GET)).body == b"hello"


async def test_a_login_goes_out_once_it_was_asked_for() -> None:
    def answer(asked: Asked) -> Step:
        known = asked.headers.get("authorization") == "Basic YW5uOnMzY3JldC1jYW5hcnk="
        return OK if known else says(401, b"", ("WWW-Authenticate", 'Basic realm="here"'))

    async with RawServer(answer) as server, speaking(with_login(server.host)) as to:
        await to.transport.send(GET)
        await to.transport.send(Request("GET", "/v2/", attempts=1))
    assert [value is not None for value in server.sent("authorization")] == [False, True, True]
    assert to.clock.slept == []


async def test_a_wrong_password_ends_in_one_line_and_no_storm() -> None:
    challenge = says(401, b"", ("WWW-Authenticate", 'Basic realm="here"'))
    async with RawServer(in_turn(challenge)) as server, speaking(with_login(server.host)) as to:
        for _ in range(20):
            with pytest.raises(AccessDenied) as caught:
                await to.transport.send(GET)
            assert "canary" not in str(caught.value)
    assert len(server.asked) <= 3


async def test_a_token_is_fetched_through_the_same_guard() -> None:
    async with RawServer(in_turn(says(200, b'{"token":"t0ken"}'))) as tokens:
        bearer = ("WWW-Authenticate", f'Bearer realm="{tokens.url}/token",service="s"')

        def answer(asked: Asked) -> Step:
            return OK if asked.headers.get("authorization") == "Bearer t0ken" else says(401, b"", bearer)

        async with RawServer(answer) as server, speaking(with_login(server.host)) as to:
            await to.transport.send(Request("GET", "/", scopes=READING))
    assert tokens.asked[0].target.startswith("/token?")
    assert tokens.sent("authorization") == ["Basic YW5uOnMzY3JldC1jYW5hcnk="]


async def test_a_token_servers_redirect_to_another_place_is_not_followed() -> None:
    async with RawServer(in_turn(OK)) as elsewhere:
        away = says(307, b"", ("Location", elsewhere.url))
        async with RawServer(in_turn(away)) as tokens:
            bearer = ("WWW-Authenticate", f'Bearer realm="{tokens.url}/token",service="s"')
            async with RawServer(in_turn(says(401, b"", bearer))) as server, speaking(with_login(server.host)) as to:
                with pytest.raises(RegsyncError):
                    await to.transport.send(Request("GET", "/", scopes=READING, attempts=1))
    assert elsewhere.asked == []


async def test_a_rate_spaces_the_starts_of_requests() -> None:
    async with RawServer(in_turn(OK)) as server:
        host = with_login(server.host)
        async with speaking(type(host)(name=host.name, hostname=host.hostname, tls="disabled", per_second=5)) as to:
            await asyncio.gather(*(to.transport.send(GET) for _ in range(5)))
    assert to.clock.monotonic() == pytest.approx(0.8)
