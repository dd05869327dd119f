from __future__ import annotations

import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Unavailable
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scope
from regsync.registry.login.token import TokenAnswer, TokenServer, read_token
from tests.support.clock import FakeClock

SERVER = TokenServer("https://auth.example/token", "the service", "regsync/1 (x)")
SCOPES = (Scope.of_repository("a/b", push=True), Scope.of_repository("c", push=False))


def test_a_login_is_asked_for_in_the_query_and_sent_as_basic() -> None:
    request = SERVER.with_login(Credential("someone", "p:w"), SCOPES)
    assert (request.method, request.body) == ("GET", b"")
    assert request.url.startswith("https://auth.example/token?")
    assert parse_qsl(urlsplit(request.url).query) == [
        ("account", "someone"),
        ("client_id", "regsync/1 (x)"),
        ("scope", "repository:a/b:pull,push"),
        ("scope", "repository:c:pull"),
        ("service", "the service"),
    ]
    assert request.headers["Authorization"] == "Basic c29tZW9uZTpwOnc="


def test_an_anonymous_request_names_nobody() -> None:
    request = SERVER.with_login(None, ())
    assert parse_qsl(urlsplit(request.url).query) == [("client_id", "regsync/1 (x)"), ("service", "the service")]
    assert "Authorization" not in request.headers


def test_a_realm_with_a_query_keeps_it() -> None:
    request = TokenServer("https://auth.example/token?a=b%2Fc", "", "me").with_login(None, ())
    assert request.url == "https://auth.example/token?a=b%2Fc&client_id=me"


def test_an_identity_token_is_sent_as_a_form() -> None:
    request = SERVER.with_refresh("ID&=", SCOPES)
    assert (request.method, request.url) == ("POST", SERVER.url)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(request.body.decode())) == {
        "grant_type": "refresh_token",
        "refresh_token": "ID&=",
        "service": "the service",
        "scope": "repository:a/b:pull,push repository:c:pull",
        "client_id": "regsync/1 (x)",
    }


def test_secrets_stay_out_of_repr() -> None:
    request = SERVER.with_login(Credential("someone", "canary", "canary"), ())
    form = SERVER.with_refresh("canary", ())
    token = read_token(b'{"token": "canary", "refresh_token": "canary"}', clock=FakeClock(), source="s")
    shown = f"{request} {form} {token} {TokenAnswer(200, b'canary')} {Credential('u', 'canary', 'canary')!r}"
    assert "canary" not in shown
    assert "Y2FuYXJ5" not in shown


@pytest.mark.parametrize(
    ("answer", "life"),
    [
        ({}, 60),
        ({"expires_in": 300}, 300),
        ({"expires_in": 2}, 60),
        ({"expires_in": -1}, 60),
        ({"expires_in": "300"}, 300),
        ({"expires_in": " 300.5 "}, 300.5),
        ({"expires_in": "soon"}, 60),
        ({"expires_in": "-5"}, 60),
        ({"expires_in": "1e999"}, 7 * 86400),
        ({"expires_in": None}, 60),
        ({"expires_in": 0}, 60),
        ({"expires_in": 300.5}, 300.5),
        ({"Expires_In": 300}, 300),
        ({"expires_in": 300, "issued_at": "2026-01-01T01:58:20+02:00"}, 200),
        ({"expires_in": 300, "issued_at": "Wed, 31 Dec 2025 23:58:20 GMT"}, 300),
        ({"expires_in": 300, "issued_at": ""}, 300),
        ({"expires_in": True}, 60),
        ({"expires_in": 1e300}, 7 * 86400),
        ({"expires_in": float("nan")}, 60),
        ({"expires_in": float("inf")}, 7 * 86400),
        ({"expires_in": float("-inf")}, 60),
        ({"expires_in": 10**400}, 7 * 86400),
        ({"expires_in": -(10**400)}, 60),
        ({"expires_in": -(10**400), "issued_at": "2025-12-31T23:59:50Z"}, 50),
        ({"expires_in": 300, "issued_at": "2025-12-31T23:58:20Z"}, 200),
        ({"expires_in": 300, "issued_at": "2025-12-31T23:58:20.123456789Z"}, 200),
        ({"expires_in": 300, "issued_at": "2025-12-31T23:55:01Z"}, 5),
        ({"expires_in": 300, "issued_at": "2025-12-31T20:00:00Z"}, 300),
        ({"expires_in": 300, "issued_at": "2026-01-01T00:10:00Z"}, 300),
        ({"expires_in": 300, "issued_at": "yesterday"}, 300),
        ({"expires_in": 300, "issued_at": "2026-01-01T00:00:00"}, 300),
        ({"expires_in": 300, "issued_at": 5}, 300),
    ],
)
def test_a_token_is_replaced_at_four_fifths_of_what_it_has_to_live(answer: dict[str, object], life: float) -> None:
    token = read_token(json.dumps({"token": "T", **answer}).encode(), clock=FakeClock(), source="s")
    assert token.stale == pytest.approx(0.8 * life, abs=0.2)


@pytest.mark.parametrize(
    "answer",
    [
        {"token": "T"},
        {"access_token": "T"},
        {"Token": "T"},
        {"token": "other", "access_token": "T"},
        {"token": "T", "access_token": ""},
        {"token": "T", "access_token": None},
        {"token": "T", "access_token": {"a": 1}},
        {"token": " T\r\n"},
    ],
)
def test_a_token_is_found_by_either_name(answer: dict[str, object]) -> None:
    body = json.dumps(answer).encode()
    for sent in (body, b"\xef\xbb\xbf" + body):
        assert read_token(sent, clock=FakeClock(), source="s").value == "T"


def test_user_and_password_are_sent_as_a_form_where_a_form_is_wanted() -> None:
    server = TokenServer("https://auth.example/token", "svc", "regsync/1")
    request = server.with_password(Credential("me", "p&w"), (Scope.of_repository("a", push=False),))
    assert request.shows_login
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["password"],
        "username": ["me"],
        "password": ["p&w"],
        "client_id": ["regsync/1"],
        "scope": ["repository:a:pull"],
        "service": ["svc"],
    }


def test_access_token_goes_before_token() -> None:
    read = read_token(b'{"token": "A", "access_token": "B", "refresh_token": 5}', clock=FakeClock(), source="s")
    assert (read.value, read.refresh) == ("B", "")
    assert read_token(b'{"token": "A", "access_token": ""}', clock=FakeClock(), source="s").value == "A"


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"<html>canary</html>", b"[]", b"{}", b'{"token": ""}', b'{"token": 5}', b'{"token": "a b canary"}'),
        *(b'{"token": "a\\r\\nX: canary"}', b'{"token": "\\u00e9"}', b"\xff\xfe", b"[" * 100_000, b"9" * 5000),
    ],
)
def test_an_answer_without_a_token_is_worth_another_try_and_is_not_quoted(body: bytes) -> None:
    with pytest.raises(Unavailable) as caught:
        read_token(body, clock=FakeClock(), source="auth.example")
    assert "auth.example" in str(caught.value)
    assert "canary" not in str(caught.value)
    assert caught.value.__context__ is None


@given(st.binary(max_size=200) | st.from_regex(rb'\{"token": [^a]{0,20}\}', fullmatch=True))
def test_no_answer_raises_anything_but_unavailable(body: bytes) -> None:
    try:
        read_token(body, clock=FakeClock(), source="s")
    except Unavailable:
        return
