"""Registries that challenge nobody but at their front door."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied, Forbidden, NotFound, RegsyncError
from regsync.registry.http.message import Request
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Answering, Asked, RawServer, Step, says
from tests.unit.registry.speaking import plain_host, speaking

PULL, PUSH = (Scope.of_repository("a", push=False),), (Scope.of_repository("a", push=True),)
READ = Request("GET", "/v2/a/manifests/v1", scopes=PULL, attempts=1)
LOGIN = "Basic " + b64encode(b"robot:secret").decode()
BASIC = ("WWW-Authenticate", 'Basic realm="x"')


def hiding(status: int, *challenge: tuple[str, str], body: bytes = b"") -> Answering:
    """A registry that lets the robot in and answers everybody else so, but for its front door."""

    def answer(asked: Asked) -> Step:
        if asked.headers.get("authorization") in {LOGIN, "Bearer anybody"}:
            return says(200, b"content")
        if asked.target.startswith("/token"):
            return says(200, b'{"token":"anybody"}')
        return says(401, b"", *challenge) if asked.target == "/v2/" and challenge else says(status, body)

    return answer


def asked(server: RawServer) -> list[str]:
    return [f"{one.method} {one.target}" for one in server.asked]


async def test_a_404_that_hides_a_repository_is_not_believed_where_there_is_a_login() -> None:
    async with RawServer(hiding(404, BASIC)) as server:
        host = replace(plain_host(server.host), user="robot", password="secret")
        async with speaking(host) as to:
            assert (await to.transport.send(READ)).body == b"content"
            assert (await to.transport.send(READ)).body == b"content"
        assert asked(server) == [
            "GET /v2/a/manifests/v1",
            "GET /v2/",
            "GET /v2/a/manifests/v1",
            "GET /v2/a/manifests/v1",
        ]


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("scopes", [PULL, PUSH])
async def test_a_refusal_without_a_challenge_leads_to_the_front_door(status: int, scopes: tuple[Scope, ...]) -> None:
    async with RawServer(hiding(status, BASIC)) as server:
        host = replace(plain_host(server.host), user="robot", password="secret")
        async with speaking(host) as to:
            assert (await to.transport.send(replace(READ, scopes=scopes))).body == b"content"


async def test_a_token_for_anybody_is_got_there_without_a_login() -> None:
    async with RawServer(hiding(401)) as server:
        server.answer = hiding(401, ("WWW-Authenticate", f'Bearer realm="{server.url}/token",service="s"'))
        async with speaking(plain_host(server.host)) as to:
            assert (await to.transport.send(READ)).body == b"content"


@pytest.mark.parametrize(("status", "kind"), [(403, Forbidden), (404, NotFound), (401, Forbidden)])
async def test_what_is_refused_with_an_open_front_door_stays_refused_and_it_is_asked_once(
    status: int, kind: type[RegsyncError]
) -> None:
    async with RawServer(hiding(status)) as server:
        server.answer = lambda one: says(200) if one.target == "/v2/" else says(status)
        host = replace(plain_host(server.host), user="robot", password="secret")
        async with speaking(host) as to:
            for _ in range(3):
                with pytest.raises(kind):
                    await to.transport.send(READ)
        assert asked(server).count("GET /v2/") == 1
        assert LOGIN not in [one.headers.get("authorization") for one in server.asked]


async def test_nobody_asks_there_without_a_login_nor_for_what_is_missing_at_a_target() -> None:
    async with RawServer(hiding(404, BASIC)) as server:
        async with speaking(plain_host(server.host)) as to:
            with pytest.raises(NotFound):
                await to.transport.send(READ)
        host = replace(plain_host(server.host), user="robot", password="secret")
        async with speaking(host) as to:
            with pytest.raises(NotFound):
                await to.transport.send(replace(READ, scopes=PUSH))
        assert "GET /v2/" not in asked(server)


async def test_a_wrong_login_is_refused_once_and_the_404_is_no_answer() -> None:
    async with RawServer(hiding(404, BASIC)) as server:
        host = replace(plain_host(server.host), user="robot", password="wrong")
        server.answer = lambda one: (
            says(401, b"", BASIC) if one.headers.get("authorization") else hiding(404, BASIC)(one)
        )
        async with speaking(host) as to:
            with pytest.raises(AccessDenied, match="refused the user name and password"):
                await to.transport.send(READ)
