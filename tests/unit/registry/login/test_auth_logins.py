"""A login that is refused is shown once, whatever is asked for: each failed one brings an account nearer its lock."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied, RegsyncError, Unavailable
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scopes
from tests.support.clock import settle
from tests.unit.registry.login.auth_lab import BASIC, BASIC_HEADER, BEARER, HOST, LOGIN, PULL, Lab, granted, pull

REPOSITORIES: list[Scopes] = [(pull(f"team/app{number}"),) for number in range(30)]
ONE, TWO, THREE, FOUR, *_ = REPOSITORIES
NEW = replace(LOGIN, password="canary-new-password")
NEW_HEADER = "Basic c29tZW9uZTpjYW5hcnktbmV3LXBhc3N3b3Jk"
WAYS = [LOGIN, Credential(token="canary-identity"), replace(LOGIN, token="canary-identity")]


async def ask(lab: Lab, scopes: Scopes, seen: list[str | None], *, takes: str | None = "") -> str | None:
    """Do what the transport does at a registry that takes one header only, and wants Basic."""
    for _ in range(3):
        async with lab.auth.trying(scopes) as sent:
            seen.append(sent)
            await asyncio.sleep(0)
            if sent == takes:
                lab.auth.accepted(scopes, sent=sent)
                return sent
            await lab.auth.challenged(scopes, [BASIC], sent=sent)
    raise AssertionError("too many logins")


async def bearing(credential: Credential | None, *, repo_auth: bool = False) -> Lab:
    """A lab whose registry is known to want tokens."""
    lab = Lab(credential, host=replace(HOST, repo_auth=repo_auth))
    for scopes in REPOSITORIES if repo_auth else [PULL]:
        await lab.auth.challenged(scopes, [BEARER], sent=None)
    return lab


async def buy(lab: Lab, *every: Scopes) -> list[str | BaseException | None]:
    return await asyncio.gather(*(lab.auth.header(scopes) for scopes in every), return_exceptions=True)


def outcomes(results: list[str | BaseException | None]) -> set[str]:
    return {str(each) if isinstance(each, RegsyncError) else repr(each) for each in results}


async def test_a_wrong_password_is_sent_once_for_thirty_repositories() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    results = await asyncio.gather(*(ask(lab, each, seen) for each in REPOSITORIES), return_exceptions=True)
    expected = "r.example refused the user name and password; check its entry in creds or the docker config"
    assert outcomes(results) == {expected}
    assert seen == [None, BASIC_HEADER]


@pytest.mark.parametrize("line", ["Negotiate", " ", 'Bearer "x"'])
async def test_a_password_refused_without_a_word_about_passwords_is_not_sent_again(line: str) -> None:
    lab = Lab(LOGIN)
    await lab.refused(ONE, BASIC)
    with pytest.raises(AccessDenied):
        await lab.auth.challenged(ONE, [line], sent=BASIC_HEADER)
    with pytest.raises(AccessDenied):
        await lab.auth.header(TWO)


@pytest.mark.parametrize("credential", WAYS)
async def test_a_wrong_login_is_shown_to_the_token_server_once_for_thirty_repositories(credential: Credential) -> None:
    lab = await bearing(credential)
    lab.script = lambda _, __: TokenAnswer(401, b"")
    results = await buy(lab, *REPOSITORIES)
    assert len(outcomes(results)) == 1
    assert str(results[0]).startswith("the token server auth.example of r.example refused the login (401); check")
    assert len(lab.asked) == (2 if credential.basic and credential.token else 1)


async def test_a_refused_login_is_tried_again_after_a_minute_and_once_more_only() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    await asyncio.gather(*(ask(lab, each, seen) for each in REPOSITORIES), return_exceptions=True)
    await lab.clock.advance(59)
    with pytest.raises(AccessDenied):
        await ask(lab, TWO, seen)
    assert len(seen) == 2
    await lab.clock.advance(1)
    await asyncio.gather(*(ask(lab, each, seen) for each in REPOSITORIES), return_exceptions=True)
    assert seen == [None, BASIC_HEADER, BASIC_HEADER]


async def test_a_refused_token_login_is_tried_again_after_a_minute() -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda _, number: TokenAnswer(401, b"") if number == 1 else granted(number)
    await buy(lab, *REPOSITORIES)
    await lab.clock.advance(60)
    assert await lab.auth.header(TWO) == "Bearer T2"


async def test_a_changed_login_is_tried_at_once_even_for_the_same_repository() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    with pytest.raises(AccessDenied):
        await ask(lab, ONE, seen)
    lab.source.credential = NEW
    assert await ask(lab, ONE, seen, takes=NEW_HEADER) == NEW_HEADER
    assert await ask(lab, TWO, seen, takes=NEW_HEADER) == NEW_HEADER

    lab = await bearing(LOGIN)
    lab.script = lambda request, number: (
        granted(number) if request.headers["Authorization"] == NEW_HEADER else TokenAnswer(401, b"")
    )
    with pytest.raises(AccessDenied):
        await lab.auth.header(ONE)
    lab.source.credential = NEW
    assert await buy(lab, ONE, TWO) == ["Bearer T2", "Bearer T3"]


async def test_what_a_token_server_forbids_is_forbidden_for_those_scopes() -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda _, number: TokenAnswer(403, b"") if number == 1 else granted(number)
    with pytest.raises(AccessDenied, match=r"refused the login for repository:team/app0:pull \(403\)"):
        await lab.auth.header(ONE)
    assert await lab.auth.header(TWO) == "Bearer T2"
    with pytest.raises(AccessDenied):
        await lab.auth.header(ONE)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, b'{"details":"incorrect username or password"}', "401 incorrect username or password"),
        (403, b'{"errors":[{"code":"DENIED","message":"access forbidden"}]}', "403 DENIED access forbidden"),
        (400, b'{"error":"invalid_scope","error_description":"no such namespace"}', "400 no such namespace"),
        (402, b'{"message":"over quota"}', "402 over quota"),
        (404, b"a page, or a token", "404 for"),
    ],
)
async def test_what_a_token_server_says_when_it_says_no_is_told(status: int, body: bytes, said: str) -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda _, __: TokenAnswer(status, body)
    with pytest.raises(AccessDenied) as refusal:
        await lab.auth.header(ONE)
    assert said in str(refusal.value)


async def test_whoever_has_no_login_is_told_that_one_is_wanted() -> None:
    lab = await bearing(None)
    lab.script = lambda _, __: TokenAnswer(401, b"")
    with pytest.raises(AccessDenied, match=r"gives nobody a token without a login, and none is configured,"):
        await lab.auth.header(ONE)


@pytest.mark.parametrize("status", [201, 203])
async def test_every_success_of_a_token_server_is_one(status: int) -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda _, number: TokenAnswer(status, granted(number).body)
    assert await lab.auth.header(ONE) == "Bearer T1"


async def test_nobody_without_a_login_has_one_refused() -> None:
    lab = await bearing(None)
    lab.script = lambda _, number: TokenAnswer(401, b"") if number == 1 else granted(number)
    with pytest.raises(AccessDenied, match="for repository:team/app0:pull"):
        await lab.auth.header(ONE)
    assert await lab.auth.header(TWO) == "Bearer T2"


async def test_repo_auth_keeps_refused_logins_apart() -> None:
    lab = await bearing(LOGIN, repo_auth=True)
    lab.script = lambda _, number: TokenAnswer(401, b"") if number == 1 else granted(number)
    with pytest.raises(AccessDenied):
        await lab.auth.header(ONE)
    assert await lab.auth.header(TWO) == "Bearer T2"


async def test_a_login_that_was_good_survives_a_repository_it_may_not_see() -> None:
    """Some registries answer 401 there and mean 403."""
    lab, seen = Lab(LOGIN), list[str | None]()
    for _ in range(5):
        await ask(lab, ONE, seen, takes=BASIC_HEADER)
        with pytest.raises(AccessDenied, match="password for repository:team/app1:pull;"):
            await ask(lab, TWO, seen)
        await lab.clock.advance(60)

    lab = await bearing(LOGIN)
    lab.script = lambda request, number: TokenAnswer(401, b"") if "app1" in request.url else granted(number)
    await lab.auth.header(ONE)
    with pytest.raises(AccessDenied, match=r"login for repository:team/app1:pull \(401\)"):
        await lab.auth.header(TWO)
    assert await lab.auth.header(THREE) == "Bearer T3"


async def test_a_login_that_was_good_is_given_up_when_three_in_a_row_are_refused() -> None:
    lab, seen = Lab(LOGIN), list[str | None]()
    await ask(lab, ONE, seen, takes=BASIC_HEADER)
    del seen[:]
    await asyncio.gather(*(ask(lab, each, seen) for each in REPOSITORIES), return_exceptions=True)
    assert len(seen) <= len(REPOSITORIES)  # those under way
    await lab.clock.advance(30)
    del seen[:]
    await asyncio.gather(*(ask(lab, each, seen) for each in REPOSITORIES), return_exceptions=True)
    assert seen == []

    lab = await bearing(LOGIN)
    lab.script = lambda _, number: granted(number) if number == 1 else TokenAnswer(401, b"")
    await lab.auth.header(ONE)
    for each in REPOSITORIES[1:]:
        with pytest.raises(AccessDenied):
            await lab.auth.header(each)
    assert len(lab.asked) == 4
    assert await lab.auth.header(ONE) == "Bearer T1"


async def test_once_a_login_is_known_to_be_good_nobody_waits_for_another() -> None:
    lab = await bearing(LOGIN)
    lab.gate.clear()
    buying = [asyncio.ensure_future(lab.auth.header(each)) for each in REPOSITORIES]
    await settle()
    assert len(lab.asked) == 1
    lab.gate.set()
    await buying[0]
    lab.gate.clear()
    await settle()
    assert len(lab.asked) == len(REPOSITORIES)
    lab.gate.set()
    assert len(set(await asyncio.gather(*buying))) == len(REPOSITORIES)


@pytest.mark.parametrize("trouble", [Unavailable("reset"), TokenAnswer(503, b""), TokenAnswer(200, b"<html>")])
async def test_at_a_dead_token_server_all_fail_with_the_first_who_asked(trouble: TokenAnswer | RegsyncError) -> None:
    lab = await bearing(LOGIN)
    lab.script = lambda _, __: trouble
    lab.gate.clear()
    buying = asyncio.gather(*(lab.auth.header(each) for each in REPOSITORIES), return_exceptions=True)
    await settle()
    lab.gate.set()
    assert {type(each) for each in await buying} == {Unavailable}
    assert len(lab.asked) == 1


async def test_whoever_is_cancelled_with_the_first_login_holds_nobody_up() -> None:
    lab = await bearing(LOGIN)
    lab.gate.clear()
    first, second = (asyncio.ensure_future(lab.auth.header(each)) for each in (ONE, TWO))
    await settle()
    first.cancel()
    lab.gate.set()
    assert await second == "Bearer T2"
    assert first.cancelled()


async def test_a_refusal_that_comes_late_does_not_undo_a_login_that_works() -> None:
    lab = Lab(LOGIN)
    await lab.refused(ONE, BASIC)
    with pytest.raises(AccessDenied):
        await lab.auth.challenged(ONE, [BASIC], sent=BASIC_HEADER)
    lab.auth.accepted(TWO, sent=BASIC_HEADER)
    assert await lab.auth.header(THREE) == BASIC_HEADER


async def test_a_refused_login_is_in_no_repr() -> None:
    lab = await bearing(WAYS[2])
    lab.script = lambda _, __: TokenAnswer(401, b"canary")
    results = await buy(lab, ONE)
    assert "canary" not in f"{results!r} {list(lab.auth._areas)!r}"
