"""Token servers that want to be left alone, asked by many repositories at once."""

from __future__ import annotations

import asyncio

from regsync.errors import Unavailable
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


async def test_a_short_pause_is_waited_for_by_all_of_them() -> None:
    async with TokenServer() as tokens, FakeRegistry(auth=Bearer(tokens)) as fake, speaking(seeded(fake).host) as to:
        tokens.fail(Fault(Status(429, {"Retry-After": "7"})))
        outcomes = await look_at_forty(to)
        assert {type(each) for each in outcomes} == {Answer}
        assert set(to.clock.slept) == {7.0}
    assert len(tokens.journal) == 41
