"""Which proxy a URL goes through, by the rules Go programs follow (golang.org/x/net/http/httpproxy).

The HTTP library would read the environment too, but with other rules: no CIDR, no ports, loopback not exempt, and it
reads `.netrc` on the way.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

from regsync.errors import Refused

_PORTS = {"http": 80, "https": 443}


class Proxies:
    """The proxies an environment names."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._by_scheme = {
            "http": _first(environ, "HTTP_PROXY", "http_proxy"),
            "https": _first(environ, "HTTPS_PROXY", "https_proxy"),
        }
        listed = _first(environ, "NO_PROXY", "no_proxy").split(",")
        self._exempt = tuple(entry.strip().lower() for entry in listed if entry.strip())

    def of(self, url: str) -> str | None:
        """Return the proxy's URL, with userinfo if it has one, or None to go straight; SOCKS is `Refused`."""
        parts = urlsplit(url)
        proxy = self._by_scheme.get(parts.scheme, "")
        if not proxy or not self._applies(parts.hostname or "", parts.port or _PORTS[parts.scheme]):
            return None
        scheme = proxy.partition("://")[0].lower() if "://" in proxy else ""
        if scheme not in {"", "http", "https"}:
            raise Refused(f"a {scheme} proxy is configured in the environment; http and https proxies are supported")
        return proxy if scheme else f"http://{proxy}"

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


def _first(environ: Mapping[str, str], *names: str) -> str:
    return next((environ[name].strip() for name in names if environ.get(name, "").strip()), "")


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
