"""A registry that offers several ways to log in: each one is tried, the stronger first, and none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from regsync.errors import AccessDenied, Refused, RegsyncError, Unavailable
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scopes
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, LOGIN, PULL, Lab, pull

UNSAFE = 'Bearer realm="https://169.254.169.254/canary?canary"'
REPOSITORIES: list[Scopes] = [(pull(f"team/app{number}"),) for number in range(30)]
BOTH = [
    (BASIC, BEARER),
    (f"{BEARER}, {BASIC}",),
    ("Negotiate", f"NTLM TlRMTVNT=, BASIC realm=x, {BEARER}", 'Digest realm="a, b", qop="auth,auth-int"'),
]


async def run(
    lab: Lab, scopes: Scopes, offers: tuple[str, ...], *, takes: Callable[[str | None], bool], seen: list[str | None]
) -> str | None:
    """Do what the transport does at a registry that offers these ways and takes some headers."""
    for _ in range(5):
        async with lab.auth.trying(scopes) as sent:
            seen.append(sent)
            await asyncio.sleep(0)
            if takes(sent):
                lab.auth.accepted(scopes, sent=sent)
                return sent
            await lab.auth.challenged(scopes, offers, sent=sent)
    raise AssertionError("too many logins")


def only_basic(sent: str | None) -> bool:
    return sent == BASIC_HEADER


@pytest.mark.parametrize("offers", BOTH)
async def test_a_token_is_tried_first_wherever_it_is_offered(offers: tuple[str, ...]) -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    assert await run(lab, PULL, offers, takes=lambda sent: sent == "Bearer T1", seen=seen) == "Bearer T1"
    assert seen == [None, "Bearer T1"]


@pytest.mark.parametrize("offers", BOTH)
async def test_a_password_is_tried_where_tokens_are_refused(offers: tuple[str, ...]) -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    assert await run(lab, PULL, offers, takes=only_basic, seen=seen) == BASIC_HEADER
    assert seen == [None, "Bearer T1", "Bearer T2", BASIC_HEADER]
    assert await run(lab, (pull("other"),), offers, takes=only_basic, seen=seen) == BASIC_HEADER
    assert len(seen) == 5


@pytest.mark.parametrize(
    "trouble", [TokenAnswer(401, b""), TokenAnswer(403, b""), TokenAnswer(404, b""), Unavailable("x"), Refused("x")]
)
async def test_a_password_is_tried_where_no_token_is_to_be_had(trouble: TokenAnswer | RegsyncError) -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    lab.script = lambda _, __: trouble
    assert await run(lab, PULL, BOTH[0], takes=only_basic, seen=seen) == BASIC_HEADER
    assert seen == [None, BASIC_HEADER]
    assert len(lab.asked) == 1


async def test_a_password_is_tried_where_the_token_server_is_none_that_may_see_one_and_that_is_told_once() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    for scopes in (PULL, (pull("c"),)):
        assert await run(lab, scopes, (UNSAFE, BASIC), takes=only_basic, seen=seen) == BASIC_HEADER
    assert lab.asked == []
    (told,) = lab.warned
    assert told.startswith("it offers tokens that are not to be had, and user and password are used: r.example sends")
    assert "canary" not in told.replace("/canary", "")


async def test_of_two_token_servers_the_one_that_may_see_a_login_is_asked() -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PULL, f"{UNSAFE}, {BEARER}") == "Bearer T1"
    assert lab.asked[0].url.startswith("https://auth.example/token?")


async def test_a_password_that_is_refused_gives_way_to_a_token_that_is_offered_beside() -> None:
    lab = Lab(LOGIN)
    await lab.refused(PULL, BASIC)
    assert await lab.refused(PULL, BASIC, BEARER, sent=BASIC_HEADER) == "Bearer T1"


async def test_where_every_way_is_refused_none_is_tried_twice_for_thirty_repositories() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    lab.script = lambda _, __: TokenAnswer(401, b"")
    results = await asyncio.gather(
        *(run(lab, each, BOTH[0], takes=lambda _: False, seen=seen) for each in REPOSITORIES), return_exceptions=True
    )
    assert {str(each) for each in results} == {
        "r.example refused the user name and password; check its entry in creds or the docker config"
    }
    assert seen == [None, BASIC_HEADER]
    assert len(lab.asked) == 1


async def test_where_tokens_are_not_to_be_had_thirty_repositories_go_on_with_one_password() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    lab.script = lambda _, __: TokenAnswer(401, b"")
    results = await asyncio.gather(*(run(lab, each, BOTH[0], takes=only_basic, seen=seen) for each in REPOSITORIES))
    assert set(results) == {BASIC_HEADER}
    assert len(lab.asked) == 1


@pytest.mark.parametrize("login", [None, Credential(token="canary-identity"), Credential("user-alone")])
async def test_whoever_has_no_password_gets_the_token_servers_refusal(login: Credential | None) -> None:
    lab = Lab(login)
    lab.script = lambda _, __: TokenAnswer(403, b"")
    with pytest.raises(AccessDenied, match="the token server"):
        await lab.refused(PULL, *BOTH[0])


async def test_a_token_server_named_in_plain_http_at_the_registry_itself_is_told_once() -> None:
    lab = Lab(LOGIN)
    for scopes in (PULL, (pull("c"),)):
        await lab.auth.challenged(scopes, ['Bearer realm="HTTP://r.example/token"'], sent=None)
    await lab.auth.header(PULL)
    assert lab.asked[0].url.startswith("https://r.example/token?")
    assert set(lab.warned) == {"it names its token server in plain http, and that is asked in https"}


async def test_a_realm_with_blanks_around_it_is_one() -> None:
    lab = Lab(LOGIN)
    assert await lab.refused(PULL, 'Bearer realm=" https://auth.example/token "') == "Bearer T1"
