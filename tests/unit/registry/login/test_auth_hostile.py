"""Whatever a registry or its token server says, what comes of it is a header or one of our own errors."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import AccessDenied, RegsyncError, Unavailable
from regsync.registry.login.auth import TokenAnswer
from regsync.registry.login.credentials import Credential
from tests.unit.registry.login.auth_lab import BEARER, LOGIN, PULL, PUSH, Lab, granted, pull

ODD = st.sampled_from(["", "\ud800", "\udce9", "a&b=c", "a b", "\r\n", "\0"])
ANYTHING = st.one_of(ODD, st.text(st.characters(exclude_categories=()), max_size=40))  # headers and JSON can hold it
PLACES = (
    "auth.example|[|[::1|[::1]|[fe80::1%25eth0]|[v1.x]|u:p@auth.example|a..b|.|auth:0|auth:99999|auth:-1|auth:x|127.1"
    "|0x7f.1|\uff11\uff12\uff17.0.0.1|ex\u2100mple|xn--a|r.example|"
)
HOSTS = st.sampled_from(PLACES.split("|"))
SCHEMES = st.sampled_from(["https://", "http://", "//", "/", "https:", "file://"])
REALMS = st.one_of(st.just("https://auth.example/token"), st.builds("{}{}{}".format, SCHEMES, HOSTS, ANYTHING))
DATES = ["2026-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
NOTABLE = ["12", "0", "1e999", *DATES]
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), ANYTHING, st.sampled_from(NOTABLE), st.lists(st.integers())
)
KEYS = st.sampled_from(["token", "access_token", "refresh_token", "expires_in", "issued_at", "errors"])
NUMBERS = [b"1e999", b"-1e999", b"NaN", b"9" * 4000, b"9" * 5000]
DEEP = [b"[" * 5000, b'{"a":' * 5000]
ANSWERS = st.one_of(
    st.binary(max_size=40),
    st.dictionaries(KEYS, VALUES).map(lambda document: json.dumps(document).encode()),
    st.sampled_from(
        [
            *(b'{"token":"T","expires_in":' + number + b"}" for number in NUMBERS),
            *DEEP,
            b'{"token":"T","refresh_token":"\\ud800"}',
            b"\xff\xfe{",
            b"\x00",
        ]
    ),
)
STATUSES = st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 418, 429, 500, 503, 599, 999])
LOGINS = st.one_of(
    st.none(), st.builds(Credential, ANYTHING, ANYTHING), st.builds(Credential, ANYTHING, ANYTHING, ANYTHING)
)


def quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


@given(
    login=LOGINS,
    realm=REALMS,
    service=ANYTHING,
    scope=st.one_of(ANYTHING, st.text("repositoryabh/:, pullpush*")),
    answers=st.lists(st.builds(TokenAnswer, STATUSES, ANSWERS, ANYTHING), min_size=1, max_size=3),
)
async def test_nothing_but_our_own_errors_comes_of_any_challenge_and_any_answer(
    login: Credential | None, realm: str, service: str, scope: str, answers: list[TokenAnswer]
) -> None:
    lab = Lab(login)
    lab.script = lambda _, number: answers[number % len(answers)]
    line = f'Bearer realm="{quoted(realm)}",service="{quoted(service)}",scope="{quoted(scope)}"'
    sent: str | None = None
    for scopes in (PULL, PUSH, (*PUSH, pull("c")), PULL):
        with suppress(RegsyncError):
            await lab.auth.challenged(scopes, [line, "Basic"], sent=sent)
            sent = await lab.auth.header(scopes)
    for request in lab.asked:
        assert request.url.isascii()
        assert "delete" not in request.url


@given(answers=st.lists(st.builds(TokenAnswer, STATUSES, ANSWERS, ANYTHING), min_size=1, max_size=3))
async def test_nothing_but_our_own_errors_comes_of_any_answer_of_a_token_server(answers: list[TokenAnswer]) -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: answers[number % len(answers)]
    for number in range(4):
        with suppress(RegsyncError):
            header = await lab.refused((pull(f"a{number}"),))
            assert header is not None
            assert header.isascii()
            assert header.isprintable()


@pytest.mark.parametrize("refresh", ["\ud800", "a b", "a\r\nb", "", 5, None, "x" * 70_000])
async def test_a_refresh_token_that_is_none_is_not_used(refresh: object) -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, number: granted(number, refresh_token=refresh)
    await lab.refused()
    await lab.auth.header((pull("c"),))
    assert [request.method for request in lab.asked] == ["GET", "GET"]


@pytest.mark.parametrize(
    "login", [Credential("\ud800", "\udfff"), Credential("é", "\ud800\0"), Credential(token="\ud800\n")]
)
async def test_a_login_in_letters_nobody_has_is_shown_and_judged_over_there(login: Credential) -> None:
    lab = Lab(login)
    lab.script = lambda _, __: TokenAnswer(401, b"")
    with pytest.raises(AccessDenied, match=r"refused the login \(401\)"):
        await lab.refused()
    if login.basic:
        assert str(await Lab(login).refused(PULL, "Basic")).startswith("Basic ")


async def test_a_service_in_letters_nobody_has_is_repeated_as_it_is() -> None:
    lab = Lab()
    assert await lab.refused(PULL, BEARER.replace("svc", "\udce9&x=")) == "Bearer T1"
    assert "service=%" in lab.asked[0].url
    assert "&x=" not in lab.asked[0].url


async def test_a_thousand_ways_to_log_in_make_no_long_line() -> None:
    with pytest.raises(AccessDenied) as caught:
        await Lab().refused(PULL, ", ".join(f"Way{number}{'x' * 50}" for number in range(1000)))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"token":' * 100_000, b" " * (1 << 20), b'"' + b"x" * (1 << 20)])
async def test_a_large_or_deep_answer_is_no_token(body: bytes) -> None:
    lab = Lab(LOGIN)
    lab.script = lambda _, __: TokenAnswer(200, body)
    with pytest.raises(Unavailable, match="no token"):
        await lab.refused()
