"""Whom we believe to be a registry: one TLS context a host, made once.

A context for the host itself may hold a client certificate; the one for places the host sends us to trusts the same
authorities and has none. Verification is never weakened but by `tls: insecure`. That is a word about one registry, but
it covers every place this registry names as well, as in Go's regsync: its token servers, to which the login goes, and
its storage hosts. Registries configured otherwise stay verified, wherever they are.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from regsync.errors import Refused
from regsync.events import Tell, Warned
from regsync.registry.host import HostSettings
from regsync.registry.http.pem import certificates_in

CERTIFICATES = Path("/etc/docker/certs.d")


@dataclass(frozen=True, slots=True)
class Trust:
    """The contexts for a host's own origin and for wherever it sends us."""

    own: ssl.SSLContext
    derived: ssl.SSLContext


def trust_of(host: HostSettings, *, root: Path, environ: Mapping[str, str], tell: Tell) -> Trust:
    """Return the contexts of a host: system authorities, its `regcert`, and `root/<hostname>/*.crt`.

    `Refused` names the authority that cannot be read, or the client certificate that cannot be used.
    """
    folder = root / host.hostname
    believed = () if host.tls == "insecure" else tuple(dict.fromkeys(_authorities(host, folder, environ, tell=tell)))
    own = _context(host, believed)
    return Trust(own, _context(host, believed) if _present(own, host, folder) else own)


def _context(host: HostSettings, believed: Sequence[bytes]) -> ssl.SSLContext:
    """Return a context that believes these authorities (DER), too.

    As in Go, and so in docker, each of them is the end of a chain even when somebody else has signed it, so that an
    intermediate authority or the server's own certificate will do, and what corporate authorities leave out of their
    certificates (RFC 5280 asks for key identifiers) is no matter.
    """
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_flags = (context.verify_flags | ssl.VERIFY_X509_PARTIAL_CHAIN) & ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    if host.tls == "insecure":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    known = {*context.get_ca_certs(binary_form=True)} if believed else set()  # each costs a third of a millisecond
    if fresh := b"".join(one for one in believed if one not in known):
        context.load_verify_locations(cadata=fresh)
    return context


def _authorities(host: HostSettings, folder: Path, environ: Mapping[str, str], *, tell: Tell) -> Iterator[bytes]:
    for name, content in _texts(host, folder):
        found = list(certificates_in(content))
        if None in found:
            number = f"certificate {found.index(None) + 1} of {len(found)}"
            raise Refused(f"{name}: {number}, which {host.name} is to be trusted by, cannot be read; mend or remove it")
        if not found:
            tell(_without_use(host, name))
        yield from filter(None, found)
    yield from _of_environment(host, environ, tell=tell)


def _texts(host: HostSettings, folder: Path) -> Iterator[tuple[str, bytes]]:
    if host.ca:
        yield "regcert", host.ca.encode()
    for path in _files(folder, ".crt"):
        try:
            yield str(path), path.read_bytes()
        except OSError as error:
            text = f"{path}: the certificate {host.name} is to be trusted by cannot be read: {error.strerror}"
            raise Refused(text) from error


def _of_environment(host: HostSettings, environ: Mapping[str, str], *, tell: Tell) -> Iterator[bytes]:
    """Each authority of `SSL_CERT_FILE` and of all files in `SSL_CERT_DIR`, as in Go, that can be read.

    OpenSSL itself looks only for file names it has made up from what they hold, and stops at the first damaged one.
    """
    folders = filter(None, environ.get("SSL_CERT_DIR", "").split(os.pathsep))
    files = [Path(environ["SSL_CERT_FILE"])] if environ.get("SSL_CERT_FILE") else []
    for path in (*files, *(file for folder in folders for file in _files(Path(folder)))):
        try:
            stat = path.stat()
            yield from _bundle(path, stat.st_mtime_ns, stat.st_size)
        except OSError:
            tell(_without_use(host, str(path)))


@lru_cache(maxsize=1024)
def _bundle(path: Path, changed: int, size: int) -> tuple[bytes, ...]:  # noqa: ARG001  # as it was at that time
    """Return the authorities in a file of the environment's, read once: every host asks for the same 150."""
    return tuple(filter(None, certificates_in(path.read_bytes())))


def _without_use(host: HostSettings, name: str) -> Warned:
    return Warned("Failed to load a CA certificate", {"host": host.name, "certificate": name})


def _present(context: ssl.SSLContext, host: HostSettings, folder: Path) -> bool:
    """Load the client certificate, if any: the configured one, else the first pair of files in the host's folder."""
    if host.client_cert and host.client_key:
        with tempfile.TemporaryDirectory(prefix="regsync-") as private:  # made with mode 0700
            pair = Path(private, "pair.pem")
            pair.write_text(f"{host.client_cert.strip()}\n{host.client_key.strip()}\n", encoding="utf-8")
            _load(context, host, pair, name="clientCert, clientKey")
        return True
    for certificate in _files(folder, ".cert"):
        key = certificate.with_suffix(".key")
        if key.is_file():
            _load(context, host, certificate, key, name=str(certificate))
            return True
    return False


def _load(context: ssl.SSLContext, host: HostSettings, pair: Path, key: Path | None = None, *, name: str) -> None:
    try:
        context.load_cert_chain(pair, key, password=_no_password)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Refused(f"the client certificate of {host.name} cannot be used: {name}: {error}") from error


def _files(folder: Path, suffix: str = "") -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(suffix) and path.is_file())
    except OSError:
        return []


def _no_password() -> str:
    """Answer for an encrypted key, which would otherwise be asked for on the terminal."""
    return ""
