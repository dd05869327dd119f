"""Whatever a registry names as the place to go on: what comes out is an answer or an error of ours."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.errors import RegsyncError
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, Step
from tests.unit.registry.speaking import speaking, with_login

_NAMED = (
    "127.0.0.1:1 localhost:1 [::1]:1 [::1 [v1.x] 127.0.0.1:99999 127.0.0.1:-1 127.0.0.1:x 127.1:1 0x7f.1:1 xn--a a..b "
    ". %00 %31 a_b:1 - 127.0.0.1%2f:1 u:canary@127.0.0.1:1 @ : [] [::ffff:127.0.0.1%25lo]:1 0:1 localhost.:1 xn--\u00e4"
)
_HOSTS = st.sampled_from([*_NAMED.split(" "), "x" * 70])
_TAILS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=20)
_URLS = st.one_of(
    _TAILS,
    st.builds(
        "{}{}{}".format, st.sampled_from(["http://", "https://", "//", "http:", "http:///", "ftp://"]), _HOSTS, _TAILS
    ),
)


def _answer(name: str, value: str, status: int) -> Step:
    line = f"{name}: {value}".encode("utf-8", "surrogateescape")
    return Step(b"HTTP/1.1 %d X\r\n%b\r\nContent-Length: 0\r\n\r\n" % (status, line))


async def _asked(step: Step) -> str:
    async with RawServer(lambda _asked: step) as server, speaking(with_login(server.host)) as to:
        with pytest.raises(RegsyncError) as caught:
            await to.transport.send(Request("GET", "/v2/a/tags/list?token=canary", attempts=1, expect=frozenset({299})))
        return str(caught.value)


@settings(max_examples=60)
@given(_URLS)
def test_no_location_brings_out_anything_but_an_error_of_ours(url: str) -> None:
    assert "canary" not in asyncio.run(_asked(_answer("Location", url, 307)))


@settings(max_examples=60)
@given(_URLS)
def test_no_realm_brings_out_anything_but_an_error_of_ours(url: str) -> None:
    quoted = url.replace("\\", "\\\\").replace('"', '\\"')
    assert "canary" not in asyncio.run(_asked(_answer("WWW-Authenticate", f'Bearer realm="{quoted}"', 401)))
