"""One proxy, as a variable of the environment names it.

Its login is a secret: what people read of a proxy is where it is and nothing else.
"""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from regsync.errors import Refused

_SOCKS: Final = ("socks5", "socks5h", "socks4", "socks4a", "socks")
_PORTS: Final = {"http": 80, "https": 443, **dict.fromkeys(_SOCKS, 1080)}
_URL = re.compile(
    r"(?:([a-z][a-z0-9+.-]*)://)?(?:([^/?#]*)@)?(\[[0-9a-f:.]+(?:%[^]]+)?\]|[^][\s/:@?#\\]+)(?::([0-9]{0,5}))?/?",
    re.IGNORECASE,
)
_LONGEST_LOGIN = 255  # characters of a user or password SOCKS5 has room for (RFC 1929)

Fields = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is, how it is spoken to (`http`, `https` or one of SOCKS), and the login it gets.

    An `https` proxy is itself spoken to in TLS. `user` is None where there is no login.
    """

    scheme: str
    host: str
    port: int
    user: str | None = field(default=None, repr=False)
    password: str = field(default="", repr=False)

    @property
    def name(self) -> str:
        """What people read: `host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def authorization(self) -> Fields:
        """The header its login becomes at a proxy that speaks HTTP; it is for the proxy alone."""
        if self.user is None or self.is_socks:
            return ()
        pair = b64encode(f"{self.user}:{self.password}".encode()).decode()
        return (("Proxy-Authorization", f"Basic {pair}"),)

    @property
    def is_socks(self) -> bool:
        """Say whether it forwards connections, and knows nothing of HTTP."""
        return self.scheme in _SOCKS


def login_in(text: str) -> tuple[str, str] | None:
    """Return user and password in what should be a proxy's URL, even if it is none; None where there is no login."""
    login, at, _ = text.rpartition("@")
    if not at:
        return None
    user, _, password = login.partition("://")[2 if "://" in login else 0].partition(":")
    return unquote(user), unquote(password)


@lru_cache(maxsize=16)
def read_proxy(variable: str, text: str) -> Proxy:
    """Read what this variable says; without a scheme it is an `http` proxy, as in Go.

    `Refused` names the variable and quotes nothing, since there may be a password in it.
    """
    found = _URL.fullmatch(text)
    scheme = (found[1] or "http").lower() if found else ""
    if found and scheme not in _PORTS:
        known = ", ".join(_PORTS)
        raise Refused(f"{variable} in the environment names a proxy of the kind {scheme[:20]}; known are {known}")
    port = int(found[4] or _PORTS[scheme]) if found else 0
    if not found or not 0 < port < 1 << 16:
        wanted = "[http|https|socks5h://][user:password@]host[:port]"
        hint = "any of / ? # in user or password is written as %2F, %3F or %23"
        raise Refused(f"{variable} in the environment names no proxy: expected {wanted}; {hint}")
    user, password = login_in(text) or (None, "")
    proxy = Proxy(scheme, found[3].strip("[]").lower(), port, user or None, password)
    if proxy.is_socks and not _fits(user or "", password):
        raise Refused(f"{variable} in the environment: SOCKS takes up to 255 ASCII characters as user and as password")
    return proxy


def _fits(*login: str) -> bool:
    return all(part.isascii() and len(part) <= _LONGEST_LOGIN for part in login)
