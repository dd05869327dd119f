"""What is remembered of a registry does not grow with all that was ever asked for."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied
from regsync.registry.login.area import Area
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.scope import Scopes
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BASIC, BEARER, HOST, LOGIN, PULL, Lab, granted, pull

MANY = 1024


def many(kind: str, count: int = 3 * MANY) -> list[Scopes]:
    return [(pull(f"{kind}{number}"),) for number in range(count)]


def area_of(lab: Lab) -> Area:
    (area,) = lab.auth._areas
    return area


async def test_tokens_that_have_ended_are_forgotten() -> None:
    lab = Lab()
    await lab.refused()
    for scopes in many("a", 2 * MANY):
        await lab.auth.header(scopes)
    assert len(area_of(lab)._grants) > 2 * MANY  # all of use
    await lab.clock.advance(241)
    for scopes in many("b", 2 * MANY):
        await lab.auth.header(scopes)
        await lab.clock.advance(1)
    assert len(area_of(lab)._grants) <= 2 * MANY


@pytest.mark.parametrize("line", ["", BASIC, BEARER])
async def test_with_repo_auth_repositories_that_are_done_with_are_forgotten(line: str) -> None:
    lab = Lab(LOGIN, host=replace(HOST, repo_auth=True))
    for number in range(4 * MANY):
        scopes = (pull(f"a{number}"),)
        header = await (lab.refused(scopes, line) if line else lab.auth.header(scopes))
        lab.auth.accepted(scopes, sent=header)
        if number % MANY == 0:
            await lab.clock.advance(241)
    assert len(lab.auth._areas) <= MANY + 1


async def test_with_repo_auth_what_is_still_of_use_is_kept() -> None:
    lab = Lab(LOGIN, host=replace(HOST, repo_auth=True))
    lab.script = lambda request, number: (
        TokenAnswer(401, b"") if "wrong" in request.url else granted(number, expires_in=86400)
    )
    assert await lab.refused() == "Bearer T1"
    with pytest.raises(AccessDenied):
        await lab.refused((pull("wrong"),))
    for scopes in many("a"):
        await lab.auth.header(scopes)
    assert len(lab.auth._areas) <= MANY + 2
    asked = len(lab.asked)
    assert await lab.auth.header(PULL) == "Bearer T1"
    with pytest.raises(AccessDenied):
        await lab.auth.header((pull("wrong"),))
    assert len(lab.asked) == asked


@pytest.mark.parametrize("line", ["", BASIC])
async def test_a_registry_without_tokens_leaves_nothing_behind(line: str) -> None:
    lab = Lab(LOGIN)
    if line:
        await lab.refused(PULL, line)
    for scopes in many("a"):
        await lab.auth.header(scopes)
    assert len(area_of(lab)._grants) <= MANY + 1


async def test_what_is_still_of_use_is_kept() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda request, number: (
        TokenAnswer(403, b"") if "forbidden" in request.url else granted(number, expires_in=86400)
    )
    forbidden, waiting = (pull("forbidden"),), (pull("waiting"),)
    assert await lab.refused(PULL) == "Bearer T1"
    with pytest.raises(AccessDenied):
        await lab.auth.header(forbidden)
    lab.gate.clear()
    buying = [asyncio.ensure_future(lab.auth.header(waiting)) for _ in range(2)]
    await settle()
    area, asked = area_of(lab), len(lab.asked)
    for scopes in many("empty"):
        area.grant(scopes)
    area.tidy(lab.clock.monotonic())
    assert set(area._grants._kept) == {PULL, forbidden, waiting}
    lab.gate.set()
    assert await asyncio.gather(*buying) == ["Bearer T3", "Bearer T3"]
    assert await lab.auth.header(PULL) == "Bearer T1"
    with pytest.raises(AccessDenied):
        await lab.auth.header(forbidden)
    assert len(lab.asked) == asked


async def test_a_token_refused_early_is_not_forgotten_with_its_strike() -> None:
    lab = Lab()
    await lab.refused()
    await lab.auth.challenged(PULL, [BEARER], sent="Bearer T1")
    area = area_of(lab)
    for scopes in many("empty"):
        area.grant(scopes)
    area.tidy(lab.clock.monotonic())
    assert set(area._grants._kept) == {PULL}
