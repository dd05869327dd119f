"""A token server that wants to be left alone is heard by everybody, and one in trouble is asked by one at a time."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import AccessDenied, RegsyncError, Unavailable
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BEARER, LOGIN, PULL, Lab, granted, pull

MANY = [(pull(f"app{number}"),) for number in range(40)]
WAYS = [None, LOGIN, Credential(token="canary-identity")]


async def wanting(credential: Credential | None) -> Lab:
    """A lab whose registry is known to want tokens."""
    lab = Lab(credential)
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    return lab


async def ask_all(lab: Lab) -> list[str | BaseException | None]:
    return await asyncio.gather(*map(lab.auth.header, MANY), return_exceptions=True)


def pauses(outcomes: list[str | BaseException | None]) -> set[float | None]:
    assert {type(each) for each in outcomes} == {Unavailable}
    return {each.retry_after for each in outcomes if isinstance(each, RegsyncError)}


@pytest.mark.parametrize("credential", WAYS)
@pytest.mark.parametrize("status", [429, 503])
async def test_forty_repositories_hear_of_a_pause_from_one_request(credential: Credential, status: int) -> None:
    lab = await wanting(credential)
    lab.script = lambda _, __: TokenAnswer(status, b"", "300")
    assert pauses(await ask_all(lab)) == {300.0}
    await lab.clock.advance(100)
    assert pauses(await ask_all(lab)) == {200.0}
    assert len(lab.asked) == 1


async def test_forty_that_were_under_way_are_the_last_for_the_length_of_the_pause() -> None:
    lab = await wanting(LOGIN)
    await lab.auth.header(PULL)
    lab.script = lambda _, __: TokenAnswer(429, b"", "300")
    await ask_all(lab)
    asked = len(lab.asked)
    assert asked <= 1 + len(MANY)
    await lab.clock.advance(299)
    outcomes = await ask_all(lab)
    assert pauses(outcomes) == {1.0}
    assert str(outcomes[0]) == "the token server auth.example of r.example asks to be left alone for 1 s"
    assert len(lab.asked) == asked
    await lab.clock.advance(1)
    assert pauses(await ask_all(lab)) == {300.0}
    assert len(lab.asked) == asked + 1
    await lab.clock.advance(300)
    lab.script = lambda _, number: granted(number)
    assert {type(each) for each in await ask_all(lab)} == {str}


async def test_a_token_that_is_held_is_used_through_a_pause() -> None:
    lab = await wanting(None)
    assert await lab.auth.header(PULL) == "Bearer T1"
    lab.script = lambda _, __: TokenAnswer(429, b"", "300")
    await ask_all(lab)
    assert await lab.auth.header(PULL) == "Bearer T1"


async def test_a_pause_named_as_a_date_is_read_by_the_wall_clock() -> None:
    lab = await wanting(None)
    lab.script = lambda _, __: TokenAnswer(503, b"", "Thu, 01 Jan 2026 00:02:00 GMT")
    assert pauses(await ask_all(lab)) == {120.0}


@pytest.mark.parametrize("said", ["", "soon", "-5", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "\ud800"])
async def test_a_pause_that_says_nothing_is_none(said: str) -> None:
    lab = await wanting(None)
    lab.script = lambda _, number: TokenAnswer(429, b"", said) if number == 1 else granted(number)
    with pytest.raises(Unavailable) as caught:
        await lab.auth.header(PULL)
    assert caught.value.retry_after is None
    assert await lab.auth.header(PULL) == "Bearer T2"


async def test_nobody_is_left_alone_for_more_than_an_hour() -> None:
    lab = await wanting(None)
    lab.script = lambda _, number: TokenAnswer(429, b"", "999999999999") if number == 1 else granted(number)
    await ask_all(lab)
    await lab.clock.advance(3600)
    assert await lab.auth.header(PULL) == "Bearer T2"


async def test_a_pause_of_one_token_server_holds_nobody_up_at_another() -> None:
    lab = await wanting(None)
    lab.script = lambda request, number: (
        granted(number) if "other.example" in request.url else TokenAnswer(429, b"", "300")
    )
    await ask_all(lab)
    assert str(await lab.refused(PULL, BEARER.replace("auth.example", "other.example"))).startswith("Bearer ")


async def test_a_pause_keeps_the_refresh_token_and_makes_no_second_request() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: (
        TokenAnswer(429, b"", "5") if number == 2 else granted(number, refresh_token="REFRESH")
    )
    await lab.refused()
    await ask_all(lab)
    await lab.clock.advance(5)
    assert await lab.auth.header(MANY[0]) == "Bearer T3"
    assert [request.method for request in lab.asked] == ["GET", "POST", "POST"]


async def test_a_refusal_shows_that_the_token_server_works() -> None:
    lab = await wanting(None)
    lab.script = lambda _, __: TokenAnswer(403, b"")
    assert {type(each) for each in await ask_all(lab)} == {AccessDenied}
    assert len(lab.asked) == len(MANY)


async def test_when_the_first_is_cancelled_the_next_one_asks() -> None:
    lab = await wanting(None)
    lab.gate.clear()
    first, second = (asyncio.ensure_future(lab.auth.header(each)) for each in MANY[:2])
    await settle()
    assert len(lab.asked) == 1
    first.cancel()
    lab.gate.set()
    assert await second == "Bearer T2"
