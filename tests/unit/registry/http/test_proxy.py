"""How a proxy may be written down, and what becomes of what is none."""

from __future__ import annotations

import pytest

from regsync.errors import Refused
from regsync.registry.http.proxies import proxy_logins
from regsync.registry.http.proxy import Proxy, read_proxy


@pytest.mark.parametrize(
    ("text", "scheme", "name"),
    [
        ("proxy:3128", "http", "proxy:3128"),
        ("proxy", "http", "proxy:80"),
        ("http://proxy", "http", "proxy:80"),
        ("https://proxy", "https", "proxy:443"),
        ("HTTP://Proxy.Example:8080/", "http", "proxy.example:8080"),
        ("socks5://proxy", "socks5", "proxy:1080"),
        ("socks5h://proxy:9050", "socks5h", "proxy:9050"),
        ("SOCKS4A://proxy", "socks4a", "proxy:1080"),
        ("socks4://10.0.0.1:1081", "socks4", "10.0.0.1:1081"),
        ("socks://proxy:1080/", "socks", "proxy:1080"),
        ("http://[fd00::1]:3128", "http", "[fd00::1]:3128"),
        ("[::1]", "http", "[::1]:80"),
        ("socks5h://proxy:", "socks5h", "proxy:1080"),
    ],
)
def test_every_spelling_is_read(text: str, scheme: str, name: str) -> None:
    proxy = read_proxy("HTTP_PROXY", text)
    assert (proxy.scheme, proxy.name, proxy.user) == (scheme, name, None)


@pytest.mark.parametrize(
    ("text", "user", "password"),
    [
        ("http://ann:pw@proxy", "ann", "pw"),
        ("ann:pw@proxy:3128", "ann", "pw"),
        ("http://ann@proxy", "ann", ""),
        ("http://ann:@proxy", "ann", ""),
        ("http://:@proxy", None, ""),
        ("socks5h://ann:p%40ss%3A%2F@proxy", "ann", "p@ss:/"),
        ("http://ann:p@ss:word@proxy", "ann", "p@ss:word"),
        ("http://ann:100%@proxy", "ann", "100%"),
        ("http://ann:p\u00e4ss@proxy", "ann", "p\u00e4ss"),
    ],
)
def test_its_login_is_read_and_never_shown(text: str, user: str | None, password: str) -> None:
    proxy = read_proxy("HTTP_PROXY", text)
    assert (proxy.user, proxy.password) == (user, password)
    assert not password or password not in repr(proxy) + str(proxy) + proxy.name


@pytest.mark.parametrize(
    "text",
    [
        *("http://", "http://:3128", "http://proxy:port", "http://proxy:0", "http://proxy:65536", "a b"),
        *("//proxy", "http:proxy", "http://proxy/path", "http://ann:s3cret/x@proxy", "http://ann:s3cret#x@proxy"),
        *("http://ann:s3cret@", "http://[fd00::1", "fd00::1", "http://pro\\xy", "@"),
    ],
)
def test_what_names_no_proxy_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(Refused, match=r"HTTPS_PROXY in the environment names no proxy: expected .*host") as refused:
        read_proxy("HTTPS_PROXY", text)
    assert "s3cret" not in str(refused.value)


def test_a_kind_nobody_knows_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match=r"ALL_PROXY .* of the kind quic; known are http, https, socks5, socks5h, socks4"):
        read_proxy("ALL_PROXY", "quic://ann:pw@proxy")


@pytest.mark.parametrize("login", ["ann:p\u00e4ss", "\u00e4nn:pw", f"ann:{'x' * 256}", f"{'x' * 256}:pw"])
def test_a_login_socks_has_no_room_for_is_refused_before_anybody_is_asked(login: str) -> None:
    with pytest.raises(Refused, match=r"ALL_PROXY .* up to 255 ASCII characters"):
        read_proxy("ALL_PROXY", f"socks5://{login}@proxy")


def test_logins_are_found_in_whatever_variable_and_however_damaged_to_be_kept_secret() -> None:
    environ = {
        "http_proxy": "http://ann:one@proxy",
        "HTTPS_PROXY": "bob:t%77o@proxy:port",
        "All_Proxy": " socks5://carol:th//ree@proxy ",
        "NO_PROXY": "dave:four@proxy",
        "HTTP_PROXY": "http://proxy",
    }
    assert [*proxy_logins(environ)] == [("ann", "one"), ("bob", "two"), ("carol", "th//ree")]


def test_two_logins_are_two_proxies() -> None:
    assert Proxy("http", "p", 1, "a", "b") != Proxy("http", "p", 1, "a", "c")
