"""Logins for a part of a registry."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import AccessDenied
from regsync.registry.host import HostSettings, LoginBelow
from regsync.registry.login.auth import Authenticator
from regsync.registry.login.credentials import Credential, credentials_of
from regsync.registry.login.doors import Doors
from regsync.registry.login.scope import CATALOGUE, Scopes
from regsync.registry.login.token import TokenAnswer, TokenRequest, basic_header
from regsync.secrets import Secrets
from tests.support.clock import FakeClock
from tests.unit.registry.login.auth_lab import BASIC, HOST, pull, push

WHOLE = HOST.with_login(user="whole", password="p")
BELOW = (LoginBelow("team", "team", "p"), LoginBelow("team/app", "app", "p"))


async def nowhere(_: TokenRequest) -> TokenAnswer:
    raise AssertionError("nobody sells tokens here")


def doors(host: HostSettings) -> Doors:
    def knowing(login: HostSettings) -> Authenticator:
        clock, secrets = FakeClock(), Secrets()
        source = credentials_of(login, clock=clock, environ={}, secrets=secrets)
        return Authenticator(
            login, source, nowhere, user_agent="t", clock=clock, secrets=secrets, local_realms=lambda: False
        )

    return Doors(host, knowing)


async def sent(host: HostSettings, scopes: Scopes) -> str | None:
    auth = doors(host).of(scopes)
    await auth.challenged(scopes, [BASIC], sent=None)
    return await auth.header(scopes)


@pytest.mark.parametrize(
    ("path", "user"),
    [
        *(("team/app", "app"), ("team/app/deep", "app"), ("team/other", "team"), ("team", "team")),
        *(("team/application", "team"), ("teams/app", "whole"), ("other", "whole"), ("a/team/app", "whole")),
    ],
)
async def test_the_login_of_the_longest_path_is_used(path: str, user: str) -> None:
    for below in (BELOW, BELOW[::-1]):
        header = await sent(replace(WHOLE, below=below), (pull(path),))
        assert header == basic_header(Credential(user, "p"))


async def test_a_mount_goes_with_the_login_of_the_target() -> None:
    header = await sent(replace(WHOLE, below=BELOW), (push("team/other"), pull("team/app")))
    assert header == basic_header(Credential("team", "p"))


async def test_the_catalogue_is_not_below_any_path() -> None:
    host = replace(HOST, below=(LoginBelow("catalog", "u", "p"),))
    with pytest.raises(AccessDenied, match="none are configured"):
        await sent(host, (CATALOGUE,))


async def test_what_lies_beside_the_path_stays_without_its_login() -> None:
    host = replace(HOST, below=BELOW)
    with pytest.raises(AccessDenied, match="none are configured"):
        await sent(host, (pull("other/app"),))
