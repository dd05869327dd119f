from __future__ import annotations

import asyncio

import pytest

from regsync.errors import AccessDenied, Unavailable
from regsync.registry.login.credentials import Credential
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, LOGIN, PULL, Lab


class Registry:
    """A registry that takes some headers and challenges all others; it answers when `gate` is open."""

    def __init__(self, lab: Lab, *, takes: set[str | None], challenge: str = BASIC) -> None:
        self.lab = lab
        self.takes = takes
        self.challenge = challenge
        self.seen: list[str | None] = []
        self.body = asyncio.Event()
        self.body.set()
        self.broken = 0

    async def ask(self) -> str | None:
        """Do what the transport does for one request; return the header that was taken."""
        for _ in range(3):
            async with self.lab.auth.trying(PULL) as sent:
                self.seen.append(sent)
                await asyncio.sleep(0)
                if self.broken:
                    self.broken -= 1
                    raise Unavailable("reset")
                if sent in self.takes:
                    self.lab.auth.accepted(PULL, sent=sent)
                    await self.body.wait()
                    return sent
                await self.lab.auth.challenged(PULL, [self.challenge], sent=sent)
        raise AssertionError("too many logins")


async def test_the_first_request_goes_alone_and_the_rest_log_in_at_once() -> None:
    registry = Registry(Lab(LOGIN), takes={BASIC_HEADER})
    assert set(await asyncio.gather(*(registry.ask() for _ in range(50)))) == {BASIC_HEADER}
    assert registry.seen.count(None) == 1


async def test_a_wrong_password_is_sent_once_for_fifty_requests() -> None:
    registry = Registry(Lab(LOGIN), takes=set())
    outcomes = await asyncio.gather(*(registry.ask() for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in outcomes} == {AccessDenied}
    assert registry.seen == [None, BASIC_HEADER]


async def test_a_fresh_token_that_is_refused_is_sent_once_more_and_not_fifty_times() -> None:
    registry = Registry(Lab(LOGIN), takes=set(), challenge=BEARER)
    await registry.lab.refused()
    await registry.lab.refused(sent="Bearer T1")
    outcomes = await asyncio.gather(*(registry.ask() for _ in range(50)), return_exceptions=True)
    assert {type(each) for each in outcomes} == {AccessDenied}
    assert registry.seen == ["Bearer T2"]


async def test_nobody_waits_for_the_body_of_the_first_answer() -> None:
    registry = Registry(Lab(), takes={None})
    registry.body.clear()
    asking = asyncio.gather(*(registry.ask() for _ in range(3)))
    await settle()
    assert registry.seen == [None, None, None]
    registry.body.set()
    await asking


async def test_when_no_answer_comes_the_others_go_on_together_and_not_one_after_another() -> None:
    registry = Registry(Lab(LOGIN), takes={None})
    registry.broken = 3
    asking = [asyncio.ensure_future(registry.ask()) for _ in range(5)]
    cancelled = asyncio.ensure_future(registry.ask())
    await asyncio.sleep(0)
    cancelled.cancel()
    registry.body.clear()
    await settle()
    assert registry.seen == [None] * 5
    registry.body.set()
    outcomes = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(each) for each in outcomes] == [Unavailable, Unavailable, Unavailable, type(None), type(None)]


async def test_a_helper_that_fails_is_heard_of_in_one_request_for_fifty() -> None:
    class NoLogin:
        async def get(self) -> Credential | None:
            raise AccessDenied("the helper is broken")

        async def instead_of(self, refused: Credential) -> Credential | None:
            return None

    lab = Lab(LOGIN)
    lab.auth = lab.authenticator(NoLogin())
    registry = Registry(lab, takes=set())
    outcomes = await asyncio.gather(*(registry.ask() for _ in range(50)), return_exceptions=True)
    assert {str(each) for each in outcomes} == {"the helper is broken"}
    assert registry.seen == [None]
    await lab.clock.advance(5)
    with pytest.raises(AccessDenied):
        await registry.ask()
    assert registry.seen == [None, None]


async def test_a_trial_cancelled_in_its_middle_is_over() -> None:
    lab = Lab(LOGIN)
    entered = asyncio.Event()

    async def hang() -> None:
        async with lab.auth.trying(PULL):
            entered.set()
            await asyncio.Event().wait()

    hanging = asyncio.ensure_future(hang())
    await entered.wait()
    waiting = asyncio.ensure_future(Registry(lab, takes={None}).ask())
    await settle()
    assert not waiting.done()
    hanging.cancel()
    assert await waiting is None
    with pytest.raises(asyncio.CancelledError):
        await hanging
