from __future__ import annotations

import pytest

from regsync.errors import Refused
from regsync.registry.host import HostSettings
from regsync.registry.login.realm import name_realm, resolve_realm

PUBLIC = HostSettings(name="r.example", hostname="r.example")
PLAIN = HostSettings(name="r.example:5000", hostname="r.example:5000", tls="disabled")


@pytest.mark.parametrize(
    ("realm", "url"),
    [
        ("https://auth.example/token", "https://auth.example/token"),
        ("https://auth.example:8443/token?a=b%2Fc", "https://auth.example:8443/token?a=b%2Fc"),
        ("/token", "https://r.example/token"),
        ("token", "https://r.example/v2/token"),
        ("//auth.example/token", "https://auth.example/token"),
        ("https://8.8.8.8/token", "https://8.8.8.8/token"),
    ],
)
def test_a_public_https_realm_is_taken_and_a_relative_one_lies_at_the_registry(realm: str, url: str) -> None:
    assert resolve_realm(PUBLIC, realm, local_realms=lambda: False) == url


@pytest.mark.parametrize(
    ("at", "realm"),
    [
        ("r.example", "http://r.example/token?a=b"),
        ("r.example", "http://R.example:80/token?a=b"),
        ("r.example", "http://r.example:443/token?a=b"),
        ("r.example:8443", "http://r.example:8443/token?a=b"),
        ("r.example:8443", "http://r.example/token?a=b"),
    ],
)
def test_a_registry_behind_tls_that_names_itself_in_plain_http_is_asked_in_https(at: str, realm: str) -> None:
    host = HostSettings(name=at, hostname=at)
    assert resolve_realm(host, realm, local_realms=lambda: False) == f"https://{at}/token?a=b"


@pytest.mark.parametrize(
    "realm",
    [
        "http://auth.example/token",
        "http://r.example:8080/token",
        "http://user@r.example/token",
        "http://sub.r.example/token",
        "ftp://auth.example/token",
        "https:///token",
        "https://user@auth.example/token",
        "https://user:password@auth.example/token",
        "https://auth.example/token#part",
        "https://auth.example:99999/token",
        "https://auth.example:0/token",
        "https://auth.example\\@evil.example/token",
        "https://auth.example/to ken",
        "https://auth.example/token\r\nX-Evil: 1",
        "https://bücher.example/token",
        "https://[::1/token",
        "",
        "javascript:alert(1)",
    ],
)
def test_an_unsafe_realm_is_refused(realm: str) -> None:
    with pytest.raises(Refused, match=r"^r\.example sends logins"):
        resolve_realm(PUBLIC, realm, local_realms=lambda: True)


LOCAL = [
    *("127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost", "a.localhost", "localhost.", "10.0.0.1", "192.168.1.1"),
    *("[fd00::1]", "2130706433", "0x7f.1", "017700000001", "127.1"),
]
NEVER = [
    "169.254.169.254",
    "0.0.0.0",
    "0",
    "[::]",
    "[fe80::1]",
    "224.0.0.1",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "2852039166",
    "metadata.google.internal",
]


@pytest.mark.parametrize("name", LOCAL)
def test_a_local_realm_is_for_registries_that_are_local(name: str) -> None:
    assert resolve_realm(PUBLIC, f"https://{name}/t", local_realms=lambda: True) == f"https://{name}/t"
    with pytest.raises(Refused, match="local address"):
        resolve_realm(PUBLIC, f"https://{name}/t", local_realms=lambda: False)


@pytest.mark.parametrize("name", NEVER)
def test_some_addresses_are_nobodys_realm(name: str) -> None:
    with pytest.raises(Refused, match="local address"):
        resolve_realm(PUBLIC, f"https://{name}/t", local_realms=lambda: True)


def test_a_registry_may_be_its_own_realm_wherever_it_is() -> None:
    host = HostSettings(name="127.0.0.1:5000", hostname="127.0.0.1:5000", tls="disabled")
    assert resolve_realm(host, "http://127.0.0.1:5000/t", local_realms=lambda: False) == "http://127.0.0.1:5000/t"


def test_a_plaintext_registry_may_have_a_plaintext_realm() -> None:
    assert resolve_realm(PLAIN, "http://auth.example/t", local_realms=lambda: False) == "http://auth.example/t"


@pytest.mark.parametrize(
    ("realm", "shown"),
    [
        ("https://u:canary@auth.example/t?x=canary", "'auth.example/t'"),
        ("http://auth.example/t#canary", "'http://auth.example/t'"),
        ("https://u:canary?canary@auth.example/t", "'...'"),
        ("https://u:canary#canary@auth.example/t", "'...'"),
        ("http://auth.example/t?x=a@canary", "'...'"),
        ("https://u:canary@canary@auth.example/t", "'auth.example/t'"),
        ("u:canary@auth.example\t", "'auth.example\\t'"),
    ],
)
def test_a_refusal_shows_neither_password_nor_query(realm: str, shown: str) -> None:
    with pytest.raises(Refused) as caught:
        resolve_realm(PUBLIC, realm, local_realms=lambda: False)
    assert "canary" not in str(caught.value)
    assert f"the token server {shown}, and" in str(caught.value)


def test_a_realm_is_named_without_path_and_query() -> None:
    assert name_realm("https://auth.example:8443/t?x=secret") == "auth.example:8443"
