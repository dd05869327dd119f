"""Where the exceptions of the HTTP library and the system become ours: nothing foreign leaves an exchange."""

from __future__ import annotations

import re
import ssl
from types import TracebackType

import aiohttp
from aiohttp.http import HttpProcessingError

from regsync.errors import IntegrityError, Refused, RegsyncError, Unavailable
from regsync.registry.http.detour import Declined, declined, of_status, unreached
from regsync.registry.http.heads import Contradiction
from regsync.registry.http.proxy import Proxy
from regsync.registry.http.reason import fault_of

_TLS_RECORD = r"\x15\x03"  # how the library prints the beginning of a TLS alert where HTTP was expected

_TOO_MUCH = re.compile("Got more than|Too many headers", re.IGNORECASE)  # what it says of headers


class Flood(Exception):
    """A partner that does not come to the point; what it does instead is the text."""


_FOREIGN = (
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    ValueError,
    EOFError,
    AssertionError,
    Flood,
    Contradiction,
    Declined,
)


class Border:
    """Turns the library's and the system's exceptions into ours; no text of theirs that may hold a URL gets out."""

    __slots__ = ("_late", "_proxy", "_url")

    def __init__(self, url: str, late: str = "timed out", *, proxy: Proxy | None = None) -> None:
        self._url = url
        self._late = late
        self._proxy = proxy

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, _FOREIGN):
            return
        cause = error.__cause__
        if isinstance(cause, RegsyncError):  # the source of a body we were sending
            raise cause from None
        place = place_of(self._url)
        if self._proxy is not None:
            if (fault := _of_proxy(error, self._proxy, place)) is not None:
                raise fault from (_reason_of(error) or error)
            place = f"{place} through the proxy {self._proxy.name}"
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
            raise Unavailable(f"{place}: {self._late}") from error
        reason = _reason_of(error)
        if reason is None:
            raise _broken(error, place) from error
        raise fault_of(reason, place=place) from reason


def place_of(url: str) -> str:
    """Return `host[:port]` of a URL, for people."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


def _of_proxy(error: BaseException, proxy: Proxy, place: str) -> RegsyncError | None:
    """Return the failure that is the proxy's; None where the fault lies behind it."""
    match error:
        case Declined():
            return declined(error, proxy, place=place)
        case aiohttp.ClientHttpProxyError():
            return of_status(error.status, proxy, place=place)
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientConnectorDNSError():
            return unreached(_reason_of(error), proxy, place=place)
        case aiohttp.ClientConnectorError() if (error.host, error.port) == (proxy.host, proxy.port):
            return unreached(_reason_of(error), proxy, place=place)
        case _:
            return None


def _reason_of(error: BaseException) -> OSError | None:
    """Return what the system said, if it is the system that failed."""
    match error:
        case aiohttp.ClientConnectorCertificateError() if isinstance(error.certificate_error, OSError):
            return error.certificate_error
        case aiohttp.ClientConnectorError():
            return error.os_error
        case TimeoutError():
            return None
        case OSError() if isinstance(error.__cause__, ssl.SSLError):  # an alert that came after the handshake (TLS 1.3)
            return error.__cause__
        case OSError():
            return error
        case _:
            return None


def _broken(error: BaseException, place: str) -> RegsyncError:
    match error:
        case Flood() | Contradiction():
            return IntegrityError(f"{place}: {error}")
        case aiohttp.ClientResponseError() if _TLS_RECORD in error.message:
            return Refused(f"{place}: TLS is spoken there; remove tls: disabled")
        case aiohttp.ClientResponseError() if _TOO_MUCH.search(error.message):
            return Unavailable(f"{place}: sends more or longer headers than we read (64 KiB each, 1000 of them)")
        case aiohttp.ClientResponseError():
            return Unavailable(f"{place}: answered something that is not HTTP")
        case aiohttp.ClientPayloadError() | HttpProcessingError() | EOFError():
            return Unavailable(f"{place}: the answer ended early")
        case aiohttp.ServerDisconnectedError():
            return Unavailable(f"{place}: connection closed without an answer")
        case TimeoutError():
            return Unavailable(f"{place}: timed out connecting")
        case ValueError():
            return Refused(f"{place}: not a URL or header that can be sent")
        case _:
            return Unavailable(f"{place}: connection lost")
