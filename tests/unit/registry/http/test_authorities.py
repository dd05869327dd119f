"""In which shape authorities may come, and what stays refused."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trustme

from regsync.errors import Refused
from regsync.events import Warned
from regsync.registry.host import HostSettings
from regsync.registry.http.pem import certificates_in
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, in_turn, says
from tests.unit.registry.speaking import Speaking, speaking

GET = Request("GET", "/v2/")
ROOT = trustme.CA()
MIDDLE = ROOT.create_child_ca()
LEAF = MIDDLE.issue_cert("127.0.0.1")
DAMAGED = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def pem(of: trustme.CA) -> str:
    return of.cert_pem.bytes().decode()


def own_certificate(of: trustme.LeafCert) -> str:
    return of.cert_chain_pems[0].bytes().decode()


def showing(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """What a server needs to show this certificate and none above it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with certificate.private_key_pem.tempfile() as key, certificate.cert_chain_pems[0].tempfile() as shown:
        context.load_cert_chain(shown, key)
    return context


@asynccontextmanager
async def registry(
    certificate: trustme.LeafCert,
    regcert: str = "",
    *,
    environ: Mapping[str, str] | None = None,
    certificates: Path | None = None,
) -> AsyncIterator[tuple[Speaking, str]]:
    """A registry that shows this certificate and none above it, spoken to by who believes `regcert`."""
    async with RawServer(in_turn(says(200)), tls=showing(certificate)) as server:
        host = HostSettings(name=server.host, hostname=server.host, ca=regcert)
        async with speaking(host, environ=environ, certificates=certificates) as to:
            yield to, server.host


LATIN = "# Arany F\u0151tan\u00fas\u00edtv\u00e1ny\n"
TEXT = "Certificate:\n    Data:\n        Version: 3 (0x2)\n        Issuer: O = Andr\u00e9, CN = -----\n"


@pytest.mark.parametrize(
    "bundle",
    [
        LATIN + pem(ROOT),
        pem(ROOT).replace("\n", "\r\n"),
        pem(ROOT) * 3,
        TEXT + pem(ROOT) + TEXT + pem(trustme.CA()) + "\ufeff\U0001f512",
        "\ufeff" + pem(ROOT),
        "  " + pem(ROOT).replace("\n", "\n  "),
        pem(ROOT).replace("CERTIFICATE-----", "CERTIFICATE-----\n", 1),
        pem(trustme.CA()) + "-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n" + pem(ROOT),
        pem(ROOT).replace("\n", "\r"),
        pem(trustme.CA()).rstrip() + pem(ROOT).rstrip(),
        "\t" + pem(ROOT).replace("\n", " \t\n\n"),
        pem(ROOT).replace(" CERTIFICATE", " X509 CERTIFICATE"),
        ROOT.private_key_pem.bytes().decode() + pem(ROOT),
    ],
)
async def test_a_bundle_is_read_whatever_stands_around_its_certificates(bundle: str) -> None:
    async with registry(ROOT.issue_cert("127.0.0.1"), bundle) as (to, _):
        assert (await to.transport.send(GET)).status == 200


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "iso8859-2", "utf-16"])
def test_a_comment_may_be_in_any_encoding(encoding: str) -> None:
    found = list(certificates_in((LATIN + pem(ROOT) + pem(MIDDLE)).encode(encoding)))
    assert found == [ssl.PEM_cert_to_DER_cert(pem(ROOT)), ssl.PEM_cert_to_DER_cert(pem(MIDDLE))]


SERVERS = bytes.fromhex("06082b06010505070301")
MAIL = bytes.fromhex("06082b06010505070304")


def element(tag: int, *parts: bytes) -> bytes:
    """One of a few bytes (X.690)."""
    return bytes([tag, len(b"".join(parts))]) + b"".join(parts)


def openssl_trusted(*settings: bytes) -> str:
    """What `openssl x509 -trustout` writes: the certificate and these settings."""
    raw = ssl.PEM_cert_to_DER_cert(pem(ROOT)) + element(0x30, *settings)
    return ssl.DER_cert_to_PEM_cert(raw).replace(" CERTIFICATE", " TRUSTED CERTIFICATE")


@pytest.mark.parametrize(
    "settings",
    [
        (),
        (element(0x30, SERVERS),),
        (element(0x30, MAIL, SERVERS), element(0xA0, MAIL)),
        (element(0x30, bytes.fromhex("0604551d2500")),),
        (element(0x0C, "F\u0151".encode()),),
    ],
)
async def test_a_certificate_with_openssls_trust_settings_is_an_authority(settings: tuple[bytes, ...]) -> None:
    async with registry(ROOT.issue_cert("127.0.0.1"), openssl_trusted(*settings)) as (to, _):
        assert (await to.transport.send(GET)).status == 200


@pytest.mark.parametrize(
    "settings", [(element(0x30, MAIL),), (element(0xA0, SERVERS),), (element(0x30, SERVERS), element(0xA0, SERVERS))]
)
async def test_one_whose_owner_does_not_trust_it_for_servers_is_none(settings: tuple[bytes, ...]) -> None:
    async with registry(ROOT.issue_cert("127.0.0.1"), openssl_trusted(*settings)) as (to, _):
        with pytest.raises(Refused, match="unknown authority"):
            await to.transport.send(GET)
        assert [event.fields["error"] for event in to.told if isinstance(event, Warned)] == [
            "there is no certificate in it to trust a server by"
        ]


