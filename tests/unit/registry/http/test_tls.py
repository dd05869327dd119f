"""Whom we believe."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from regsync.errors import Refused, Unavailable
from regsync.events import Warned
from regsync.registry.host import HostSettings, Tls
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, Step, in_turn, says
from tests.unit.registry.speaking import speaking

GET = Request("GET", "/v2/")
CA = trustme.CA()


def server_of(*names: str, clients: trustme.CA | None = None) -> RawServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert(*names).configure_cert(context)
    if clients is not None:
        clients.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return RawServer(in_turn(says(200)), tls=context)


def stranger() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("other.example").configure_cert(context)
    return context


def self_signed_without_alternative_names(name: str, context: ssl.SSLContext) -> str:
    """Have a server show a certificate whose name is where it was before 2000; return it."""
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key"), Path(folder, "certificate")
        new = ("-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2")
        where = ("-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate))
        subprocess.run(["openssl", "req", *new, *where], check=True, capture_output=True, timeout=30)
        context.load_cert_chain(certificate, key)
        return certificate.read_text()


def host_of(server: RawServer) -> HostSettings:
    return HostSettings(name=server.host, hostname=server.host)


def authority() -> str:
    return CA.cert_pem.bytes().decode()


async def test_an_unknown_authority_is_refused_at_once() -> None:
    async with server_of("127.0.0.1") as server, speaking(host_of(server)) as to:
        with pytest.raises(Refused, match=r"certificate is not trusted: from an unknown authority; .*regcert"):
            await to.transport.send(GET)
    assert (server.asked, to.clock.slept) == ([], [])


async def test_the_configured_authority_is_believed() -> None:
    async with server_of("127.0.0.1") as server, speaking(replace(host_of(server), ca=authority())) as to:
        assert (await to.transport.send(GET)).status == 200


async def test_an_authority_in_dockers_folder_is_believed(tmp_path: Path) -> None:
    async with server_of("127.0.0.1") as server:
        folder = tmp_path / server.host
        folder.mkdir()
        (folder / "ours.crt").write_text(authority())
        (folder / "empty.crt").write_text("# nothing yet\n")
        async with speaking(host_of(server), certificates=tmp_path) as to:
            assert (await to.transport.send(GET)).status == 200
    assert [event.message for event in to.told if isinstance(event, Warned)] == ["Failed to load a CA certificate"]


async def test_another_hosts_certificate_is_refused() -> None:
    async with server_of("other.example") as server, speaking(replace(host_of(server), ca=authority())) as to:
        with pytest.raises(Refused, match="for another address"):
            await to.transport.send(GET)


async def test_insecure_believes_anybody() -> None:
    async with server_of("other.example") as server, speaking(replace(host_of(server), tls="insecure")) as to:
        assert (await to.transport.send(GET)).status == 200


@pytest.mark.parametrize("tls", ["insecure", "enabled"])
async def test_insecure_covers_where_the_registry_sends_us_and_nothing_else_does(tls: Tls) -> None:
    async with server_of("127.0.0.1") as server, RawServer(in_turn(says(200)), tls=stranger()) as storage:
        server.answer = in_turn(says(307, b"", ("Location", f"{storage.url}/x")))
        async with speaking(replace(host_of(server), ca=authority(), tls=tls)) as to:
            if tls == "insecure":
                assert (await to.transport.send(GET)).status == 200
            else:
                with pytest.raises(Refused, match="not trusted"):
                    await to.transport.send(GET)


async def test_a_client_certificate_is_shown_to_its_registry() -> None:
    clients = trustme.CA()
    pair = clients.issue_cert("regsync.example")
    certificate = "".join(each.bytes().decode() for each in pair.cert_chain_pems)
    key = pair.private_key_pem.bytes().decode()
    async with server_of("127.0.0.1", clients=clients) as server:
        host = replace(host_of(server), ca=authority(), client_cert=certificate, client_key=key)
        async with speaking(host) as to:
            assert (await to.transport.send(GET)).status == 200
        async with speaking(replace(host_of(server), ca=authority())) as to:
            with pytest.raises((Refused, Unavailable)):
                await to.transport.send(GET)


async def test_a_client_certificate_in_dockers_folder_is_shown(tmp_path: Path) -> None:
    clients = trustme.CA()
    pair = clients.issue_cert("regsync.example")
    async with server_of("127.0.0.1", clients=clients) as server:
        folder = tmp_path / server.host
        folder.mkdir()
        (folder / "client.cert").write_bytes(b"".join(each.bytes() for each in pair.cert_chain_pems))
        (folder / "client.key").write_bytes(pair.private_key_pem.bytes())
        async with speaking(replace(host_of(server), ca=authority()), certificates=tmp_path) as to:
            assert (await to.transport.send(GET)).status == 200


async def test_a_client_certificate_that_is_none_is_refused() -> None:
    host = HostSettings(name="r.example", hostname="127.0.0.1:1", client_cert="nonsense", client_key="s3cret-canary")
    async with speaking(host) as to:
        with pytest.raises(Refused, match=r"client certificate of r\.example cannot be used") as caught:
            await to.transport.send(GET)
    assert "canary" not in str(caught.value)


async def test_a_client_certificate_that_is_none_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    host = HostSettings(name="r.example", hostname="127.0.0.1:1", client_cert="nonsense", client_key="nonsense")
    made = list[ssl.SSLContext]()
    real = ssl.create_default_context

    def counted() -> ssl.SSLContext:
        made.append(real())
        return made[-1]

    monkeypatch.setattr(ssl, "create_default_context", counted)
    async with speaking(host) as to:
        for _ in range(3):
            with pytest.raises(Refused, match="cannot be used"):
                await to.transport.send(GET)
    assert len(made) == 1


async def test_tls_behind_a_plain_host_is_named_at_once() -> None:
    alert = Step(b"\x15\x03\x01\x00\x02\x02\x46", then="close")
    async with RawServer(in_turn(alert)) as server, speaking(server.host) as to:
        with pytest.raises(Refused, match="TLS is spoken there; remove tls: disabled"):
            await to.transport.send(GET)
    assert to.clock.slept == []


async def test_plain_http_behind_a_tls_host_is_named() -> None:
    async def serve(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        place = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with speaking(HostSettings(name=place, hostname=place)) as to:
            with pytest.raises(Refused, match="no TLS connection: no TLS is spoken there; set tls: disabled"):
                await to.transport.send(GET)


async def test_a_redirect_out_of_tls_is_refused() -> None:
    async with server_of("127.0.0.1") as server, speaking(replace(host_of(server), ca=authority())) as to:
        server.answer = in_turn(says(302, b"", ("Location", f"http://{server.host}/x")))
        with pytest.raises(Refused, match="plain http"):
            await to.transport.send(GET)


async def test_tls_below_1_2_is_not_spoken() -> None:
    server = server_of("127.0.0.1")
    assert server.tls is not None
    with pytest.warns(DeprecationWarning, match="deprecated"):
        server.tls.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="deprecated"):
        server.tls.maximum_version = ssl.TLSVersion.TLSv1_1
    async with server, speaking(replace(host_of(server), ca=authority())) as to:
        with pytest.raises((Refused, Unavailable)):
            await to.transport.send(Request("GET", "/", attempts=1))
    assert server.asked == []


@pytest.mark.parametrize(("name", "works"), [("localhost", True), ("127.0.0.1", False), ("other.example", False)])
async def test_a_common_name_alone_counts_for_host_names_and_never_for_addresses(name: str, works: bool) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    own = self_signed_without_alternative_names(name, context)
    async with RawServer(in_turn(says(200)), tls=context) as server:
        place = f"{'localhost' if works else '127.0.0.1'}:{server.port}"
        async with speaking(HostSettings(name=place, hostname=place, ca=own)) as to:
            if works:
                assert (await to.transport.send(GET)).status == 200
                return
            with pytest.raises(Refused, match=r"for another address; .*subjectAltName"):
                await to.transport.send(GET)
    assert server.asked == []
