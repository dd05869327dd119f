"""What is worth another try, and when: the classifier and the arithmetic of waiting. No I/O, no clock."""

from __future__ import annotations

import enum
import re
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from regsync.errors import RegsyncError, Unavailable

_FIRST, _LONGEST = 0.5, 30.0  # seconds
_TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 525), 529})
_BUSY = frozenset({429, 503})
_SECONDS = re.compile(r"[0-9]{1,12}")

# What a registry says for good, whatever status it says it with (distribution-spec: Error Codes).
_PERMANENT = frozenset(
    {
        "BLOB_UNKNOWN",
        "BLOB_UPLOAD_INVALID",
        "BLOB_UPLOAD_UNKNOWN",
        "DENIED",
        "DIGEST_INVALID",
        "MANIFEST_BLOB_UNKNOWN",
        "MANIFEST_INVALID",
        "MANIFEST_UNKNOWN",
        "MANIFEST_UNVERIFIED",
        "NAME_INVALID",
        "NAME_UNKNOWN",
        "SIZE_INVALID",
        "TAG_INVALID",
        "UNAUTHORIZED",
        "UNSUPPORTED",
    }
)


class Worth(enum.Enum):
    """How often a failure is worth another try."""

    AGAIN = enum.auto()
    ONCE = enum.auto()
    NEVER = enum.auto()


def worth_of_status(status: int, code: str = "") -> Worth:
    """Classify a status and the OCI error code that came with it.

    A success that is none of those expected comes from something in between (a portal, a proxy's page).
    """
    if code == "TOOMANYREQUESTS" or 200 <= status < 300:
        return Worth.AGAIN
    if status not in _TRANSIENT:
        return Worth.NEVER
    return Worth.ONCE if status == 500 and code in _PERMANENT else Worth.AGAIN


def worth_of(error: RegsyncError) -> Worth:
    """Classify a failure that has no status: what broke on the way is worth another try, a name nobody knows one."""
    if not isinstance(error, Unavailable):
        return Worth.NEVER
    cause = error.__cause__
    unknown = isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_NONAME
    return Worth.ONCE if unknown else Worth.AGAIN


def is_strain(status: int) -> bool:
    """Say whether a status means that the host has too much to do."""
    return status in _BUSY


def is_outage(status: int) -> bool:
    """Say whether a status comes from what stands before a registry that is away; a 500 may be about one thing only."""
    return status in _TRANSIENT and status not in {408, 425, 500}


def back_off(attempt: int, *, draw: Callable[[], float]) -> float:
    """Return the seconds to wait after the n-th attempt failed: 0.5 s doubled up to 30 s, full jitter."""
    return draw() * min(_LONGEST, _FIRST * 2.0 ** (attempt - 1))


def retry_after(value: str, now: datetime) -> float | None:
    """Read Retry-After as seconds from now (RFC 9110, 10.2.3).

    None where it says nothing usable, something past, or no time at all: that is no pause, so our own applies.
    """
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return float(text) or None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None
