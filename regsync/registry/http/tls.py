"""Whom we believe to be a registry, and what we show to one that asks who we are: one TLS context a host, made once.

A context for the host itself may hold a client certificate; the one for places the host sends us to trusts the same
authorities and has none. Verification is never weakened but by `tls: insecure`. That is a word about one registry, but
it covers every place this registry names as well, as in Go's regsync: its token servers, to which the login goes, and
its storage hosts. Registries configured otherwise stay verified, wherever they are.
"""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never

from regsync.errors import Refused
from regsync.events import Tell
from regsync.registry.host import HostSettings
from regsync.registry.http.authorities import authorities, content_of, files, useless
from regsync.registry.http.pem import certificates_in, key_in

_WHAT = "the client certificate"
_Half = tuple[str, bytes]  # what people call it, and what it holds


@dataclass(frozen=True, slots=True)
class Trust:
    """The contexts for a host's own origin and for wherever it sends us."""

    own: ssl.SSLContext
    derived: ssl.SSLContext


def trust_of(host: HostSettings, *, roots: Sequence[Path], environ: Mapping[str, str], tell: Tell) -> Trust:
    """Return the contexts of a host: system authorities, its `regcert`, and `<hostname>/*.crt` in each of the roots.

    `Refused` names the authority that cannot be read, or the client certificate that cannot be used.
    """
    folders = [root / host.hostname for root in roots]
    believed = () if host.tls == "insecure" else tuple(dict.fromkeys(authorities(host, folders, environ, tell=tell)))
    own = _context(host, believed)
    return Trust(own, _context(host, believed) if _present(own, host, folders, tell=tell) else own)


def trust_elsewhere(name: str, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Return the context for a proxy or a webhook: what is said of registries does not count there."""
    host = HostSettings.called(name)
    return _context(host, tuple(dict.fromkeys(authorities(host, (), environ, tell=_nobody))))


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


def _nobody(_event: object) -> None:
    """Hear what the registries' own contexts tell of the same files."""


def _present(context: ssl.SSLContext, host: HostSettings, folders: Sequence[Path], *, tell: Tell) -> bool:
    """Load the client certificate, if any: the configured one, else the first pair of files in the host's folders.

    `Refused` says which half of it cannot be used, and why.
    """
    if host.client_cert and host.client_key:
        _load(context, host, ("clientCert", host.client_cert.encode()), ("clientKey", host.client_key.encode()))
        return True
    for certificate in (path for folder in folders for path in files(folder, ".cert", host=host, tell=tell)):
        key = certificate.with_suffix(".key")
        if key.exists() or key.is_symlink():
            first, second = ((str(path), content_of(path, f"{_WHAT} of {host.name}")) for path in (certificate, key))
            _load(context, host, first, second)
            return True
        why = f"there is no {key.name} beside it; a CA certificate has a name that ends in .crt"
        tell(useless("Failed to load a client certificate", host, str(certificate), why))
    return False


def _load(context: ssl.SSLContext, host: HostSettings, certificate: _Half, key: _Half) -> None:
    """Load a pair whose halves may lie in one file, with anything around them, and not as OpenSSL likes it."""
    chain = list(certificates_in(certificate[1])) or list(certificates_in(key[1]))
    if not chain or None in chain:
        _refuse(host, certificate, "there is no certificate in it" if not chain else "it cannot be read")
    private = key_in(key[1]) or key_in(certificate[1])
    if not private:
        _refuse(host, key, "there is no private key (PEM) in it")
    if "ENCRYPTED" in private:
        _refuse(host, key, "its key has a password, and nobody is there to type it: openssl pkey takes it off")
    shown = "".join(map(ssl.DER_cert_to_PEM_cert, dict.fromkeys(filter(None, chain))))
    with tempfile.TemporaryDirectory(prefix="regsync-") as folder:  # made with mode 0700
        pair = Path(folder, "pair.pem")
        pair.write_text(shown + private, encoding="ascii", errors="replace")
        try:
            context.load_cert_chain(pair, password=_no_password)
        except (ssl.SSLError, OSError, ValueError) as error:
            mismatch = isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH"
            _refuse(host, key, "it is another certificate's key" if mismatch else "its key cannot be read")


def _refuse(host: HostSettings, half: _Half, why: str) -> Never:
    raise Refused(f"{_WHAT} of {host.name} cannot be used: {half[0]}: {why}")


def _no_password() -> str:
    """Answer for an encrypted key, which would otherwise be asked for on the terminal."""
    return ""
