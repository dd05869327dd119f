"""Which proxy a URL goes through, by the rules Go programs follow (golang.org/x/net/http/httpproxy).

The HTTP library would read the environment too, but with other rules: no CIDR, no ports, loopback not exempt, and it
reads `.netrc` on the way. `ALL_PROXY` is curl's, for whatever has no proxy of its own.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from regsync.registry.http.proxy import Proxy, login_in, read_proxy

_PORTS = {"http": 80, "https": 443}
_ALL = ("ALL_PROXY", "all_proxy")


class Proxies:
    """The proxies an environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._by_scheme = {
            "http": _first(environ, "HTTP_PROXY", "http_proxy", *_ALL),
            "https": _first(environ, "HTTPS_PROXY", "https_proxy", *_ALL),
        }
        listed = _first(environ, "NO_PROXY", "no_proxy")[1].split(",")
        self._exempt = tuple(entry.strip().lower() for entry in listed if entry.strip())

    def of(self, url: str) -> Proxy | None:
        """Return the proxy for this URL, or None to go straight; a variable that names none is `Refused`."""
        parts = urlsplit(url)
        variable, text = self._by_scheme.get(parts.scheme, ("", ""))
        if not text or not self._applies(parts.hostname or "", parts.port or _PORTS[parts.scheme]):
            return None
        return read_proxy(variable, text)

    def _applies(self, host: str, port: int) -> bool:
        host = host.rstrip(".").lower()
        if host == "localhost":
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return not any(_covers_name(entry, host, port) for entry in self._exempt)
        if address.is_loopback:
            return False
        return not any(_covers_address(entry, address, port) for entry in self._exempt)


def proxy_logins(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield user and password of each proxy this environment names, whether it is used or not."""
    for name, text in environ.items():
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy"} and (login := login_in(text.strip())):
            yield login


def _first(environ: Mapping[str, str], *names: str) -> tuple[str, str]:
    """Return name and text of the first of these variables that says something."""
    return next(((name, environ[name].strip()) for name in names if environ.get(name, "").strip()), ("", ""))


def _split(entry: str) -> tuple[str, int | None]:
    """Split `host:port`; a bare IPv6 address has colons and no port."""
    host, separator, port = entry.rpartition(":")
    if separator and port.isdecimal() and (":" not in host or host.endswith("]")):
        return host.strip("[]"), int(port)
    return entry.strip("[]"), None


def _covers_name(entry: str, host: str, port: int) -> bool:
    if entry == "*":
        return True
    name, only = _split(entry)
    if only is not None and only != port:
        return False
    if name.startswith("*."):
        name = name[1:]
    if name.startswith("."):  # the domain's hosts, not the domain itself
        return host.endswith(name)
    return host == name or host.endswith(f".{name}")


def _covers_address(entry: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int) -> bool:
    if entry == "*":
        return True
    try:
        if "/" in entry:
            return address in ipaddress.ip_network(entry, strict=False)
        text, only = _split(entry)
        return (only is None or only == port) and address == ipaddress.ip_address(text)
    except ValueError:
        return False
