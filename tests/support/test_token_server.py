"""The token server knows its users, and its tokens end when they should (docker-registry takes them: integration)."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from tests.support.faults import Fault, Status
from tests.support.replay import Ask, Heard, replay
from tests.support.token_server import Policy, TokenServer

PULL = "repository:a/b:pull"
PUSH = "repository:a/b:pull,push"
LOGIN = {"Authorization": "Basic dXNlcjpzZWNyZXQ="}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def _ask(server: TokenServer, ask: Ask) -> Heard:
    return (await asyncio.to_thread(replay, server.host, (ask,)))[0]


async def _token(server: TokenServer, scope: str, *, login: bool = True) -> str:
    heard = await _ask(server, Ask("a token", "GET", f"/token?scope={scope}", LOGIN if login else {}))
    body: dict[str, Any] = json.loads(heard.body)
    return str(body["token"])


async def test_a_token_is_good_for_what_was_asked_and_no_more() -> None:
    async with TokenServer(Policy(users={"user": "secret"})) as server:
        token = await _token(server, PULL)
        assert server.refusal(token, PULL) is None
        assert server.refusal(token, PUSH) == "insufficient_scope"
        assert server.refusal("invented", PULL) == "invalid_token"
        assert server.refusal("", PULL) == ""


async def test_nobody_gets_more_than_pull_and_a_user_what_is_not_denied() -> None:
    async with TokenServer(Policy(users={"user": "secret"}, denied={("user", "push")})) as server:
        for login in (True, False):
            token = await _token(server, PUSH, login=login)
            assert server.refusal(token, PULL) is None
            assert server.refusal(token, PUSH) == "insufficient_scope"


async def test_a_token_ends_with_its_lifetime_and_with_its_revocation() -> None:
    now = [0.0]
    async with TokenServer(Policy(users={"user": "secret"}, lifetime=60), clock=lambda: now[0]) as server:
        first, second = await _token(server, PULL), await _token(server, PULL)
        now[0] = 59.0
        assert server.refusal(first, PULL) is None
        now[0] = 60.0
        assert server.refusal(first, PULL) == "invalid_token"
        now[0] = 0.0
        server.revoke_all()
        assert server.refusal(second, PULL) == "invalid_token"


async def test_a_wrong_password_is_refused_and_noted() -> None:
    async with TokenServer(Policy(users={"user": "other"})) as server:
        assert (await _ask(server, Ask("a token", "GET", f"/token?scope={PULL}", LOGIN))).status == 401
        assert server.count(kind="token", status=401) == 1


async def test_a_refresh_token_is_taken_by_post_where_that_is_answered() -> None:
    policy = Policy(refresh_tokens={"identity": "user"})
    form = {"grant_type": "refresh_token", "refresh_token": "identity", "scope": PUSH}
    async with TokenServer(policy) as server:
        heard = await _ask(server, Ask("a token", "POST", "/token", FORM, urlencode(form).encode()))
        assert server.refusal(json.loads(heard.body)["token"], PUSH) is None
        wrong = urlencode(form | {"refresh_token": "stolen"}).encode()
        assert (await _ask(server, Ask("no token", "POST", "/token", FORM, wrong))).status == 401
        policy.answers_post = False
        assert (await _ask(server, Ask("no form", "POST", "/token", FORM, urlencode(form).encode()))).status == 405


async def test_the_token_server_has_faults_too() -> None:
    async with TokenServer(Policy()) as server:
        server.fail(Fault(Status(503), kind="token"))
        asks = (Ask("first", "GET", "/token"), Ask("second", "GET", "/token"))
        assert [heard.status for heard in await asyncio.to_thread(replay, server.host, asks)] == [503, 200]
