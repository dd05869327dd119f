"""Registries that answer 403 where others say 401: a login is tried if there is one that was not, and nothing else."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied, Forbidden
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scopes
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, LOGIN, PULL, PUSH, Lab

OVER = f'{BEARER},error="invalid_token"'
NEW = replace(LOGIN, password="canary-new-password")
NEW_HEADER = "Basic c29tZW9uZTpjYW5hcnktbmV3LXBhc3N3b3Jk"


@pytest.mark.parametrize(
    ("credential", "line", "header"),
    [
        (None, BEARER, "Bearer T1"),
        (LOGIN, BEARER, "Bearer T1"),
        (LOGIN, BASIC, BASIC_HEADER),
        (Credential(token="ID"), f"{BASIC}, {BEARER}", "Bearer T1"),
    ],
)
async def test_whoever_sent_nothing_logs_in(credential: Credential | None, line: str, header: str) -> None:
    lab = Lab(credential)
    assert await lab.auth.doubted(PULL, [line], sent=None)
    assert await lab.refused(PULL, line) == header


@pytest.mark.parametrize(("credential", "line"), [(None, BASIC), (LOGIN, "Negotiate"), (LOGIN, 'Basic "')])
async def test_whoever_has_no_login_to_try_is_forbidden(credential: Credential | None, line: str) -> None:
    lab = Lab(credential)
    assert not await lab.auth.doubted(PULL, [line], sent=None)
    assert lab.asked == []


async def test_a_token_that_is_said_to_be_over_is_bought_anew_once() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL)
    lab.auth.accepted(PULL, sent="Bearer T1")
    assert await lab.auth.doubted(PULL, [OVER], sent="Bearer T1")
    assert await lab.refused(PULL, OVER, sent="Bearer T1") == "Bearer T2"
    assert not await lab.auth.doubted(PULL, [OVER], sent="Bearer T2")
    assert await lab.auth.header(PULL) == "Bearer T2"


@pytest.mark.parametrize("line", [BEARER, f'{BEARER},error="insufficient_scope"'])
async def test_a_token_that_lacks_rights_is_not_bought_anew(line: str) -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL)
    assert not await lab.auth.doubted(PULL, [line], sent="Bearer T1")
    assert await lab.auth.header(PULL) == "Bearer T1"
    assert len(lab.asked) == 1


async def test_a_password_that_was_changed_is_asked_for_and_one_that_was_not_lacks_rights() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    assert not await lab.auth.doubted(PULL, [BASIC], sent=BASIC_HEADER)
    assert await lab.auth.header(PULL) == BASIC_HEADER
    lab.source.following = [NEW]
    assert await lab.auth.doubted(PULL, [BASIC], sent=BASIC_HEADER)
    assert await lab.refused(PULL, BASIC, sent=BASIC_HEADER) == NEW_HEADER


async def test_a_token_to_push_that_may_not_read_is_used_to_push_all_the_same() -> None:
    lab, short = Lab(LOGIN), f'{BEARER},error="insufficient_scope"'
    await lab.refused(PUSH)
    await lab.auth.challenged(PUSH, [short], sent="Bearer T1", looking=True)
    assert await lab.auth.header(PUSH) == "Bearer T2"
    for _ in range(9):
        with pytest.raises(Forbidden, match="refused a fresh token for repository:a/b:pull,push"):
            await lab.auth.challenged(PUSH, [short], sent="Bearer T2", looking=True)
        assert await lab.auth.header(PUSH) == "Bearer T2"
        lab.auth.accepted(PUSH, sent="Bearer T2")
    assert len(lab.asked) == 2


async def test_a_token_that_may_not_read_is_tried_alone_until_it_has_pushed_and_by_all_then() -> None:
    lab, short = Lab(LOGIN), f'{BEARER},error="insufficient_scope"'
    await lab.refused(PUSH)
    await lab.auth.challenged(PUSH, [short], sent="Bearer T1", looking=True)

    async def sent_beside() -> str | None:
        async with lab.auth.trying(PUSH) as sent:
            return sent

    async with lab.auth.trying(PUSH):
        second = asyncio.create_task(sent_beside())
        await settle()
        assert not second.done()
        lab.auth.accepted(PUSH, sent="Bearer T2")
    assert await second == "Bearer T2"
    async with lab.auth.trying(PUSH):
        third = asyncio.create_task(sent_beside())
        await settle()
        assert third.done()


async def test_a_token_to_push_that_may_not_push_is_refused_for_good() -> None:
    lab, short = Lab(LOGIN), f'{BEARER},error="insufficient_scope"'
    await lab.refused(PUSH)
    await lab.refused(PUSH, short, sent="Bearer T1")
    for _ in range(2):
        with pytest.raises(Forbidden):
            await lab.refused(PUSH, short, sent="Bearer T2")
        with pytest.raises(Forbidden):
            await lab.auth.header(PUSH)


@pytest.mark.parametrize(("scopes", "error"), [(PULL, "insufficient_scope"), (PUSH, "invalid_token"), (PUSH, "")])
async def test_a_token_that_lacks_more_than_the_right_to_read_is_refused_to_whoever_looks(
    scopes: Scopes, error: str
) -> None:
    lab, line = Lab(LOGIN), f'{BEARER},error="{error}"'
    await lab.refused(scopes)
    await lab.auth.challenged(scopes, [line], sent="Bearer T1", looking=True)
    assert await lab.auth.header(scopes) == "Bearer T2"
    with pytest.raises(AccessDenied) as caught:
        await lab.auth.challenged(scopes, [line], sent="Bearer T2", looking=True)
    assert not isinstance(caught.value, Forbidden)
    with pytest.raises(AccessDenied):
        await lab.auth.header(scopes)
