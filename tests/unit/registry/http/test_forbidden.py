"""Registries that answer 403 where they want a login."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import Forbidden
from regsync.registry.http.message import Request
from regsync.registry.login.scope import Scope
from tests.unit.registry.raw import Asked, RawServer, Step, says
from tests.unit.registry.speaking import speaking, with_login

READ = Request("GET", "/v2/a/manifests/v1", scopes=(Scope.of_repository("a", push=False),), attempts=1)
BASIC = "Basic YW5uOnMzY3JldC1jYW5hcnk="


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_403_with_a_challenge_is_answered_with_a_login(method: str) -> None:
    def answer(asked: Asked) -> Step:
        if asked.headers.get("authorization") == BASIC:
            return says(200)
        return says(403, b"no" * (asked.method == "GET"), ("WWW-Authenticate", 'Basic realm="x"'))

    async with RawServer(answer) as server, speaking(with_login(server.host)) as to:
        for _ in range(2):
            assert (await to.transport.send(replace(READ, method=method))).status == 200
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "lines", [(), (("WWW-Authenticate", 'Basic realm="x"'),), (("WWW-Authenticate", "Negotiate"),)]
)
async def test_a_403_that_stays_one_is_forbidden_and_costs_one_login(lines: tuple[tuple[str, str], ...]) -> None:
    async with RawServer(lambda _: says(403, b"no", *lines)) as server, speaking(with_login(server.host)) as to:
        for _ in range(2):
            with pytest.raises(Forbidden):
                await to.transport.send(READ)
    assert len(server.asked) <= 3


async def test_a_401_without_a_word_is_answered_with_the_login_there_is() -> None:
    def answer(asked: Asked) -> Step:
        return says(200) if asked.headers.get("authorization") == BASIC else says(401)

    async with RawServer(answer) as server:
        async with speaking(with_login(server.host)) as to:
            for _ in range(2):
                assert (await to.transport.send(READ)).status == 200
        assert [asked.target for asked in server.asked] == [READ.url, "/v2/", READ.url, READ.url]
        async with speaking(server.host) as to:
            with pytest.raises(Forbidden, match="without a word"):
                await to.transport.send(READ)
