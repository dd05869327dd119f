"""Where a token server may be: the registry names it, and the password goes there.

Any https address will do that is public or, for a registry at a private address, private; plain http only for a
registry that is spoken to in plain http. A registry behind something that ends TLS may not know of it and name itself
in http: it is asked in https then. Names are not resolved here: the guard at the socket sees where they lead.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import SplitResult, urljoin, urlsplit

from regsync.errors import Refused
from regsync.registry.host import HostSettings
from regsync.registry.http.guard import AddressClass, class_of_name

_PLAIN = re.compile(r"[!-\[\]-~]{1,4096}")  # printable ASCII without the backslash that URL parsers disagree about
_NETLOC = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


def resolve_realm(host: HostSettings, realm: str, *, local_realms: Callable[[], bool]) -> str:
    """Return the absolute URL of the token server a challenge names; `Refused` when the login must not go there."""
    if not _PLAIN.fullmatch(realm):
        raise _refusal(host, realm, "it is no URL")
    try:
        parts = _kept_in_tls(host, urlsplit(urljoin(f"{host.origin}/v2/", realm)))
        port, own = parts.port, urlsplit(realm)
    except ValueError:
        raise _refusal(host, realm, "it is no URL") from None
    if own.scheme and not own.netloc:
        raise _refusal(host, realm, "it has no host")
    if not _NETLOC.fullmatch(parts.netloc) or port == 0:
        raise _refusal(host, realm, "it needs a plain host, and no user or password")
    if parts.scheme != "https" and not (parts.scheme == "http" and host.tls == "disabled"):
        raise _refusal(host, realm, "it is not https, as the registry is (tls: disabled would allow it)")
    if parts.fragment:
        raise _refusal(host, realm, "it has a fragment")
    if parts.netloc != host.hostname and not _may_be_asked(parts, local_realms):
        raise _refusal(host, realm, "it is at a local address and the registry is not")
    return parts.geturl()


def _kept_in_tls(host: HostSettings, parts: SplitResult) -> SplitResult:
    """Return a URL in https where it names the registry itself in http, at its own port or at none."""
    own = urlsplit(host.origin)
    itself = parts.hostname == own.hostname and parts.port in {None, 80, own.port or 443}
    if own.scheme == "https" and parts.scheme == "http" and itself and "@" not in parts.netloc:
        return parts._replace(scheme="https", netloc=own.netloc)
    return parts


def name_realm(url: str) -> str:
    """Return the part of a realm that may be shown: no path, no query."""
    return urlsplit(url).netloc


def _refusal(host: HostSettings, realm: str, why: str) -> Refused:
    return Refused(f"{host.name} sends logins to the token server {_shown(realm)!r}, and that is refused: {why}")


def _shown(realm: str) -> str:
    """Return what may be shown of a realm that was refused: no user, no password, no query."""
    place = re.split("[?#]", realm, maxsplit=1)[0]
    if "@" in realm[len(place) :]:  # a question mark in a password, or an at sign in a query: nobody can tell
        return "..."
    return place.rpartition("@")[2][:100]


def _may_be_asked(parts: SplitResult, local_realms: Callable[[], bool]) -> bool:
    match class_of_name(parts.hostname or ""):
        case AddressClass.PUBLIC | None:
            return True
        case AddressClass.PRIVATE | AddressClass.LOOPBACK:
            return local_realms()
        case _:
            return False
