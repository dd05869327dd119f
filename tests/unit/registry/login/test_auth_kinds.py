"""Tokens that stand in the configuration, and token servers that want logins in their own way."""

from __future__ import annotations

import pytest

from regsync.errors import AccessDenied, RegsyncError
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scopes
from regsync.registry.login.token import basic_header
from tests.unit.registry.login.auth_lab import BEARER, LOGIN, Lab, granted, pull

ONE: Scopes = (pull("team/app1"),)
TWO: Scopes = (pull("team/app2"),)


async def bearing(credential: Credential | None) -> Lab:
    """A lab whose registry is known to want tokens."""
    lab = Lab(credential)
    await lab.auth.challenged(ONE, [BEARER], sent=None)
    return lab


@pytest.mark.parametrize("status", [404, 405, 501])
@pytest.mark.parametrize(("user", "shown"), [("", "<token>"), ("0000", "0000")])
async def test_an_identity_token_is_shown_as_a_password_where_forms_are_not_known(
    user: str, shown: str, status: int
) -> None:
    lab = await bearing(Credential(user, token="canary-identity"))
    basic = basic_header(Credential(shown, "canary-identity"))
    lab.script = lambda request, number: (
        granted(number) if request.headers.get("Authorization") == basic else TokenAnswer(status, b"")
    )
    assert await lab.auth.header(ONE) == "Bearer T2"
    assert [request.method for request in lab.asked] == ["POST", "GET"]


async def test_an_identity_token_that_is_refused_as_a_password_does_not_become_anonymous() -> None:
    lab = await bearing(Credential(token="canary-identity"))
    lab.script = lambda request, _: TokenAnswer(404 if request.method == "POST" else 401, b"")
    for scopes in (ONE, TWO):
        with pytest.raises(AccessDenied, match=r"refused the login \(401\)"):
            await lab.auth.header(scopes)
    assert all(request.shows_login for request in lab.asked)
    assert len(lab.asked) == 2


@pytest.mark.parametrize("status", [405, 501])
async def test_a_password_goes_in_a_form_where_the_token_server_takes_nothing_else(status: int) -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda request, number: granted(number) if request.method == "POST" else TokenAnswer(status, b"")
    assert await lab.auth.header(ONE) == "Bearer T2"
    assert b"grant_type=password" in lab.asked[1].body

    lab = await bearing(None)
    lab.script = lambda _, __: TokenAnswer(status, b"")
    with pytest.raises(RegsyncError, match=f"answered {status}"):
        await lab.auth.header(ONE)
    assert [request.method for request in lab.asked] == ["GET"]


@pytest.mark.parametrize("line", [BEARER, "Bearer", 'Bearer realm="http://169.254.169.254/t"'])
async def test_a_token_for_the_registry_itself_is_shown_as_it_is_and_no_token_server_is_asked(line: str) -> None:
    lab = Lab(Credential(registry_token="canary-bought"))
    assert await lab.refused(ONE, line) == "Bearer canary-bought"
    lab.auth.accepted(ONE, sent="Bearer canary-bought")
    await lab.clock.advance(7200)
    assert await lab.auth.header(ONE) == await lab.auth.header(TWO) == "Bearer canary-bought"
    assert lab.asked == []


async def test_a_token_for_the_registry_itself_that_is_refused_is_one_clear_line() -> None:
    lab = Lab(Credential(registry_token="canary-bought"))
    await lab.refused(ONE)
    await lab.refused(ONE, sent="Bearer canary-bought")
    with pytest.raises(AccessDenied) as caught:
        await lab.refused(ONE, sent="Bearer canary-bought")
    assert str(caught.value) == "r.example refused the registrytoken; check its entry in creds or the docker config"
