"""What cannot be answered is said in the form others have there: one `error` in JSON below `/api`, else a line."""

from __future__ import annotations

import logging
from typing import Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Handler, Middleware

from regsync.events import Tell, Warned
from regsync.web.parameters import answer

_BUG: Final = "A bug kept a question over HTTP from being answered"
_KEPT: Final = ("Allow", "Retry-After", "WWW-Authenticate")


def said_plainly(tell: Tell) -> Middleware:
    """Return what makes answers of refusals; a bug of ours ends here, and is told."""

    @web.middleware
    async def plainly(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPException as refusal:
            if refusal.status < 400:
                raise
            return _said(request, refusal.status, _why(refusal), refusal)
        except ConnectionError:  # nobody is there any more
            raise
        except Exception as bug:  # noqa: BLE001 - whoever asks must not see it, and others are still to be answered
            tell(Warned(_BUG, {"error": type(bug).__name__}))
            return _said(request, 500, "a bug in regsync; its log has a line about it")

    return plainly


def bugs_alone(tell: Tell) -> logging.Logger:
    """Return a log for the HTTP library, which has tracebacks for whatever is no HTTP: that is answered, not told."""

    class Told(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            error = record.exc_info[1] if record.exc_info else None
            if not isinstance(error, HttpProcessingError | ConnectionError):  # or nobody is there any more
                tell(Warned(_BUG, {"error": type(error).__name__}))

    log = logging.Logger("regsync.web", logging.ERROR)  # noqa: LOG001 - nobody else is to find it
    log.addHandler(Told())
    return log


def _said(request: web.Request, status: int, why: str, refusal: web.HTTPException | None = None) -> web.Response:
    if request.path.startswith("/api/"):
        said = answer({"error": why}, status=status)
    else:
        said = web.Response(status=status, text=f"{why}\n")
    if refusal is not None:
        said.headers.update({name: refusal.headers[name] for name in _KEPT if name in refusal.headers})
    return said


def _why(refusal: web.HTTPException) -> str:
    """Return what is said of it, be it only the name of its status."""
    text = (refusal.text or "").strip()
    return refusal.reason if text in {"", f"{refusal.status}: {refusal.reason}"} else text
