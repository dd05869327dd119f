"""Where answers send us, and what of it we do (distribution-spec: clients MUST NOT forward credentials).

URLs of strangers are read here and nowhere else. The HTTP library follows nothing by itself.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from regsync.errors import Malformed, Misled, Refused
from regsync.registry.http.message import Headers, resolved

MOST_HOPS = 5
_PORTS = {"http": 80, "https": 443}
_READING = frozenset({301, 302, 303, 307, 308})
_WRITING = frozenset({307, 308})  # the others turn a PUT into a GET
_UNSAFE = re.compile(r"[^\x21-\x7e]|\\")


class Origin(NamedTuple):
    """What a credential belongs to (RFC 6454): scheme, host in lower case without a last dot, and port."""

    scheme: str
    host: str
    port: int


@lru_cache(maxsize=1024)
def origin_of(url: str) -> Origin:
    """Read the origin of an absolute URL; one that two parsers could read differently is `Refused`."""
    if _UNSAFE.search(url):
        raise Refused("a URL with spaces, backslashes or characters outside ASCII")
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise Refused("a URL that cannot be read") from None
    if parts.scheme not in _PORTS or not host or ".." in host or host.startswith("."):
        raise Refused(f"a URL without a host or of another scheme than http and https: {parts.scheme[:20]!r}")
    if "@" in parts.netloc:
        raise Refused(f"a URL with user information, at {host}")
    return Origin(parts.scheme, host.lower(), _PORTS[parts.scheme] if port is None else port)


def next_hop(method: str, status: int, headers: Headers, *, url: str) -> str | None:
    """Return where this answer sends a request of this method, or None where it is no redirect that can be followed."""
    if status not in (_READING if method in {"GET", "HEAD"} else _WRITING):
        return None
    location = headers.get("location", "").strip()
    if not location:
        raise Malformed(f"{origin_of(url).host} answered {status} without saying where to (no Location)")
    following = resolved(url, location)
    try:
        not_lowered(origin_of(url), origin_of(following))
    except Refused as error:
        raise Misled(f"will not follow {origin_of(url).host} where it sends us: {error}") from None
    return following


def kept_in_tls(url: str, *, by: str) -> str:
    """Return a URL that was named by an answer from `by`, in https where that is; `Refused` if it leads out of TLS.

    A registry behind something that ends TLS may not know of it and name its uploads in http, with the port it was
    asked at, with none, or with its own behind the front. All of that is asked for where the registry is, so nothing is
    sent in clear, nor to anybody else. Redirects get no such credit: what sends us on to http means it.
    """
    before, after = origin_of(by), origin_of(url)
    if (before.scheme, after.scheme, after.host) == ("https", "http", before.host):
        rest = url.partition("://")[2]
        authority = re.split(r"[/?]", rest, maxsplit=1)[0]
        return f"https://{urlsplit(by).netloc}{rest[len(authority) :]}"
    not_lowered(before, after)
    return url


def not_lowered(before: Origin, after: Origin) -> None:
    """Refuse to leave TLS."""
    if before.scheme == "https" and after.scheme == "http":
        raise Refused(f"{before.host} sends us from https to plain http at {after.host}")
