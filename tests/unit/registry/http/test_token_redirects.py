"""Token servers that send us on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from regsync.errors import Refused, RegsyncError
from regsync.registry.http.transport import Request
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Asked, RawServer, Step, in_turn, says
from tests.unit.registry.speaking import Speaking, plain_host, speaking

GET = Request("GET", "/", scopes=(Scope.of_repository("a/b", push=False),), attempts=1)
BASIC = "Basic YW5uOnMzY3JldC1jYW5hcnk="


@asynccontextmanager
async def speaking_to(tokens: RawServer, **login: str) -> AsyncIterator[Speaking]:
    """Speak to a registry that wants a token of this server's."""
    bearer = ("WWW-Authenticate", f'Bearer realm="{tokens.url}/token",service="s"')

    def answer(asked: Asked) -> Step:
        known = asked.headers.get("authorization") == "Bearer t0ken"
        return says(200) if known else says(401, b"", bearer)

    async with RawServer(answer) as server, speaking(plain_host(server.host).with_login(**login)) as to:
        yield to


def moving(status: int, location: str) -> RawServer:
    """A token server that sends on whoever asks at /token, and sells at /token/."""

    def answer(asked: Asked) -> Step:
        if not asked.target.startswith("/token/"):
            return says(status, b"moved", ("Location", location))
        return says(200, b'{"token":"t0ken"}')

    return RawServer(answer)


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (301, "/token/?scope=x"),
        (302, "token/"),
        (303, "/token/"),
        (307, "//127.0.0.1:PORT/token/"),
        (308, "/token/a#b"),
    ],
)
async def test_a_token_server_is_followed_within_its_origin_with_the_login(status: int, location: str) -> None:
    async with moving(status, location) as tokens, speaking_to(tokens, user="ann", password="s3cret-canary") as to:
        tokens.answer = moving(status, location.replace("PORT", str(tokens.port))).answer
        assert (await to.transport.send(GET)).status == 200
    assert tokens.sent("authorization") == [BASIC, BASIC]


@pytest.mark.parametrize("status", [307, 308])
async def test_an_identity_token_is_posted_again_where_the_redirect_keeps_the_method(status: int) -> None:
    async with moving(status, "/token/") as tokens, speaking_to(tokens, token="identity-canary") as to:
        assert (await to.transport.send(GET)).status == 200
    assert [each.method for each in tokens.asked] == ["POST", "POST"]


async def test_an_identity_token_does_not_follow_a_redirect_that_turns_it_into_a_get() -> None:
    async with moving(302, "/token/") as tokens, speaking_to(tokens, token="identity-canary") as to:
        with pytest.raises(RegsyncError, match="answered 302"):
            await to.transport.send(GET)
    assert [each.method for each in tokens.asked] == ["POST"]


@pytest.mark.parametrize(
    "location", ["http://localhost:PORT/token/", "http://127.0.0.1:1/token/", "http://u@127.0.0.1:PORT/"]
)
async def test_no_login_follows_a_token_server_elsewhere(location: str) -> None:
    async with moving(307, location) as tokens, speaking_to(tokens, user="ann", password="s3cret-canary") as to:
        tokens.answer = moving(307, location.replace("PORT", str(tokens.port))).answer
        with pytest.raises(RegsyncError) as caught:
            await to.transport.send(GET)
    assert "canary" not in str(caught.value)
    assert len(tokens.asked) == 1


async def test_a_token_server_that_goes_round_in_circles_is_given_up() -> None:
    round_again = says(302, b"", ("Location", "/token"))
    async with RawServer(in_turn(round_again)) as tokens, speaking_to(tokens) as to:
        with pytest.raises(RegsyncError, match="answered 302"):
            await to.transport.send(GET)
    assert len(tokens.asked) == 5


async def test_nobody_follows_a_token_server_elsewhere_with_a_login_and_anybody_does_without() -> None:
    async with RawServer(in_turn(says(200, b'{"token":"t0ken"}'))) as other:
        async with moving(307, f"{other.url}/token/") as tokens, speaking_to(tokens) as to:
            assert (await to.transport.send(GET)).status == 200
        async with moving(307, f"{other.url}/token/") as tokens, speaking_to(tokens, user="ann", password="pw") as to:
            with pytest.raises(RegsyncError, match="it sends us elsewhere, where no login goes"):
                await to.transport.send(GET)
    assert other.sent("authorization") == [None]


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/token", "http://[::ffff:a9fe:a9fe]/", "http://0.0.0.0:PORT/"]
)
async def test_nobody_follows_a_token_server_to_where_no_registry_leads(where: str) -> None:
    async with moving(307, where) as tokens, speaking_to(tokens) as to:
        tokens.answer = moving(307, where.replace("PORT", str(tokens.port))).answer
        with pytest.raises(Refused, match="will not follow the registry"):
            await to.transport.send(GET)
    assert len(tokens.asked) == 1
