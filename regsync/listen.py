"""Where the daemon answers HTTP: an address of this machine, or a socket in its file system."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from regsync.errors import Malformed

_EXPECTED = "expected host:port, such as 127.0.0.1:8080 or [::1]:8080, or unix:/path/to/socket"


@dataclass(frozen=True, slots=True)
class Address:
    """A host (empty: all of this machine's addresses) and port, or the `path` of a socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port`, `:port` or `unix:/path`; port 0 is any free one."""
        scheme, _, path = text.partition("unix:")
        if path and not scheme:
            if not path.startswith("/"):
                raise Malformed(f"{text!r}: a socket's path begins with /; {_EXPECTED}")
            return cls(path=path)
        host, colon, port = text.rpartition(":")
        if not colon or not (port.isascii() and port.isdigit() and int(port) <= 65535):
            raise Malformed(f"{text!r}: no port; {_EXPECTED}")
        bare = host.removeprefix("[").removesuffix("]") if host.startswith("[") else host
        if (":" in bare and bare == host) or any(not (one.isalnum() or one in "-._:%") for one in bare):
            raise Malformed(f"{text!r}: no host; {_EXPECTED}")
        return cls(bare, int(port))

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
