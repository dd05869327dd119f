from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.secrets import Secrets

PASSWORD = 'p\u00e4ss w/rd+1%&"\\?'
WRITTEN: dict[str, Callable[[str], str]] = {
    "whole": str,
    "as a path": quote,
    "as a query": lambda secret: quote(secret, safe=""),
    "as a form": quote_plus,
    "in small letters": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "in half": lambda secret: secret[:2] + quote(secret[2:]),
    "in base64": lambda secret: b64encode(secret.encode()).decode(),
    "in base64 without padding": lambda secret: b64encode(secret.encode()).decode().rstrip("="),
    "in base64 for URLs": lambda secret: urlsafe_b64encode(secret.encode()).decode(),
    "in base64 for URLs without padding": lambda secret: urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    "in base64 within a URL": lambda secret: quote_plus(b64encode(secret.encode()).decode()),
    "as a Basic pair": lambda secret: b64encode(f"user:{secret}".encode()).decode(),
    "as a Basic pair without padding": lambda secret: b64encode(f"user:{secret}".encode()).decode().rstrip("="),
    "in JSON": lambda secret: json.dumps(secret)[1:-1],
    "in plain JSON": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "as Python shows it": lambda secret: repr(secret)[1:-1],
    "in HTML": html.escape,
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@pytest.mark.parametrize("learnt", [False, True])
@pytest.mark.parametrize("secret", [PASSWORD, "hunter2", "four", "x" * 40, "tok.en_" * 300])
def test_a_secret_is_found_however_it_is_written(secret: str, write: Callable[[str], str], *, learnt: bool) -> None:
    secrets = Secrets()
    (secrets.add if learnt else secrets.keep)(secret, user="user")
    if write is html.escape and secret == PASSWORD:
        assert write(secret) != secret
    assert secrets.clean(f'denied: "{write(secret)}" is wrong') == 'denied: "[censored]" is wrong'


@given(secret=st.text(min_size=4, max_size=60), user=st.text(min_size=1, max_size=9), around=st.text(max_size=20))
def test_no_secret_is_left_in_any_text(secret: str, user: str, around: str) -> None:
    if any(0xD800 <= ord(character) < 0xE000 for character in secret + user + around):
        return
    secrets = Secrets()
    secrets.add(secret, user=user)
    pair = b64encode(f"{user}:{secret}".encode()).decode()
    for shown in (secret, quote(secret, safe=""), quote_plus(secret), b64encode(secret.encode()).decode(), pair):
        assert shown not in secrets.clean(f"{around} {shown} {around}") or shown in "[censored]"


@pytest.mark.parametrize("before", ["", "a", "ab", "abc"])
def test_a_secret_is_found_within_whatever_was_encoded_with_it(before: str) -> None:
    secrets = Secrets()
    secrets.keep("correct horse")
    shown = secrets.clean(b64encode(f"{before}:correct horse, battery".encode()).decode())
    assert "[censored]" in shown
    assert len(shown) < 35


def test_other_text_is_left_as_it_is() -> None:
    secrets = Secrets()
    secrets.keep("hunter2")
    for text in ("", "hunt", "hunter 2", "docker.io/library/app:v1 100% of %2F and %zz", "\u00e4" * 50):
        assert secrets.clean(text) == text


@pytest.mark.parametrize("secret", ["a", "it", "v1x"])
def test_a_very_short_secret_is_found_only_as_a_word(secret: str) -> None:
    secrets = Secrets()
    secrets.keep(secret, user="user")
    pair = b64encode(f"user:{secret}".encode()).decode()
    assert secrets.clean(f"with {secret}: {pair}") == "with [censored]: [censored]"
    assert secrets.clean("abstract item v1xx, a_it") == "abstract item v1xx, a_it"


def test_no_secret_and_an_empty_one_change_nothing() -> None:
    secrets = Secrets()
    assert secrets.clean("user:") == "user:"
    secrets.keep("", user="user")
    secrets.add("", user="user")
    assert secrets.clean("as it is, dXNlcjo=") == "as it is, dXNlcjo="


def test_each_line_of_a_key_is_a_secret_and_its_frame_is_none() -> None:
    secrets = Secrets()
    secrets.keep("-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBg\n  k1qhkiG9w0BAQ\n-----END PRIVATE KEY-----\n")
    assert secrets.clean("BEGIN PRIVATE KEY: k1qhkiG9w0BAQ") == "BEGIN PRIVATE KEY: [censored]"
    assert secrets.clean("MIIEvQIBADANBg\nPRIVATE KEY") == "[censored]\nPRIVATE KEY"


def test_secrets_that_overlap_leave_nothing_of_one_another() -> None:
    secrets = Secrets()
    for secret in ("abcdef", "defghi", "abcd"):
        secrets.keep(secret)
    assert secrets.clean("<abcdefghi>") == "<[censored]>"
    assert secrets.clean("abcdef abcd") == "[censored] [censored]"


def test_the_oldest_tokens_are_forgotten_and_what_is_configured_is_not() -> None:
    secrets = Secrets()
    secrets.keep("token-0")
    secrets.keep("the password")
    for number in range(1500):
        secrets.add(f"token-{number}")
        secrets.add("the one in use")
    assert secrets.clean("token-0 token-1 token-1499") == "[censored] token-1 [censored]"
    assert secrets.clean("the password, the one in use") == "[censored], [censored]"
    assert len(secrets._starts) < 20_000


def test_of_a_long_token_the_beginning_is_remembered_and_everything_goes() -> None:
    secrets = Secrets()
    token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30." + "c2lnbmF0dXJl" * 200
    secrets.add(token)
    assert secrets.clean(f"Bearer {token}, cut: {token[:60]}") == "Bearer [censored], cut: [censored]"
    assert sum(map(len, secrets._uses)) < 2000
