"""What a registry says when it says no, as one line of text and one exception of ours.

Error bodies are read up to a cap; `complaint.py` makes out what they say.
"""

from __future__ import annotations

from http import HTTPStatus

from regsync.errors import (
    AccessDenied,
    Failing,
    Forbidden,
    IntegrityError,
    InvalidReference,
    NoSuchRepository,
    NotFound,
    NotOurs,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.registry.http.complaint import complaint_of, words_of
from regsync.registry.http.retry import Worth, worth_of_status

ERROR_CAP = 64 << 10  # bytes of an error body that are read

_NO_NAME = "NAME_UNKNOWN"
_BY_STATUS: dict[int, type[RegsyncError]] = {
    401: AccessDenied,
    403: Forbidden,
    404: NotFound,
    410: NotFound,
    416: Unavailable,  # what we resumed has changed
    451: AccessDenied,
}
_BY_CODE: dict[str, type[RegsyncError]] = {
    "BLOB_UNKNOWN": NotFound,
    "BLOB_UPLOAD_UNKNOWN": NotFound,
    "DENIED": AccessDenied,
    "DIGEST_INVALID": IntegrityError,
    "MANIFEST_UNKNOWN": NotFound,
    "NAME_INVALID": InvalidReference,
    _NO_NAME: NoSuchRepository,
    "SIZE_INVALID": IntegrityError,
    "TAG_INVALID": InvalidReference,
    "UNAUTHORIZED": AccessDenied,
}


def failure_of(status: int, body: bytes, *, place: str) -> RegsyncError:
    """Return the exception for an answer that was not expected; `place` is its `METHOD what at host`."""
    said = complaint_of(body)
    told = f"{status} {words_of(body) if said.code or said.words else _told(status, body)}".rstrip()
    text = f"{place}: {told}"
    worth = worth_of_status(status, said.code)
    if worth is Worth.AGAIN:
        return Failing(text, status=status) if status >= 500 else Unavailable(text)
    if status == 404 and not said.code:
        failure = NotOurs(text)
        failure.said = told
        return failure
    telling = status in {400, 500} or (status == 404 and said.code == _NO_NAME)
    kind = _BY_CODE.get(said.code) if telling else None
    return (kind or _BY_STATUS.get(status) or Unsupported)(text)


def _told(status: int, body: bytes) -> str:
    """Return what to say of a status where no registry speaks: its phrase, and what the body adds to that."""
    phrase, words = _phrase(status), words_of(body)
    added = words.removeprefix(f"{status}").strip(" -:")
    if not added or added.lower().rstrip(".!") == phrase.lower():
        return phrase
    return f"{phrase}: {added}" if phrase else added


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
