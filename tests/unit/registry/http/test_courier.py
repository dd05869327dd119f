"""A document posted to whom no registry is: what goes over the wire."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from regsync.errors import Refused, Unavailable
from regsync.events import ignore
from regsync.limits import Limits
from regsync.registry.http.courier import Courier
from regsync.registry.http.wire import Wire
from regsync.registry.registries import Registries
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER
from tests.unit.registry.raw import RawServer, Step, says

BODY = b'{"version": 1}\n'


async def posted(url: str, environ: Mapping[str, str] | None = None) -> tuple[int, float | None]:
    async with Wire() as wire:
        now = datetime(2026, 1, 1, tzinfo=UTC)
        return await Courier(wire, environ or {}).post(url, BODY, user_agent="me/1", now=now)


async def test_a_document_goes_where_it_is_to_with_what_it_needs_and_no_more() -> None:
    async with RawServer(lambda _: says(202)) as server:
        assert await posted(f"{server.url}/a/b?token=%2Fx&y=1") == (202, None)
    (asked,) = server.asked
    assert (asked.method, asked.target, asked.body) == ("POST", "/a/b?token=%2Fx&y=1", BODY)
    assert (asked.headers["content-type"], asked.headers["user-agent"]) == ("application/json", "me/1")
    assert "authorization" not in asked.headers


async def test_a_login_in_the_url_becomes_a_header() -> None:
    async with RawServer(lambda _: says(200)) as server:
        await posted(f"http://ann:p%40ss@{server.host}/hook")
    assert server.sent("authorization") == [f"Basic {b64encode(b'ann:p@ss').decode()}"]
    assert server.sent("host") == [server.host]


async def test_a_redirect_is_an_answer_like_any_other() -> None:
    async with RawServer(lambda _: says(307, b"", ("Location", "/elsewhere"))) as server:
        assert await posted(server.url) == (307, None)
    assert len(server.asked) == 1


async def test_how_long_to_wait_is_read() -> None:
    async with RawServer(lambda _: says(503, b"busy", ("Retry-After", "7"))) as server:
        assert await posted(server.url) == (503, 7.0)


@pytest.mark.parametrize("begun", [b"", b"x" * (1 << 20)])
async def test_an_answer_without_an_end_is_not_waited_for(begun: bytes) -> None:
    endless = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + begun
    async with RawServer(lambda _: Step(endless, "stall")) as server:
        assert await posted(server.url) == (200, None)


async def test_a_server_nobody_vouches_for_is_refused_with_what_to_do_about_it() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with RawServer(lambda _: says(200), tls=context) as server:
        with pytest.raises(Refused, match=r"is not trusted; add its authority to the system's, or .* SSL_CERT_FILE"):
            await posted(server.url)
    assert server.asked == []


@pytest.mark.parametrize("trusted", ["middle", "other"])
async def test_authorities_of_the_environment_are_believed_intermediates_included(trusted: str, tmp_path: Path) -> None:
    middle = trustme.CA().create_child_ca()
    leaf, context = middle.issue_cert("127.0.0.1"), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with leaf.private_key_pem.tempfile() as key, leaf.cert_chain_pems[0].tempfile() as shown:
        context.load_cert_chain(shown, key)
    path = tmp_path / "ca.pem"
    (middle if trusted == "middle" else trustme.CA()).cert_pem.write_to_path(path)
    clock = FakeClock(instant=True)
    registries = Registries(
        {}, MANNER, limits=Limits(lambda _: 1), clock=clock, tell=ignore, environ={"SSL_CERT_FILE": str(path)}
    )
    async with RawServer(lambda _: says(200), tls=context) as server, registries:
        if trusted == "middle":
            assert await registries.post(server.url, BODY) == (200, None)
            return
        with pytest.raises(Refused, match="is not trusted"):
            await registries.post(server.url, BODY)


async def test_after_a_reload_authorities_are_read_anew(tmp_path: Path) -> None:
    authority, context, path = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), tmp_path / "ca.pem"
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trustme.CA().cert_pem.write_to_path(path)
    clock, environ = FakeClock(instant=True), {"SSL_CERT_FILE": str(path)}
    registries = Registries({}, MANNER, limits=Limits(lambda _: 1), clock=clock, tell=ignore, environ=environ)
    async with RawServer(lambda _: says(200), tls=context) as server, registries:
        with pytest.raises(Refused, match="is not trusted"):
            await registries.post(server.url, BODY)
        authority.cert_pem.write_to_path(path)
        registries.apply({}, MANNER)
        assert await registries.post(server.url, BODY) == (200, None)


async def test_it_goes_through_a_proxy_where_one_is_configured() -> None:
    async with RawServer(lambda _: says(200)) as proxy:
        assert await posted("http://hooks.example/a", {"HTTP_PROXY": proxy.url}) == (200, None)
    assert proxy.asked[0].target == "http://hooks.example/a"


async def test_whom_nobody_answers_for_is_not_available() -> None:
    async with RawServer(lambda _: says(200)) as server:
        url = server.url
    with pytest.raises(Unavailable, match="connection refused"):
        await posted(url)
