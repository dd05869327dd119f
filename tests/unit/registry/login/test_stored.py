"""What an entry of `auths` may look like."""

from __future__ import annotations

from base64 import b64encode, urlsafe_b64encode

import pytest

from regsync.errors import Malformed
from regsync.registry.login.stored import StoredLogin, stored_login

LOGIN = StoredLogin("robot", "s3cret")


def packed(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        ({"auth": packed("robot:s3cret")}, LOGIN),
        ({"auth": packed("robot:s3cret\n")}, LOGIN),
        ({"auth": packed("robot:s3cret\r\n")}, LOGIN),
        ({"auth": packed("robot:s3cret\0\0")}, LOGIN),
        ({"auth": packed("robot:s3cret")[:7] + "\n" + packed("robot:s3cret")[7:] + "\r\n"}, LOGIN),
        ({"auth": packed("robot:s3cre").rstrip("=")}, StoredLogin("robot", "s3cre")),
        ({"auth": urlsafe_b64encode(b"robot:>>>???~~~").decode()}, StoredLogin("robot", ">>>???~~~")),
        ({"auth": packed("robot:a:b ")}, StoredLogin("robot", "a:b ")),
        ({"auth": "", "username": "robot", "password": "s3cret"}, LOGIN),
        ({"auth": None, "username": "robot", "password": "s3cret"}, LOGIN),
        ({"auth": "***", "username": "robot", "password": "s3cret"}, LOGIN),
        ({"auth": packed("robot:s3cret"), "username": "x", "password": "y"}, LOGIN),
        ({"auth": packed("<token>:T")}, StoredLogin(token="T")),
        ({"auth": packed(":T")}, StoredLogin(token="T")),
        ({"username": "<token>", "password": "T"}, StoredLogin(token="T")),
        ({"auth": packed("00000000:"), "identitytoken": "T"}, StoredLogin("00000000", token="T")),
        ({"identitytoken": "T"}, StoredLogin(token="T")),
        ({"registrytoken": "R"}, StoredLogin(registry_token="R")),
        ({}, None),
        ({"auth": "", "email": "a@b.example"}, None),
    ],
)
def test_an_entry_is_read(auth: dict[str, object], expected: StoredLogin | None) -> None:
    assert stored_login(auth, "here") == expected


@pytest.mark.parametrize(
    ("auth", "why"),
    [
        ({"auth": "canary!"}, "its auth is not user:password in base64"),
        ({"auth": packed("canary")}, "its auth is not user:password in base64"),
        ({"auth": b64encode(b"canary:\xff\xfe").decode()}, "its auth is not user:password in base64"),
        ({"auth": packed("canary:")}, "it has a user name and no password"),
        ({"username": "canary"}, "it has a user name and no password"),
    ],
)
def test_an_entry_that_is_of_no_use_says_why_and_not_what_it_holds(auth: dict[str, object], why: str) -> None:
    assert stored_login(auth, "here") == why


@pytest.mark.parametrize("auth", [{"auth": 5}, {"username": ["canary"]}, {"registrytoken": {}}])
def test_a_value_that_is_no_text_is_malformed(auth: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="here: it is no text"):
        stored_login(auth, "here")


def test_no_secret_is_in_the_repr_of_a_login() -> None:
    login = StoredLogin("u", "canary", "canary", "canary")
    assert "canary" not in repr(login)
