"""A whole host in trouble, and everybody who wants something of it."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import Unavailable
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking

GET = Request("GET", "/v2/a/manifests/v1", what="manifest a:v1")
OK = says(200)


async def test_a_dead_host_fails_everybody_soon_and_without_a_storm() -> None:
    async with RawServer(in_turn(Step(then="reset"))) as server, speaking(server.host, cap=None) as to:
        failures = await asyncio.gather(*(to.transport.send(GET) for _ in range(500)), return_exceptions=True)
        with pytest.raises(Unavailable, match="left alone"):
            await to.transport.send(GET)
    assert all(isinstance(failure, Unavailable) for failure in failures)
    assert len(server.asked) < 40
    assert to.clock.monotonic() < 60


async def test_a_short_outage_is_survived_by_everybody() -> None:
    silent = [Step(then="close")] * 30
    async with RawServer(in_turn(*silent[:11], OK)) as server, speaking(server.host) as to:
        answers = await asyncio.gather(*(to.transport.send(GET) for _ in range(60)))
    assert {answer.status for answer in answers} == {200}


async def test_a_host_that_only_answers_500_is_not_stormed() -> None:
    async with RawServer(in_turn(says(500))) as server, speaking(server.host, cap=8) as to:
        failures = await asyncio.gather(*(to.transport.send(GET) for _ in range(500)), return_exceptions=True)
    assert all(isinstance(failure, Unavailable) for failure in failures)
    assert len(server.asked) < 1.2 * 500 + 90


async def test_a_registry_that_names_its_pauses_is_not_taken_for_dead() -> None:
    busy = says(503, b"", ("Retry-After", "5"))
    async with RawServer(in_turn(*[busy] * 12, says(200, b"ok"))) as server, speaking(server.host) as to:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await to.transport.send(GET)
        assert (await to.transport.send(GET)).body == b"ok"
