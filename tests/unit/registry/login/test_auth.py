from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import AccessDenied, Refused, RegsyncError
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, HOST, LOGIN, PULL, PUSH, Lab, granted, pull


async def test_nothing_is_sent_before_anybody_asks() -> None:
    lab = Lab(LOGIN)
    assert await lab.auth.header(PULL) is None
    assert lab.asked == []


async def test_a_basic_challenge_gets_user_and_password_from_then_on() -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PULL, BASIC) == BASIC_HEADER
    assert await lab.auth.header((pull("other"),)) == BASIC_HEADER
    assert lab.asked == []


async def test_a_token_is_preferred_to_a_password_and_goes_without_one() -> None:
    assert await Lab(LOGIN).refused(PULL, BASIC, BEARER) == "Bearer T1"
    assert await Lab(None).refused(PULL, BEARER, BASIC) == "Bearer T1"
    assert await Lab(Credential(token="ID")).refused(PULL, f"{BASIC}, {BEARER}") == "Bearer T1"


async def test_refused_basic_is_one_clear_line_and_no_request_more() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    with pytest.raises(AccessDenied) as caught:
        await lab.refused(PULL, BASIC, "Negotiate", sent=BASIC_HEADER)
    assert str(caught.value) == (
        "r.example refused the user name and password; check its entry in creds or the docker config"
    )
    for scopes in (PULL, PUSH, ()):
        with pytest.raises(AccessDenied, match="refused the user name and password;"):
            await lab.auth.header(scopes)


@pytest.mark.parametrize("status", [401, 403, 400, 404, 302])
async def test_a_token_server_that_refuses_is_asked_once_for_a_thousand_tags(status: int) -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, __: TokenAnswer(status, b"canary-password")
    await lab.auth.challenged(PULL, [BEARER], sent=None)
    outcomes = await asyncio.gather(*(lab.auth.header(PULL) for _ in range(1000)), return_exceptions=True)
    assert {type(each) for each in outcomes} == {AccessDenied}
    assert len({str(each) for each in outcomes}) == 1
    assert "auth.example of r.example" in str(outcomes[0])
    assert str(status) in str(outcomes[0])
    assert len(lab.asked) == 1


async def test_a_refusal_is_over_after_a_minute() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: TokenAnswer(401, b"") if number == 1 else granted(number)
    with pytest.raises(AccessDenied):
        await lab.refused()
    await lab.clock.advance(59)
    with pytest.raises(AccessDenied):
        await lab.auth.header(PULL)
    await lab.clock.advance(1)
    assert await lab.auth.header(PULL) == "Bearer T2"


@pytest.mark.parametrize(
    ("credential", "line", "why"),
    [
        (None, BASIC, "wants a user name and password for repository:a/b:pull and none are configured"),
        (Credential("u"), BASIC, "none are configured"),
        (LOGIN, "Negotiate", r"offers no login we know \(it offers negotiate\)"),
        (LOGIN, " ", r"offers no login we know \(it offers nothing\)"),
        (LOGIN, 'Bearer service="x"', "does not say from where"),
        (LOGIN, 'Bearer "x"', "how cannot be read"),
    ],
)
async def test_a_challenge_that_cannot_be_met_is_access_denied(credential: Credential, line: str, why: str) -> None:
    lab = Lab(credential)
    with pytest.raises(AccessDenied, match=why):
        await lab.refused(PULL, line)
    with pytest.raises(AccessDenied, match=why):
        await lab.auth.header(PULL)
    assert lab.asked == []


@pytest.mark.parametrize("realm", ["http://auth.example/t", "https://127.0.0.1/t", "https://u:p@auth.example/t"])
async def test_no_login_goes_to_an_unsafe_realm(realm: str) -> None:
    lab = Lab(LOGIN)
    with pytest.raises(Refused):
        await lab.refused(PULL, f'Bearer realm="{realm}"')
    with pytest.raises(Refused):
        await lab.auth.header(PULL)
    assert lab.asked == []


async def test_repo_auth_keeps_repositories_apart() -> None:
    lab = Lab(LOGIN, host=replace(HOST, repo_auth=True))
    assert await lab.refused(PULL) == "Bearer T1"
    other = (pull("other/c"),)
    assert await lab.auth.header(other) is None
    assert await lab.refused(other, BASIC) == BASIC_HEADER
    assert await lab.auth.header(PULL) == "Bearer T1"
    assert await lab.auth.header(()) is None


async def test_a_password_that_was_changed_meanwhile_is_tried() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    assert await lab.refused(PULL, BASIC, sent="Basic b2xkOm9sZA==") == BASIC_HEADER


async def test_no_error_and_no_repr_shows_a_secret() -> None:
    lab = Lab(replace(LOGIN, token="canary-identity"))
    shown: list[str] = []
    for status in (200, 400, 401, 403, 429, 500):
        lab.script = lambda _, __, status=status: TokenAnswer(status, b"canary-token")  # type: ignore[misc]  # a default cannot be inferred here
        await lab.clock.advance(60)
        with pytest.raises(RegsyncError) as caught:
            await lab.refused()
        shown += [repr(caught.value), str(caught.value), repr(lab.asked[-1]), repr(list(lab.auth._areas))]
    assert "token" in " ".join(shown)
    assert "canary" not in " ".join(shown)
    assert BASIC_HEADER not in " ".join(shown)


async def test_tokens_are_known_to_be_secret() -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: granted(number, token="canary-token", refresh_token="canary-refresh")
    await lab.refused()
    assert lab.secrets.clean("canary-token, canary-refresh") == "[censored], [censored]"


@given(st.lists(st.text(max_size=80) | st.text('BasicBearer realm="https:/x,', max_size=80), max_size=3))
async def test_no_challenge_raises_anything_but_a_refusal(lines: list[str]) -> None:
    lab = Lab(LOGIN)
    try:
        await lab.auth.challenged(PULL, lines, sent=None)
    except (AccessDenied, Refused):
        return
