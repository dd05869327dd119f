"""Whom we believe to be a registry: one TLS context a host, made once.

A context for the host itself may hold a client certificate; the one for places the host sends us to trusts the same
authorities and has none. Verification is never weakened but by `tls: insecure`. That is a word about one registry, but
it covers every place this registry names as well, as in Go's regsync: its token servers, to which the login goes, and
its storage hosts. Registries configured otherwise stay verified, wherever they are.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from regsync.events import Tell
from regsync.registry.host import HostSettings
from regsync.registry.http.authorities import authorities
from regsync.registry.http.clientpair import present


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
    return Trust(own, _context(host, believed) if present(own, host, folders, tell=tell) else own)


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
