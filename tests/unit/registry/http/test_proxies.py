"""Go's rules of HTTP_PROXY, HTTPS_PROXY and NO_PROXY, and curl's ALL_PROXY."""

from __future__ import annotations

import pytest

from regsync.errors import AccessDenied, Refused
from regsync.registry.host import HostSettings
from regsync.registry.http.proxies import Proxies
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, in_turn, says
from tests.unit.registry.speaking import speaking

BOTH = {"HTTP_PROXY": "http://plain:1", "https_proxy": "secure:2"}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://r.example/v2/", "plain:1"),
        ("https://r.example/v2/", "secure:2"),
        ("http://localhost:5000/", None),
        ("http://127.0.0.1/", None),
        ("http://127.9.9.9/", None),
        ("http://[::1]:5000/", None),
        ("http://10.0.0.1/", "plain:1"),
    ],
)
def test_a_scheme_has_its_proxy_and_loopback_has_none(url: str, proxy: str | None) -> None:
    found = Proxies(BOTH).of(url)
    assert (found and found.name) == proxy


@pytest.mark.parametrize(
    ("exempt", "url", "straight"),
    [
        ("*", "https://r.example/", True),
        ("*", "https://8.8.8.8/", True),
        ("r.example", "https://r.example/", True),
        ("r.example", "https://R.EXAMPLE:5000/", True),
        ("r.example", "https://sub.r.example/", True),
        ("r.example", "https://other.example/", False),
        ("r.example", "https://xr.example/", False),
        (".r.example", "https://sub.r.example/", True),
        (".r.example", "https://r.example/", False),
        ("*.r.example", "https://sub.r.example/", True),
        ("*.r.example", "https://r.example/", False),
        ("r.example:5000", "https://r.example:5000/", True),
        ("r.example:5000", "https://r.example/", False),
        ("r.example:443", "https://r.example/", True),
        (" a , r.example ", "https://r.example/", True),
        ("10.0.0.0/8", "https://10.1.2.3/", True),
        ("10.0.0.0/8", "https://11.1.2.3/", False),
        ("10.1.2.3", "https://10.1.2.3:5000/", True),
        ("10.1.2.3:80", "https://10.1.2.3/", False),
        ("fd00::/8", "https://[fd00::1]/", True),
        ("fd00::1", "https://[fd00::1]:5000/", True),
        ("[fd00::1]:5000", "https://[fd00::1]:5000/", True),
        ("[fd00::1]:5000", "https://[fd00::1]/", False),
        ("nonsense/99", "https://10.1.2.3/", False),
        ("", "https://r.example/", False),
    ],
)
def test_no_proxy_names_what_is_reached_straight(exempt: str, url: str, straight: bool) -> None:
    proxies = Proxies({"HTTPS_PROXY": "http://p:1", "NO_PROXY": exempt})
    assert (proxies.of(url) is None) is straight


@pytest.mark.parametrize(
    ("environ", "plain", "secure"),
    [
        ({"HTTP_PROXY": "http://a", "http_proxy": "http://b"}, "a:80", None),
        ({"http_proxy": "http://b", "https_proxy": "c"}, "b:80", "c:80"),
        ({"ALL_PROXY": "socks5://all"}, "all:1080", "all:1080"),
        ({"all_proxy": "socks5h://all"}, "all:1080", "all:1080"),
        ({"ALL_PROXY": "http://a", "all_proxy": "http://b"}, "a:80", "a:80"),
        ({"ALL_PROXY": "socks5://all", "https_proxy": "http://b:3128"}, "all:1080", "b:3128"),
        ({"ALL_PROXY": "socks5://all", "HTTPS_PROXY": " "}, "all:1080", "all:1080"),
        ({"ALL_PROXY": "socks5://all", "NO_PROXY": "*"}, None, None),
        ({"FTP_PROXY": "http://a", "SOCKS_PROXY": "b"}, None, None),
    ],
)
def test_a_proxy_of_its_own_goes_before_that_for_all_and_upper_case_before_lower(
    environ: dict[str, str], plain: str | None, secure: str | None
) -> None:
    found = [Proxies(environ).of(f"{scheme}://r.example/") for scheme in ("http", "https")]
    assert [proxy and proxy.name for proxy in found] == [plain, secure]


async def test_a_request_goes_through_the_proxy_with_its_login() -> None:
    async with RawServer(in_turn(says(200, b"hello"))) as proxy:
        environ = {"HTTP_PROXY": f"http://ann:pw@{proxy.host}"}
        host = HostSettings(name="r.example", hostname="r.example", tls="disabled")
        async with speaking(host, environ=environ) as to:
            assert (await to.transport.send(Request("GET", "/v2/a?x=%2F"))).body == b"hello"
    asked = proxy.asked[0]
    assert asked.target == "http://r.example/v2/a?x=%2F"
    assert asked.headers["proxy-authorization"] == "Basic YW5uOnB3"
    assert asked.headers["host"] == "r.example"


async def test_a_proxy_that_wants_another_login_is_named() -> None:
    async with RawServer(in_turn(says(407))) as proxy:
        host = HostSettings(name="r.example", hostname="r.example")
        async with speaking(host, environ={"HTTPS_PROXY": proxy.url}) as to:
            with pytest.raises(AccessDenied, match=f"the proxy {proxy.host} answered 407: it wants a user"):
                await to.transport.send(Request("GET", "/v2/"))
    assert [(asked.method, asked.target) for asked in proxy.asked] == [("CONNECT", "r.example:443")]


FORBIDDEN = [
    *("169.254.169.254", "10.0.0.1", "sub.localhost", "2130706433", "127.1", "0x7f.1", "0177.0.0.1"),
    *("metadata.google.internal", "[fec0::1]", "[::ffff:0:7f00:1]", "2852039166"),
]


@pytest.mark.parametrize("place", [f"http://{name}/x" for name in FORBIDDEN])
async def test_a_proxy_is_not_asked_for_what_the_guard_forbids(place: str) -> None:
    async with RawServer(in_turn(says(307, b"", ("Location", place)))) as proxy:
        host = HostSettings(name="r.example", hostname="r.example", tls="disabled")
        async with speaking(host, environ={"HTTP_PROXY": proxy.url}) as to:
            with pytest.raises(Refused, match="will not follow"):
                await to.transport.send(Request("GET", "/v2/"))
    assert len(proxy.asked) == 1
