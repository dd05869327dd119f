"""The certificate we show, and the odd files in which it and its key may come."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from regsync.errors import Refused
from regsync.events import Warned
from regsync.registry.host import HostSettings
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, in_turn, says
from tests.unit.registry.speaking import speaking

GET = Request("GET", "/v2/")
CA, CLIENTS = trustme.CA(), trustme.CA()
PAIR = CLIENTS.issue_cert("regsync.example")
CERTIFICATE = "".join(each.bytes().decode() for each in PAIR.cert_chain_pems)
KEY = PAIR.private_key_pem.bytes().decode()
CANARY = KEY.splitlines()[1]
OTHER_KEY = CLIENTS.issue_cert("other.example").private_key_pem.bytes().decode()


def server() -> RawServer:
    """A registry that lets in who shows a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CA.issue_cert("127.0.0.1").configure_cert(context)
    CLIENTS.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED
    return RawServer(in_turn(says(200)), tls=context)


def host_of(registry: RawServer) -> HostSettings:
    return HostSettings(name=registry.host, hostname=registry.host, ca=CA.cert_pem.bytes().decode())


ODD: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "indented": lambda text: "    " + text.replace("\n", "\n    "),
    "with a comment": lambda text: f"\ufeff# F\u0151tan\u00fas\u00edtv\u00e1ny\n{text}# end",
    "without a newline": str.rstrip,
    "both in each": lambda _: KEY + CERTIFICATE,
    "the other's": lambda text: KEY if text == CERTIFICATE else CERTIFICATE,
}


@pytest.mark.parametrize("how", ODD)
async def test_a_pair_is_shown_however_it_is_written(how: str) -> None:
    certificate, key = map(ODD[how], (CERTIFICATE, KEY))
    async with server() as registry:
        host = replace(host_of(registry), client_cert=certificate, client_key=key)
        async with speaking(host) as to:
            assert (await to.transport.send(GET)).status == 200


@pytest.mark.parametrize("how", ODD)
async def test_a_pair_in_dockers_folder_is_shown_however_it_is_written(how: str, tmp_path: Path) -> None:
    certificate, key = map(ODD[how], (CERTIFICATE, KEY))
    async with server() as registry:
        folder = tmp_path / registry.host
        folder.mkdir()
        (folder / "client.cert").write_bytes(certificate.encode())
        (folder / "client.key").write_bytes(key.encode())
        async with speaking(host_of(registry), certificates=tmp_path) as to:
            assert (await to.transport.send(GET)).status == 200


def with_a_password(key: str) -> str:
    words = ["openssl", "pkey", "-aes256", "-passout", "pass:x"]
    return subprocess.run(words, input=key, check=True, capture_output=True, text=True, timeout=30).stdout


@pytest.mark.parametrize(
    ("certificate", "key", "why"),
    [
        (CERTIFICATE[:200], KEY, "clientCert: it cannot be read"),
        (KEY, KEY, "clientCert: there is no certificate in it"),
        (CERTIFICATE, CERTIFICATE, r"clientKey: there is no private key \(PEM\) in it"),
        (CERTIFICATE, KEY[:120], "clientKey: its key cannot be read"),
        (CERTIFICATE, OTHER_KEY, "clientKey: it is another certificate's key"),
        (CERTIFICATE, with_a_password(KEY), "clientKey: its key has a password, and nobody is there to type it"),
    ],
)
async def test_a_pair_that_is_none_fails_its_host_in_words_about_the_half_at_fault(
    certificate: str, key: str, why: str
) -> None:
    host = HostSettings(name="r.example", hostname="127.0.0.1:1", client_cert=certificate, client_key=key)
    async with speaking(host) as to:
        with pytest.raises(Refused, match=rf"^the client certificate of r\.example cannot be used: {why}") as caught:
            await to.transport.send(GET)
    assert CANARY not in str(caught.value)


async def test_a_certificate_without_a_key_in_dockers_folder_is_told_of_and_the_next_one_is_shown(
    tmp_path: Path,
) -> None:
    async with server() as registry:
        folder = tmp_path / registry.host
        folder.mkdir()
        (folder / "ca.cert").write_bytes(CA.cert_pem.bytes())
        (folder / "us.cert").write_text(CERTIFICATE)
        (folder / "us.key").write_text(KEY)
        async with speaking(host_of(registry), certificates=tmp_path) as to:
            assert (await to.transport.send(GET)).status == 200
    (told,) = (event.fields["error"] for event in to.told if isinstance(event, Warned))
    assert told == "there is no ca.key beside it; a CA certificate has a name that ends in .crt"


async def test_a_key_that_leads_nowhere_fails_its_host_and_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "127.0.0.1:1"
    folder.mkdir()
    (folder / "us.cert").write_text(CERTIFICATE)
    (folder / "us.key").symlink_to("nowhere")
    async with speaking(HostSettings(name="r", hostname="127.0.0.1:1"), certificates=tmp_path) as to:
        with pytest.raises(Refused, match=r"us\.key: the client certificate of r cannot be read: No such file"):
            await to.transport.send(GET)
