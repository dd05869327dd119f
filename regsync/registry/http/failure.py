"""What a registry says when it says no, as one line of text and one exception of ours.

Error bodies are a stranger's text: they are read up to a cap, shortened, and stripped of control characters.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus

from regsync.errors import (
    AccessDenied,
    Failing,
    Forbidden,
    IntegrityError,
    InvalidReference,
    NoSuchRepository,
    NotFound,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.registry.http.retry import Worth, worth_of_status
from regsync.text import plain

ERROR_CAP = 64 << 10  # bytes of an error body that are read
_SHOWN = 4096  # characters of it that are shown

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


@dataclass(frozen=True, slots=True)
class Complaint:
    """What an OCI error body says: code (empty where there is none) and words of its first error, codes of them all.

    docker-registry names the true reason second: while somebody else writes the link of a blob, a manifest with that
    blob is DIGEST_INVALID and MANIFEST_BLOB_UNKNOWN.
    """

    code: str
    words: str
    codes: frozenset[str] = frozenset()


def complaint_of(body: bytes) -> Complaint:
    """Read an error body (distribution-spec: Error Codes); what is no such document says nothing worth showing."""
    try:
        errors = json.loads(body)["errors"]
        first = errors[0]
        code, message, detail = first.get("code"), first.get("message"), first.get("detail")
        codes = frozenset(each["code"] for each in errors if isinstance(each.get("code"), str))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError):
        return Complaint("", "")
    words = [text for text in (message, detail) if isinstance(text, str) and text]
    shown = plain(": ".join(dict.fromkeys(words))[:_SHOWN])
    return Complaint(plain(code[:_SHOWN]) if isinstance(code, str) else "", shown, codes)


def failure_of(status: int, body: bytes, *, place: str) -> RegsyncError:
    """Return the exception for an answer that was not expected; `place` is its `METHOD what at host`."""
    said = complaint_of(body)
    phrase = "" if said.code or said.words else _phrase(status)
    text = f"{place}: " + " ".join(str(part) for part in (status, said.code, said.words, phrase) if part)
    worth = worth_of_status(status, said.code)
    if worth is Worth.AGAIN:
        return Failing(text, status=status) if status >= 500 else Unavailable(text)
    telling = status in {400, 500} or (status == 404 and said.code == _NO_NAME)
    kind = _BY_CODE.get(said.code) if telling else None
    return (kind or _BY_STATUS.get(status) or Unsupported)(text)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
