"""Whom we believe to be a registry: one TLS context a host, made once.

A context for the host itself may hold a client certificate; the one for places the host sends us to trusts the same
authorities and has none. Verification is never weakened but by `tls: insecure`. That is a word about one registry, but
it covers every place this registry names as well, as in Go's regsync: its token servers, to which the login goes, and
its storage hosts. Registries configured otherwise stay verified, wherever they are.
"""

from __future__ import annotations

import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from regsync.errors import Refused
from regsync.events import Tell, Warned
from regsync.registry.host import HostSettings

CERTIFICATES = Path("/etc/docker/certs.d")


@dataclass(frozen=True, slots=True)
class Trust:
    """The contexts for a host's own origin and for wherever it sends us."""

    own: ssl.SSLContext
    derived: ssl.SSLContext


def trust_of(host: HostSettings, *, root: Path, tell: Tell) -> Trust:
    """Return the contexts of a host: system authorities, its `regcert`, and `root/<hostname>/*.crt`.

    An authority that cannot be read is told and left out; a client certificate that cannot be used is `Refused`.
    """
    folder = root / host.hostname
    own, believed = _context(host), list[str]()
    for name, authority in () if host.tls == "insecure" else _authorities(host, folder, tell=tell):
        try:
            own.load_verify_locations(cadata=authority)
        except (ssl.SSLError, ValueError):
            tell(Warned("Failed to load a CA certificate", {"host": host.name, "certificate": name}))
        else:
            believed.append(authority)
    try:
        if not _present(own, host, folder):
            return Trust(own, own)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Refused(f"the client certificate of {host.name} cannot be used: {error}") from error
    derived = _context(host)
    for authority in believed:
        derived.load_verify_locations(cadata=authority)
    return Trust(own, derived)


def _context(host: HostSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if host.tls == "insecure":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _authorities(host: HostSettings, folder: Path, *, tell: Tell) -> list[tuple[str, str]]:
    found = [("regcert", host.ca)] if host.ca else []
    for path in _files(folder, ".crt"):
        try:
            found.append((str(path), path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            tell(Warned("Failed to load a CA certificate", {"host": host.name, "certificate": str(path)}))
    return found


def _present(context: ssl.SSLContext, host: HostSettings, folder: Path) -> bool:
    """Load the client certificate, if any: the configured one, else the first pair of files in the host's folder."""
    if host.client_cert and host.client_key:
        with tempfile.TemporaryDirectory(prefix="regsync-") as private:  # made with mode 0700
            pair = Path(private, "pair.pem")
            pair.write_text(f"{host.client_cert.strip()}\n{host.client_key.strip()}\n", encoding="utf-8")
            context.load_cert_chain(pair, password=_no_password)
        return True
    for certificate in _files(folder, ".cert"):
        key = certificate.with_suffix(".key")
        if key.is_file():
            context.load_cert_chain(certificate, key, password=_no_password)
            return True
    return False


def _files(folder: Path, suffix: str) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if path.suffix == suffix and path.is_file())
    except OSError:
        return []


def _no_password() -> str:
    """Answer for an encrypted key, which would otherwise be asked for on the terminal."""
    return ""
