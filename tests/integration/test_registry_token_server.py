"""Token servers that want to be left alone, asked by many repositories at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import RegsyncError, Unavailable
from regsync.registry.http.transport import Answer, Request
from regsync.registry.login.scope import Scope
from tests.support.built import image_bytes
from tests.support.fake_registry import Bearer, FakeRegistry
from tests.support.faults import Fault, Status
from tests.support.token_server import TokenServer
from tests.unit.registry.speaking import Speaking, speaking


def look_at(path: str) -> Request:
    return Request("HEAD", f"/v2/{path}/manifests/v", scopes=(Scope.of_repository(path, push=False),))


async def look_at_forty(to: Speaking) -> list[Answer | BaseException]:
    requests = [look_at(f"a/r{number}") for number in range(40)]
    return await asyncio.gather(*map(to.transport.send, requests), return_exceptions=True)


def seeded(fake: FakeRegistry) -> FakeRegistry:
    for number in range(40):
        fake.seed(f"a/r{number}", {"v": image_bytes(b"layer")})
    return fake


async def test_a_long_pause_puts_forty_repositories_off_at_the_price_of_one_request() -> None:
    async with TokenServer() as tokens, FakeRegistry(auth=Bearer(tokens)) as fake, speaking(seeded(fake).host) as to:
        tokens.fail(Fault(Status(429, {"Retry-After": "300"}), times=10_000))
        outcomes = await look_at_forty(to)
        assert {type(each) for each in outcomes} == {Unavailable}
        assert {each.retry_after for each in outcomes if isinstance(each, Unavailable)} == {300.0}
        assert to.clock.slept == []
    assert len(tokens.journal) == 1


@pytest.mark.parametrize(
    "realm",
    [
        *("http://[", "http://[::1", "http://[::1%25lo]:1/", "http://[v1.a]:1/", "http://[::1]:0/"),
        *("http://127.0.0.1:99999/", "http://127.0.0.1:-1/", "http://127.0.0.1:0/", "http://127.0.0.1:x/"),
        *("http://1.2.3/", "http://256.1/", "http://999.999.999.999/", f"http://{'a' * 64}.com/", "http://a..b/"),
        *("http:/x", "//", "///x", "?x", "/../../x", "http://127.0.0.1:1/%zz?%#", "http://u:p@127.0.0.1:1/"),
    ],
)
async def test_a_realm_that_leads_nowhere_is_one_of_our_own_errors(realm: str) -> None:
    async with TokenServer() as tokens:
        bearer = Bearer(tokens, challenge=f'Bearer realm="{realm}"')
        async with FakeRegistry(auth=bearer) as fake, speaking(fake.host) as to:
            with pytest.raises(RegsyncError):
                await to.transport.send(replace(look_at("a"), attempts=1))


async def test_a_short_pause_is_waited_for_by_all_of_them() -> None:
    async with TokenServer() as tokens, FakeRegistry(auth=Bearer(tokens)) as fake, speaking(seeded(fake).host) as to:
        tokens.fail(Fault(Status(429, {"Retry-After": "7"})))
        outcomes = await look_at_forty(to)
        assert {type(each) for each in outcomes} == {Answer}
        assert set(to.clock.slept) == {7.0}
    assert len(tokens.journal) == 41
