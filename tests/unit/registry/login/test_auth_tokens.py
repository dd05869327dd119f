from __future__ import annotations

import asyncio

import pytest

from regsync.errors import AccessDenied, IntegrityError, RegsyncError, Unavailable
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BASIC_HEADER, BEARER, LOGIN, PULL, PUSH, Lab, granted, pull, texts


async def test_a_bearer_challenge_buys_a_token_for_the_scopes_of_the_request() -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PUSH) == "Bearer T1"
    assert lab.scopes() == [texts(*PUSH)]
    assert lab.asked[0].headers["Authorization"] == BASIC_HEADER
    assert "client_id=regsync%2F1" in lab.asked[0].url


async def test_other_scopes_get_a_token_of_their_own_without_another_challenge() -> None:
    lab = Lab()
    await lab.refused(PULL)
    assert await lab.auth.header((pull("c"), *PULL)) == "Bearer T2"
    assert await lab.auth.header(PULL) == "Bearer T1"
    assert lab.scopes() == [texts(*PULL), texts(pull("c"), *PULL)]


async def test_a_token_to_push_serves_to_pull_from_the_same_repository() -> None:
    lab = Lab()
    await lab.refused(PUSH)
    assert await lab.auth.header(PULL) == "Bearer T1"
    assert await lab.auth.header((pull("a"),)) == "Bearer T2"


async def test_a_pull_refused_with_the_token_to_push_gets_its_own() -> None:
    lab = Lab()
    await lab.refused(PUSH)
    assert await lab.refused(PULL, sent="Bearer T1") == "Bearer T2"
    assert lab.scopes()[-1] == texts(*PULL)


async def test_fifty_who_wait_share_one_token() -> None:
    lab = Lab()
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    lab.gate.clear()
    waiting = asyncio.gather(*(lab.auth.header(PULL) for _ in range(50)))
    await settle()
    lab.gate.set()
    assert set(await waiting) == {"Bearer T1"}
    assert len(lab.asked) == 1


async def test_whoever_is_cancelled_while_fetching_hands_over_to_the_next() -> None:
    lab = Lab()
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    lab.gate.clear()
    waiting = [asyncio.ensure_future(lab.auth.header(PULL)) for _ in range(3)]
    await settle()
    waiting[0].cancel()
    lab.gate.set()
    assert await asyncio.gather(*waiting[1:]) == ["Bearer T2", "Bearer T2"]
    assert waiting[0].cancelled()


async def test_a_slow_token_of_one_repository_holds_no_other_one_up_once_the_token_server_is_known_to_work() -> None:
    lab = Lab()
    await lab.refused((pull("c"),))
    held, lab.gate = lab.gate, asyncio.Event()
    slow = asyncio.ensure_future(lab.auth.header(PULL))
    await settle()
    lab.gate, opening = held, lab.gate
    assert await lab.auth.header(PUSH) == "Bearer T3"
    assert not slow.done()
    opening.set()
    assert await slow == "Bearer T2"


async def test_a_token_is_replaced_at_four_fifths_of_its_life() -> None:
    lab = Lab()
    await lab.refused()
    await lab.clock.advance(239)
    assert await lab.auth.header(PULL) == "Bearer T1"
    await lab.clock.advance(1)
    assert await lab.auth.header(PULL) == "Bearer T2"


async def test_a_moved_wall_clock_ages_no_token() -> None:
    lab = Lab()
    await lab.refused()
    lab.clock.jump(86400)
    assert await lab.auth.header(PULL) == "Bearer T1"


async def test_a_token_refused_early_is_replaced_once_and_for_everybody() -> None:
    lab = Lab()
    await lab.refused()
    for _ in range(8):
        assert await lab.refused(sent="Bearer T1") == "Bearer T2"
    assert len(lab.asked) == 2


async def test_a_fresh_token_that_is_refused_too_ends_it_and_no_request_follows() -> None:
    lab = Lab(LOGIN)
    await lab.refused()
    await lab.refused(sent="Bearer T1")
    with pytest.raises(AccessDenied, match=r"r\.example refused a fresh token for repository:a/b:pull from auth\."):
        await lab.refused(sent="Bearer T2")
    for _ in range(1000):
        with pytest.raises(AccessDenied):
            await lab.auth.header(PULL)
    assert len(lab.asked) == 2


async def test_tokens_that_worked_may_each_end_early() -> None:
    lab = Lab()
    await lab.refused()
    for number in range(1, 6):
        lab.auth.accepted(PULL, sent=f"Bearer T{number}")
        assert await lab.refused(sent=f"Bearer T{number}") == f"Bearer T{number + 1}"


async def test_a_token_that_lacks_rights_is_not_saved_by_what_it_may_do() -> None:
    lab = Lab()
    short = f'{BEARER},error="insufficient_scope"'
    await lab.refused(PUSH)
    await lab.refused(PUSH, short, sent="Bearer T1")
    lab.auth.accepted(PUSH, sent="Bearer T2")
    with pytest.raises(AccessDenied):
        await lab.refused(PUSH, short, sent="Bearer T2")


