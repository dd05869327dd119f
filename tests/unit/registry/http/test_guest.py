"""Another registry that we are sent to and that wants a token: it gets one for anybody, and nothing of ours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from regsync.errors import RegsyncError
from regsync.events import Warned
from regsync.registry.http.message import Request
from tests.unit.registry.http.test_redirect import Two
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import plain_host, speaking

READ = Request("GET", "/v2/a/manifests/v1", attempts=1)


def gateway(to: RawServer) -> Answering:
    return lambda asked: says(307, b"", ("Location", f"{to.url}/v2/real{asked.target}"))


def wanting(here: RawServer, challenge: str, token: bytes = b'{"token":"anybody"}') -> Answering:
    """A registry that gives a token to whoever asks, or whatever `token` is."""

    def answer(asked: Asked) -> Step:
        if asked.target.startswith("/token"):
            return says(200 if token else 403, token)
        if asked.headers.get("authorization") == "Bearer anybody":
            return says(200, b"content" * (asked.method == "GET"))
        return says(401, b"", ("WWW-Authenticate", challenge.replace("HERE", here.url)))

    return answer


@pytest.fixture
async def two() -> AsyncIterator[Two]:
    pair = Two()
    async with AsyncExitStack() as stack:
        pair.elsewhere = await stack.enter_async_context(RawServer(in_turn(says(404))))
        pair.registry = await stack.enter_async_context(RawServer(gateway(pair.elsewhere)))
        host = replace(plain_host(pair.registry.host), user="robot", password="secret")
        pair.to = await stack.enter_async_context(speaking(host))
        yield pair


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    "challenge",
    [
        'Bearer realm="HERE/token",service="back",scope="repository:real/a:pull"',
        'bearer scope="repository:real/a:pull", realm="HERE/token"',
        'Basic realm="x", Bearer realm="HERE/token?a=b",scope="repository:real/a:pull,push"',
    ],
)
async def test_a_token_for_anybody_is_fetched_and_nothing_of_ours_is_shown(
    two: Two, challenge: str, method: str
) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, challenge)
    answer = await two.to.transport.send(replace(READ, method=method))
    assert answer.status == 200
    assert {asked.headers.get("authorization") for asked in two.elsewhere.asked} == {None, "Bearer anybody"}
    token = next(asked for asked in two.elsewhere.asked if asked.target.startswith("/token"))
    assert "scope=repository%3Areal%2Fa%3Apull" in token.target
    assert "authorization" not in token.headers
    assert "robot" not in token.target
    assert all("authorization" not in asked.headers for asked in two.registry.asked)


async def test_a_token_is_kept_for_the_next_request(two: Two) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="repository:real/a:pull"')
    for _ in range(3):
        await two.to.transport.send(READ)
    assert sum(asked.target.startswith("/token") for asked in two.elsewhere.asked) == 1
    assert len(two.elsewhere.asked) == 5


async def test_each_repository_keeps_its_own_token_however_they_take_turns(two: Two) -> None:
    def answer(asked: Asked) -> Step:
        if asked.target.startswith("/token"):
            return says(200, b'{"token":"for-%s"}' % asked.target.rpartition("%3A")[0][-1].encode())
        path = asked.target.split("/")[3]
        if asked.headers.get("authorization") == f"Bearer for-{path}":
            return says(200)
        scope = f'scope="repository:real/{path}:pull"'
        return says(401, b"", ("WWW-Authenticate", f'Bearer realm="{two.elsewhere.url}/token",{scope}'))

    two.registry.answer = lambda asked: says(307, b"", ("Location", f"{two.elsewhere.url}/v2/real{asked.target[3:]}"))
    two.elsewhere.answer = answer
    reads = [replace(READ, url=f"/v2/{path}/manifests/v1") for path in "abc"]
    await asyncio.gather(*(two.to.transport.send(read) for read in reads * 3))
    assert sum(asked.target.startswith("/token") for asked in two.elsewhere.asked) == 3


async def test_several_scopes_of_a_challenge_are_asked_for_one_by_one(two: Two) -> None:
    challenge = 'Bearer realm="HERE/token",scope="repository:real/a:pull repository:base:pull"'
    two.elsewhere.answer = wanting(two.elsewhere, challenge)
    await two.to.transport.send(READ)
    token = next(asked for asked in two.elsewhere.asked if asked.target.startswith("/token"))
    assert token.target == "/token?scope=repository%3Areal%2Fa%3Apull&scope=repository%3Abase%3Apull"


async def test_a_token_server_elsewhere_that_asks_to_wait_is_waited_for(two: Two) -> None:
    usual = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="a"')
    busy = [says(429, b"", ("Retry-After", "7")), says(503)]
    two.elsewhere.answer = lambda asked: busy.pop(0) if busy and asked.target.startswith("/token") else usual(asked)
    assert (await two.to.transport.send(replace(READ, attempts=3))).status == 200
    assert [retried.pause >= 7 for retried in two.to.retried] == [True, False]


@pytest.mark.parametrize(
    "challenge",
    [
        'Basic realm="give"',
        'Bearer realm="http://169.254.169.254/token"',
        'Bearer realm="http://user:pw@127.0.0.1/token"',
        'Bearer realm="file:///etc/passwd"',
        "Bearer",
        "",
    ],
)
async def test_what_wants_a_login_or_names_an_unsafe_token_server_gets_nothing(two: Two, challenge: str) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, challenge)
    with pytest.raises(RegsyncError, match="401 from where the registry sends us"):
        await two.to.transport.send(READ)
    assert [asked.headers.get("authorization") for asked in two.elsewhere.asked] == [None]


@pytest.mark.parametrize("token", [b"", b"<html>", b'{"token":""}', b'{"token":"nobody"}'])
async def test_who_gives_no_token_that_works_is_asked_once(two: Two, token: bytes) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="a"', token)
    with pytest.raises(RegsyncError, match="401 from where the registry sends us"):
        await two.to.transport.send(READ)
    assert sum(asked.target.startswith("/token") for asked in two.elsewhere.asked) == 1


async def test_what_is_written_elsewhere_gets_no_token(two: Two) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="a"')
    with pytest.raises(RegsyncError):
        await two.to.transport.send(replace(READ, method="PUT", body=b"x"))
    assert [asked.method for asked in two.elsewhere.asked] == ["PUT"]


async def test_a_stranger_that_wants_a_token_gets_none(two: Two) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="a"')
    with pytest.raises(RegsyncError):
        await two.to.transport.send(replace(READ, anonymous=True))
    assert not any(asked.target.startswith("/token") for asked in two.elsewhere.asked)


async def test_that_a_token_is_wanted_elsewhere_is_told_once_for_the_registry(two: Two) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token",scope="repository:real/a:pull"')
    for name in ("a", "b", "c"):
        await two.to.transport.send(replace(READ, url=f"/v2/{name}/manifests/v1"))
    what = "it sends us to another registry that wants a token; getting one that anybody can have"
    told = [event for event in two.to.told if isinstance(event, Warned)]
    assert told == [Warned(f"Registry is odd: {what}", {"host": two.registry.host, "example": "127.0.0.1"})]


async def test_a_registry_elsewhere_that_gives_nothing_to_nobody_is_not_told_of(two: Two) -> None:
    two.elsewhere.answer = wanting(two.elsewhere, 'Bearer realm="HERE/token"', token=b"")
    with pytest.raises(RegsyncError):
        await two.to.transport.send(READ)
    assert not [event for event in two.to.told if isinstance(event, Warned)]