async def test_an_authority_may_be_a_file_in_der(tmp_path: Path) -> None:
    raw = ssl.PEM_cert_to_DER_cert(pem(MIDDLE))
    (tmp_path / "ours.der").write_bytes(raw)
    async with registry(LEAF, environ={"SSL_CERT_FILE": str(tmp_path / "ours.der")}) as (to, _):
        assert (await to.transport.send(GET)).status == 200
    for content in (raw, raw[:-1]):
        async with registry(LEAF, certificates=tmp_path) as (to, name):
            (tmp_path / name).mkdir()
            (tmp_path / name / "ours.crt").write_bytes(content)
            if content == raw:
                assert (await to.transport.send(GET)).status == 200
                continue
            with pytest.raises(Refused, match=r"ours\.crt: certificate 1 of 1"):
                await to.transport.send(GET)


@pytest.mark.parametrize("regcert", [pem(MIDDLE), own_certificate(LEAF), pem(ROOT) + own_certificate(LEAF)])
async def test_an_intermediate_and_the_servers_own_certificate_are_authorities(regcert: str) -> None:
    async with registry(LEAF, regcert) as (to, _):
        assert (await to.transport.send(GET)).status == 200


@pytest.mark.parametrize("trusted", [pem(MIDDLE), own_certificate(LEAF)])
async def test_they_are_so_for_the_token_server_and_the_storage_of_the_registry(trusted: str) -> None:
    token = in_turn(says(200, b'{"token": "t"}'), says(200))
    async with RawServer(token, tls=showing(LEAF)) as elsewhere, RawServer(token, tls=showing(LEAF)) as server:
        challenge = "WWW-Authenticate", f'Bearer realm="{elsewhere.url}/token",service="r"'
        server.answer = in_turn(says(401, b"", challenge), says(307, b"", ("Location", f"{elsewhere.url}/blob")))
        host = HostSettings(name=server.host, hostname=server.host, ca=trusted)
        async with speaking(host) as to:
            assert (await to.transport.send(GET)).status == 200
    assert [asked.target.partition("?")[0] for asked in elsewhere.asked] == ["/token", "/blob"]


@pytest.mark.parametrize(
    ("shown", "regcert"),
    [
        (ROOT.issue_cert("127.0.0.1"), pem(MIDDLE)),
        (MIDDLE.issue_cert("127.0.0.1"), own_certificate(LEAF)),
        (LEAF, pem(trustme.CA())),
        (LEAF, pem(ROOT.create_child_ca())),
    ],
)
async def test_what_the_authority_has_not_signed_stays_refused(shown: trustme.LeafCert, regcert: str) -> None:
    async with registry(shown, regcert) as (to, _):
        with pytest.raises(Refused, match="not trusted: from an unknown authority"):
            await to.transport.send(GET)


@pytest.mark.parametrize("own", [True, False])
async def test_a_trusted_certificate_for_another_place_stays_refused(own: bool) -> None:
    other = MIDDLE.issue_cert("other.example")
    async with registry(other, own_certificate(other) if own else pem(MIDDLE)) as (to, _):
        with pytest.raises(Refused, match="for another address"):
            await to.transport.send(GET)


@pytest.mark.parametrize(
    "damaged", [DAMAGED, DAMAGED.replace("MIIB", "*"), DAMAGED.replace("MIIB", ""), pem(ROOT)[:200], pem(ROOT)[:28]]
)
async def test_a_damaged_authority_fails_its_host_and_is_named(damaged: str, tmp_path: Path) -> None:
    async with registry(LEAF, pem(MIDDLE) + damaged) as (to, name):
        with pytest.raises(Refused, match=rf"^regcert: certificate 2 of 2, which {name} .* cannot be read"):
            await to.transport.send(GET)
    async with registry(LEAF, pem(MIDDLE), certificates=tmp_path) as (to, name):
        (tmp_path / name).mkdir()
        (tmp_path / name / "ours.crt").write_text(damaged)
        with pytest.raises(Refused, match=r"ours\.crt: certificate 1 of 1"):
            await to.transport.send(GET)


async def test_authorities_of_the_environment_are_believed_whatever_their_files_are_called(tmp_path: Path) -> None:
    (tmp_path / "x.pem").write_text(LATIN + DAMAGED + pem(MIDDLE))
    (tmp_path / "README").write_bytes(b"\xff nothing")
    for environ in (
        {"SSL_CERT_DIR": f"/nonexistent:{tmp_path}"},
        {"SSL_CERT_FILE": str(tmp_path / "x.pem"), "SSL_CERT_DIR": ""},
    ):
        async with registry(LEAF, environ=environ) as (to, _):
            assert (await to.transport.send(GET)).status == 200
        async with registry(trustme.CA().issue_cert("127.0.0.1"), environ=environ) as (to, _):
            with pytest.raises(Refused, match="not trusted"):
                await to.transport.send(GET)


async def test_a_file_of_the_environment_that_is_missing_is_told_and_believes_nobody(tmp_path: Path) -> None:
    async with registry(LEAF, environ={"SSL_CERT_FILE": str(tmp_path / "none.pem")}) as (to, name):
        with pytest.raises(Refused, match="unknown authority"):
            await to.transport.send(GET)
        told = [event for event in to.told if isinstance(event, Warned)]
    expected = {"host": name, "certificate": str(tmp_path / "none.pem"), "error": "No such file or directory"}
    assert told == [Warned("Failed to load a CA certificate", expected)]
