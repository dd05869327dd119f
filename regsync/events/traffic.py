"""What went over the wire."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request got an answer; the URL comes without its query, which may hold a signature."""

    method: str
    url: str
    status: int
    authorized: bool


@dataclass(frozen=True, slots=True)
class RequestRetried:
    """A request failed in a way worth trying again; `pause` is in seconds."""

    host: str
    request: str
    attempt: int
    pause: float
    why: str
