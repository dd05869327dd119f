"""A password may be changed while we run: a helper that has the new one is asked when the old one is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, LOGIN, PULL, Lab, granted, pull

NEW = replace(LOGIN, password="canary-new-password")
NEW_HEADER = "Basic c29tZW9uZTpjYW5hcnktbmV3LXBhc3N3b3Jk"


async def test_a_changed_password_is_asked_for_when_the_old_one_is_refused_and_sent_at_once() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    lab.auth.accepted(PULL, sent=BASIC_HEADER)
    lab.source.following = [NEW]
    assert await lab.refused(PULL, BASIC, sent=BASIC_HEADER) == NEW_HEADER
    for _ in range(20):
        assert await lab.refused((pull("c"),), BASIC, sent=BASIC_HEADER) == NEW_HEADER  # those that were under way
    assert lab.source.doubted == 1


async def test_a_password_that_was_not_changed_stays_refused() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    for _ in range(2):
        with pytest.raises(AccessDenied, match="refused the user name and password"):
            await lab.refused(PULL, BASIC, sent=BASIC_HEADER)
    with pytest.raises(AccessDenied):
        await lab.auth.header((pull("c"),))
    assert lab.source.doubted == 2


async def test_a_changed_password_that_is_refused_too_ends_it() -> None:
    lab = Lab(LOGIN)
    lab.source.following = [NEW]
    await lab.refused(PULL, BASIC)
    await lab.refused(PULL, BASIC, sent=BASIC_HEADER)
    with pytest.raises(AccessDenied):
        await lab.refused(PULL, BASIC, sent=NEW_HEADER)


async def test_a_registry_that_turns_to_tokens_has_not_refused_the_password() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    assert await lab.refused(PULL, BEARER, sent=BASIC_HEADER) == "Bearer T1"
    assert lab.source.doubted == 0


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("worked", [True, False])
async def test_a_password_a_token_server_refuses_is_asked_for_once_more(status: int, *, worked: bool) -> None:
    lab = Lab(LOGIN)
    if worked:
        await lab.refused((pull("c"),))
    lab.source.following = [NEW]
    lab.script = lambda request, number: (
        granted(number) if request.headers["Authorization"] == NEW_HEADER else TokenAnswer(status, b"")
    )
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    every = [PULL, *((pull(f"r{number}"),) for number in range(20))]
    answers = await asyncio.gather(*map(lab.auth.header, every))
    assert {str(each)[:8] for each in answers} == {"Bearer T"}
    assert lab.source.doubted == 1


@pytest.mark.parametrize("status", [400, 401])
async def test_an_identity_token_that_was_changed_is_asked_for_once_more(status: int) -> None:
    lab = Lab(Credential(token="canary-old"))
    lab.source.following = [Credential(token="canary-new")]
    lab.script = lambda request, number: (
        granted(number) if b"canary-new" in request.body else TokenAnswer(status, b"{}")
    )
    assert await lab.refused() == "Bearer T2"
    assert [request.method for request in lab.asked] == ["POST", "POST"]


async def test_a_login_that_stays_refused_at_the_token_server_is_shown_once() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, __: TokenAnswer(401, b"")
    with pytest.raises(AccessDenied):
        await lab.refused()
    with pytest.raises(AccessDenied):
        await lab.auth.header((pull("c"),))
    assert len(lab.asked) == lab.source.doubted == 1


async def test_nobody_without_a_login_asks_for_another() -> None:
    lab = Lab(None)
    lab.script = lambda _, __: TokenAnswer(401, b"")
    with pytest.raises(AccessDenied):
        await lab.refused()
    assert lab.source.doubted == 0