async def test_a_token_renewed_in_time_starts_without_a_strike() -> None:
    lab = Lab()
    await lab.refused()
    await lab.refused(sent="Bearer T1")
    await lab.clock.advance(240)
    assert await lab.auth.header(PULL) == "Bearer T3"
    assert await lab.refused(sent="Bearer T3") == "Bearer T4"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_token_server_in_trouble_is_unavailable_and_asked_again_later(status: int) -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: TokenAnswer(status, b"") if number == 1 else granted(number)
    with pytest.raises(Unavailable, match=rf"auth\.example of r\.example answered {status}"):
        await lab.refused()
    assert await lab.auth.header(PULL) == "Bearer T2"


@pytest.mark.parametrize(
    "trouble", [TokenAnswer(200, b"<html>"), Unavailable("reset", retry_after=7.0), IntegrityError("too long")]
)
async def test_all_who_wait_fail_with_the_one_who_tried(trouble: TokenAnswer | RegsyncError) -> None:
    lab = Lab()
    lab.script = lambda _, __: trouble
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    lab.gate.clear()
    waiting = asyncio.gather(*(lab.auth.header(PULL) for _ in range(50)), return_exceptions=True)
    await settle()
    lab.gate.set()
    outcomes = await waiting
    assert {type(each) for each in outcomes} == {Unavailable}
    assert len({id(each) for each in outcomes}) == 50
    assert len(lab.asked) == 1
    if isinstance(trouble, Unavailable):
        assert {each.retry_after for each in outcomes if isinstance(each, Unavailable)} == {7.0}


async def test_an_identity_token_buys_tokens_by_post() -> None:
    lab = Lab(Credential(token="canary-identity"))
    assert await lab.refused() == "Bearer T1"
    assert [request.method for request in lab.asked] == ["POST"]
    assert b"refresh_token=canary-identity" in lab.asked[0].body


async def test_a_refused_identity_token_falls_through_to_the_password() -> None:
    lab = Lab(Credential("someone", "canary-password", "canary-identity"))
    lab.script = lambda request, number: TokenAnswer(500, b"") if request.method == "POST" else granted(number)
    assert await lab.refused() == "Bearer T2"
    assert lab.asked[1].headers["Authorization"] == BASIC_HEADER


@pytest.mark.parametrize(("status", "kind"), [(400, AccessDenied), (401, AccessDenied), (503, Unavailable)])
async def test_a_refused_identity_token_never_becomes_anonymous(status: int, kind: type[RegsyncError]) -> None:
    lab = Lab(Credential(token="canary-identity"))
    lab.script = lambda _, __: TokenAnswer(status, b"")
    with pytest.raises(kind):
        await lab.refused()
    assert [request.method for request in lab.asked] == ["POST"]


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_token_server_without_refresh_tokens_is_asked_by_get(status: int) -> None:
    lab = Lab(Credential(token="canary-identity"))
    lab.script = lambda request, number: TokenAnswer(status, b"") if request.method == "POST" else granted(number)
    assert await lab.refused() == "Bearer T2"


async def test_a_refresh_token_is_kept_for_the_next_scopes_until_it_is_refused() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda request, number: (
        TokenAnswer(401, b"") if request.method == "POST" and number > 2 else granted(number, refresh_token="REFRESH")
    )
    await lab.refused(PULL)
    assert await lab.auth.header((pull("c"),)) == "Bearer T2"
    assert await lab.auth.header((pull("d"),)) == "Bearer T4"
    assert [request.method for request in lab.asked] == ["GET", "POST", "POST", "GET"]


async def test_a_refresh_token_that_comes_late_is_not_shown_to_the_token_server_of_the_hour() -> None:
    lab = Lab()
    lab.script = lambda request, number: granted(number, refresh_token="REFRESH" if "other" not in request.url else "")
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    lab.gate.clear()
    buying = asyncio.ensure_future(lab.auth.header(PULL))
    await settle()
    other = BEARER.replace("auth.example", "other.example")
    await lab.auth.challenged((pull("c"),), [other], sent=None)
    lab.gate.set()
    assert await buying == "Bearer T1"
    assert await lab.auth.header((pull("d"),)) == "Bearer T2"
    assert [(request.method, request.url[:21]) for request in lab.asked] == [
        ("GET", "https://auth.example/"),
        ("GET", "https://other.example"),
    ]


async def test_a_refresh_token_is_not_shown_to_another_token_server() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: granted(number, refresh_token="REFRESH")
    await lab.refused(PULL)
    other = BEARER.replace("auth.example", "auth.other.example")
    await lab.refused((pull("c"),), other)
    assert [request.method for request in lab.asked] == ["GET", "GET"]
    assert lab.asked[1].url.startswith("https://auth.other.example/token?")
