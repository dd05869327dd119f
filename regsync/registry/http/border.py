"""Where the exceptions of the HTTP library and the system become ours: nothing foreign leaves an exchange."""

from __future__ import annotations

import ssl
from types import TracebackType

import aiohttp
from aiohttp.http import HttpProcessingError

from regsync.errors import AccessDenied, IntegrityError, Refused, RegsyncError, Unavailable
from regsync.registry.http.reason import fault_of
from regsync.registry.http.retry import Worth, worth_of_status

_TLS_RECORD = r"\x15\x03"  # how the library prints the beginning of a TLS alert where HTTP was expected


class Flood(Exception):
    """A partner that does not come to the point; what it does instead is the text."""


_FOREIGN = (aiohttp.ClientError, HttpProcessingError, OSError, ValueError, EOFError, AssertionError, Flood)


class Border:
    """Turns the library's and the system's exceptions into ours; no text of theirs that may hold a URL gets out."""

    __slots__ = ("_late", "_url")

    def __init__(self, url: str, late: str = "timed out") -> None:
        self._url = url
        self._late = late

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
        place = _place(self._url)
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ConnectionTimeoutError):
            raise Unavailable(f"{place}: {self._late}") from error
        reason = _reason_of(error)
        if reason is None:
            raise _broken(error, place) from error
        via = (
            f"{place} through the proxy {error.host}:{error.port}"
            if isinstance(error, aiohttp.ClientProxyConnectionError)
            else place
        )
        raise fault_of(reason, place=via) from reason


def _place(url: str) -> str:
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2]


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
        case Flood():
            return IntegrityError(f"{place}: {error}")
        case aiohttp.ClientHttpProxyError():
            return _of_proxy(error.status, place)
        case aiohttp.ClientResponseError() if _TLS_RECORD in error.message:
            return Refused(f"{place}: TLS is spoken there; remove tls: disabled")
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


def _of_proxy(status: int, place: str) -> RegsyncError:
    said = f"{place}: the proxy answered {status}"
    if status == 407:
        return AccessDenied(f"{said}: it wants a user and password (in the environment's proxy URL)")
    return Refused(said) if worth_of_status(status) is Worth.NEVER else Unavailable(said)
