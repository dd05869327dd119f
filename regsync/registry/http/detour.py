"""What people read when it is the proxy that fails or says no: the proxy is named, its login never."""

from __future__ import annotations

import ssl
from typing import Final

from regsync.errors import AccessDenied, Refused, RegsyncError, Unavailable
from regsync.registry.http.proxy import Proxy
from regsync.registry.http.reason import fault_of
from regsync.registry.http.retry import Worth, worth_of_status

TRUST: Final = "add its authority to the system's, or name a file of it in SSL_CERT_FILE"
_LOGIN: Final = "user and password in the environment's proxy URL"
_PLAIN: Final = frozenset({"HTTP_REQUEST", "WRONG_VERSION_NUMBER"})  # OpenSSL's reasons
_FAILED: Final = {  # RFC 1928, section 6, and SOCKS4's
    1: "could not connect",
    3: "has no network that leads there",
    4: "cannot reach the host, or does not know its name",
    5: "was refused the connection there",
    6: "has no way there that is short enough",
    0x5B: "does not connect us, or could not",
}
_FORBIDDEN: Final = {
    2: "does not allow the connection",
    7: "makes no connections",
    8: "makes no connections to such an address",
    0x5C: "wants to be told by identd who we are",
    0x5D: "was told by identd that we are somebody else",
}


class Declined(Exception):
    """A SOCKS proxy that makes no connection: `code` of its protocol, None where it did not come to that."""

    def __init__(self, why: str, code: int | None) -> None:
        super().__init__(why)
        self.code = code


def declined(error: Declined, proxy: Proxy, *, place: str) -> RegsyncError:
    """Return what a SOCKS proxy means that makes no connection to this place (`host[:port]`)."""
    named, words = f"{place}: the proxy {proxy.name}", str(error)
    if error.code in _FORBIDDEN:
        return Refused(f"{named} {_FORBIDDEN[error.code]}")
    if error.code is not None:
        return Unavailable(f"{named} {_FAILED.get(error.code, _FAILED[1])}")
    if "authentication" in words:
        return AccessDenied(f"{named} does not let us in: it wants another login, or one at all ({_LOGIN})")
    if "closed" in words:
        return Unavailable(f"{named} closed the connection")
    return Refused(f"{named} does not speak this kind of SOCKS; is it an HTTP proxy?")


def of_status(status: int, proxy: Proxy, *, place: str) -> RegsyncError:
    """Return what an HTTP proxy means that answers this instead of the registry."""
    said = f"{place}: the proxy {proxy.name} answered {status}"
    if status == 407:
        return AccessDenied(f"{said}: it wants {'another' if proxy.user else 'a'} {_LOGIN}")
    return Refused(said) if worth_of_status(status) is Worth.NEVER else Unavailable(said)


def unreached(reason: OSError | None, proxy: Proxy, *, place: str) -> RegsyncError:
    """Return what it means that there is no connection with the proxy itself."""
    named = f"{place}: the proxy {proxy.name}"
    match reason:
        case ssl.SSLCertVerificationError():
            return Refused(f"{named} has a TLS certificate that is not trusted; {TRUST}")
        case ssl.SSLError() if reason.reason in _PLAIN:
            return Refused(f"{named} speaks no TLS; write http:// in its URL")
        case None:
            return Unavailable(f"{named} cannot be reached")
        case _:
            return fault_of(reason, place=f"{named} cannot be reached")
