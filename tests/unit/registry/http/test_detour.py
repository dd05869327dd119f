"""What people read when a proxy fails or says no: one line with the host and the proxy, and never its login."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme

from regsync.errors import AccessDenied, Refused, RegsyncError, Unavailable
from regsync.registry.host import HostSettings
from regsync.registry.http.feed import Timeouts
from regsync.registry.http.transport import Request
from tests.support.gateway import Gateway
from tests.unit.registry.raw import RawServer, in_turn, says
from tests.unit.registry.speaking import Speaking, speaking

GET = Request("GET", "/v2/", what="ping", attempts=1)
CANARY = "s3cret-canary"


async def failing(proxy: str, *, tls: bool = False, timeouts: Timeouts | None = None) -> RegsyncError:
    """Ask r.example through this proxy and return how that fails."""
    host = HostSettings(name="r.example", hostname="r.example", tls="enabled" if tls else "disabled")
    async with speaking(host, environ={"ALL_PROXY": proxy}, timeouts=timeouts) as to:
        return await failure_of(to)


async def failure_of(to: Speaking) -> RegsyncError:
    with pytest.raises(RegsyncError) as failed:
        await to.transport.send(GET)
    assert CANARY not in f"{failed.value}{to.told}"
    return failed.value


@asynccontextmanager
async def saying(data: bytes, *, stall: bool = False) -> AsyncIterator[str]:
    """A server that says this to whoever connects, whatever it is told, and ends or falls silent."""
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(data)
        if stall:
            await over.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()


@pytest.mark.parametrize("tls", [True, False])
@pytest.mark.parametrize("scheme", ["http", "https", "socks5", "socks5h", "socks4a"])
async def test_a_proxy_that_is_down_is_named_and_waited_for(scheme: str, tls: bool) -> None:
    async with RawServer(in_turn(says(200))) as server:
        place = server.host
    error = await failing(f"{scheme}://ann:{CANARY}@{place}", tls=tls)
    assert str(error) == f"r.example: the proxy {place} cannot be reached: connection refused"
    assert isinstance(error, Unavailable)


@pytest.mark.parametrize("scheme", ["http", "socks5", "socks5h", "socks4", "socks4a"])
async def test_a_proxy_whose_name_nobody_knows_is_asked_for_twice(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    host = HostSettings(name="r.example", hostname="r.example", tls="disabled")
    async with speaking(host, environ={"http_proxy": f"{scheme}://proxy.example:1"}) as to:
        with pytest.raises(Unavailable, match=r"the proxy proxy.example:1 cannot be reached: name not known$"):
            await to.transport.send(Request("GET", "/v2/"))
    assert len(to.retried) == 1


async def test_a_name_that_socks_4_wants_as_an_address_is_looked_up_here(monkeypatch: pytest.MonkeyPatch) -> None:
    original = socket.getaddrinfo

    def one_name(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "127.0.0.1":
            return original(name, *arguments, **named)
        if name != "r.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", one_name)
    async with RawServer(in_turn(says(200))) as server, Gateway({"192.0.2.7": server.port}) as gateway:
        environ = {"ALL_PROXY": f"socks4://{gateway.host}"}
        host = HostSettings(name="r.example", hostname="r.example", tls="disabled")
        async with speaking(host, environ=environ) as to:
            assert (await to.transport.send(GET)).status == 200
        other = HostSettings(name="s.example", hostname="s.example", tls="disabled")
        async with speaking(other, environ=environ) as to:
            error = await failure_of(to)
    assert str(error) == f"s.example through the proxy {gateway.host}: name not known"
    assert [(passage.kind, passage.host) for passage in gateway.passed] == [("socks4", "192.0.2.7")]


@pytest.mark.parametrize("given", ["", f"ann:{CANARY}@", "ann@"])
@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "http"])
@pytest.mark.parametrize("tls", [True, False])
async def test_a_login_that_is_not_taken_is_called_that_and_not_tried_again(scheme: str, given: str, tls: bool) -> None:
    async with Gateway({}, login="ann:another") as gateway:
        error = await failing(f"{scheme}://{given}{gateway.host}", tls=tls)
    assert isinstance(error, AccessDenied)
    wants = "wants .*user and password in the environment's proxy URL.*"
    assert re.fullmatch(
        rf"r\.example: the proxy {re.escape(gateway.host)} .*\b{wants}",
        str(error),
    )


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (1, Unavailable, "could not connect"),
        (2, Refused, "does not allow the connection"),
        (3, Unavailable, "has no network that leads there"),
        (4, Unavailable, "cannot reach the host, or does not know its name"),
        (5, Unavailable, "was refused the connection there"),
        (6, Unavailable, "has no way there that is short enough"),
        (7, Refused, "makes no connections"),
        (8, Refused, "makes no connections to such an address"),
        (99, Refused, "does not speak this kind of SOCKS; is it an HTTP proxy?"),
    ],
)
async def test_each_no_of_a_socks_proxy_has_its_words(
    scheme: str, code: int, kind: type[RegsyncError], words: str
) -> None:
    async with Gateway({}) as gateway:
        gateway.refuses = code
        error = await failing(f"{scheme}://{gateway.host}")
    assert (type(error), str(error)) == (kind, f"r.example: the proxy {gateway.host} {words}")


@pytest.mark.parametrize("code", [0x5B, 0x5C, 0x5D])
async def test_a_no_of_socks_4_names_the_proxy_too(code: int) -> None:
    async with Gateway({}) as gateway:
        gateway.refuses = code
        error = await failing(f"socks4a://{gateway.host}")
    assert str(error).startswith(f"r.example: the proxy {gateway.host} ")


@pytest.mark.parametrize(
    ("code", "kind"), [(403, Refused), (405, Refused), (502, Unavailable), (503, Unavailable), (504, Unavailable)]
)
async def test_each_no_of_an_http_proxy_names_it(code: int, kind: type[RegsyncError]) -> None:
    async with Gateway({}) as gateway:
        gateway.refuses = code
        error = await failing(f"http://ann:{CANARY}@{gateway.host}", tls=True)
    assert (type(error), str(error)) == (kind, f"r.example: the proxy {gateway.host} answered {code}")


@pytest.mark.parametrize("scheme", ["socks5", "socks4a"])
@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-x\r\n"])
async def test_what_speaks_no_socks_is_told_from_what_does(scheme: str, answer: bytes) -> None:
    async with saying(answer) as place:
        error = await failing(f"{scheme}://{place}")
    assert str(error) == f"r.example: the proxy {place} does not speak this kind of SOCKS; is it an HTTP proxy?"


@pytest.mark.parametrize("tls", [True, False])
async def test_what_speaks_no_http_is_told_with_the_way_it_was_asked(tls: bool) -> None:
    async with saying(b"\x05\xff") as place:
        error = await failing(f"http://{place}", tls=tls)
    assert str(error) == f"r.example through the proxy {place}: answered something that is not HTTP"


@pytest.mark.parametrize("scheme", ["socks5", "socks4a"])
async def test_a_proxy_that_hangs_up_is_named(scheme: str) -> None:
    async with saying(b"") as place:
        error = await failing(f"{scheme}://{place}")
    assert isinstance(error, Unavailable)
    assert str(error) in {
        f"r.example: the proxy {place} closed the connection",
        f"r.example through the proxy {place}: connection reset",
    }


@pytest.mark.parametrize(("scheme", "tls"), [("socks5", True), ("socks5h", False), ("http", True), ("http", False)])
async def test_a_proxy_that_says_nothing_is_not_waited_for_longer_than_a_registry(scheme: str, tls: bool) -> None:
    async with saying(b"", stall=True) as place:
        error = await failing(f"{scheme}://{place}", tls=tls, timeouts=Timeouts(connect=0.2, header=0.2))
    assert str(error).startswith(f"r.example through the proxy {place}: timed out ")


async def test_a_proxy_that_speaks_no_tls_is_told_with_what_to_write() -> None:
    async with saying(b"HTTP/1.1 400 Bad Request\r\n\r\n") as place:
        error = await failing(f"https://ann:{CANARY}@{place}", tls=True)
    assert (type(error), str(error)) == (
        Refused,
        f"r.example: the proxy {place} speaks no TLS; write http:// in its URL",
    )


@pytest.mark.parametrize("scheme", ["socks5h", "http"])
async def test_a_certificate_behind_a_proxy_is_judged_as_any(scheme: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("r.example").configure_cert(context)
    async with RawServer(in_turn(says(200)), tls=context) as server, Gateway({"r.example": server.port}) as gateway:
        error = await failing(f"{scheme}://{gateway.host}", tls=True)
    assert isinstance(error, Refused)
    assert str(error).startswith(f"r.example through the proxy {gateway.host}: its TLS certificate is not trusted: ")
    assert server.asked == []


@pytest.mark.parametrize(
    "hello",
    [
        b"HTTP/1.0 200 Connection established\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nProxy-Agent: x\r\nConnection: close\r\nVia : y\r\n\r\n",
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.1 200 Connection established\nProxy-Agent: x\n\n",
    ],
)
async def test_a_tunnel_begins_after_whatever_head_a_proxy_opens_it_with(hello: bytes, tmp_path: Path) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("r.example").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    async with (
        RawServer(in_turn(says(200, b"hi")), tls=context) as server,
        Gateway({"r.example": server.port}) as gateway,
    ):
        gateway.hello = hello
        environ = {"https_proxy": gateway.host, "SSL_CERT_FILE": str(tmp_path / "ca.pem")}
        async with speaking(HostSettings(name="r.example", hostname="r.example"), environ=environ) as to:
            for _ in range(2):
                assert (await to.transport.send(GET)).body == b"hi"
    assert (server.connections, len(gateway.passed)) == (1, 1)
