"""What may go wrong with one exchange, and when: the fault schedule of the fake registry and of the token server.

A `Fault` waits for its exchange and does its action to it, once unless told otherwise. Faults are tried in the order
they were given; one exchange suffers at most one of them.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from multidict import CIMultiDict

Headers = Iterable[tuple[str, str]]


@dataclass(slots=True)
class Reply:
    """An answer before it is sent."""

    status: int
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Action:
    """What happens to an exchange; this one is harmless. Subclasses override the stages they spoil."""

    def asked(self, body: bytes) -> bytes:
        """Return the request's body as the registry gets it."""
        return body

    def instead(self) -> Reply | None:
        """Return an answer given without looking at the request, or None to have it processed."""
        return None

    def answered(self, reply: Reply) -> Reply:
        """Return the answer as it is sent."""
        return reply


@dataclass(frozen=True, slots=True)
class Status(Action):
    """Answer with this status; the request is not processed."""

    code: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def instead(self) -> Reply:
        return Reply(self.code, CIMultiDict(self.headers), self.body)


@dataclass(frozen=True, slots=True)
class Html200(Action):
    """Answer like a captive portal: status 200, a page of HTML."""

    def instead(self) -> Reply:
        page = b"<!DOCTYPE html><html><body>Please log in.</body></html>"
        return Reply(200, CIMultiDict({"Content-Type": "text/html; charset=utf-8"}), page)


@dataclass(frozen=True, slots=True)
class Redirect(Action):
    """Answer with a redirect."""

    url: str
    code: int = 307

    def instead(self) -> Reply:
        return Reply(self.code, CIMultiDict({"Location": self.url}))


@dataclass(frozen=True, slots=True)
class Change(Action):
    """Change what is answered: other headers, fewer headers, another body or status."""

    headers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    body: bytes | None = None
    status: int | None = None

    def answered(self, reply: Reply) -> Reply:
        headers = CIMultiDict(reply.headers)
        for name in self.without:
            headers.popall(name, None)
        for name, value in self.headers.items():
            headers[name] = value
        body = reply.body if self.body is None else self.body
        return Reply(self.status or reply.status, headers, body)


@dataclass(frozen=True, slots=True)
class BitFlip(Action):
    """Flip the lowest bit of the byte in the middle of what is sent: the request's body, else the answer's."""

    def asked(self, body: bytes) -> bytes:
        return _flipped(body)

    def answered(self, reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, _flipped(reply.body))


@dataclass(frozen=True, slots=True)
class KeepPart(Action):
    """Take only this many bytes of the request's body and say so, as a registry may do with a chunk."""

    size: int

    def asked(self, body: bytes) -> bytes:
        return body[: self.size]


@dataclass(frozen=True, slots=True)
class ExtraBytes(Action):
    """Send this many bytes more than there are."""

    size: int = 1

    def answered(self, reply: Reply) -> Reply:
        return Reply(reply.status, reply.headers, reply.body + b"\0" * self.size)


@dataclass(frozen=True, slots=True)
class ContentEncoding(Action):
    """Send the body compressed although nobody asked for that."""

    def answered(self, reply: Reply) -> Reply:
        headers = CIMultiDict(reply.headers)
        headers["Content-Encoding"] = "gzip"
        return Reply(reply.status, headers, gzip.compress(reply.body))


@dataclass(frozen=True, slots=True)
class ResetBefore(Action):
    """Reset the connection; the request is not processed."""


@dataclass(frozen=True, slots=True)
class ResetRequest(Action):
    """Reset the connection after this many bytes of the request's body, which are kept or not."""

    after_bytes: int
    keep: bool = False


@dataclass(frozen=True, slots=True)
class ResetInside(Action):
    """Reset the connection after this many bytes of the answer's body."""

    after_bytes: int = 1


@dataclass(frozen=True, slots=True)
class ResetAfter(Action):
    """Process the request and reset the connection: the answer is lost."""


@dataclass(frozen=True, slots=True)
class HalfBody(Action):
    """Announce the whole body, send half of it and close; an answer without a body is cut inside its headers."""


@dataclass(frozen=True, slots=True)
class NotHttp(Action):
    """Answer with bytes that are not HTTP, and close."""


@dataclass(frozen=True, slots=True)
class Stall(Action):
    """Fall silent until the registry is closed: before the answer, or after so many bytes of its body."""

    after_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SlowHeaders(Action):
    """Send the headers a byte at a time, with this pause (in seconds) before each."""

    pause: float = 0.001


def _flipped(data: bytes) -> bytes:
    if not data:
        return data
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@dataclass(frozen=True, slots=True)
class Fault:
    """The exchange to spoil: the nth that matches from now on, and those after it up to `times`.

    `kind` is one of manifest, blob, upload (POST), patch, commit, status, cancel, tags, catalog, referrers, ping,
    token; `path` a part of the path. What is left empty matches everything.
    """

    action: Action
    kind: str = ""
    method: str = ""
    path: str = ""
    nth: int = 1
    times: int = 1

    def matches(self, *, method: str, kind: str, path: str) -> bool:
        """Say whether this exchange is of those it waits for."""
        return self.method in {"", method} and self.kind in {"", kind} and self.path in path


class Schedule:
    """The faults still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    @property
    def waiting(self) -> tuple[Fault, ...]:
        """What has not happened yet: a test that expects its fault to be met finds this empty."""
        return tuple(self._waiting)

    def add(self, fault: Fault) -> None:
        self._waiting.append(fault)

    def clear(self) -> None:
        self._waiting.clear()

    def met(self, *, method: str, kind: str, path: str) -> Action:
        """Return what happens to this exchange; every fault that matches comes one nearer."""
        action: Action | None = None
        kept: list[Fault] = []
        for fault in self._waiting:
            if not fault.matches(method=method, kind=kind, path=path):
                kept.append(fault)
            elif fault.nth > 1:
                kept.append(replace(fault, nth=fault.nth - 1))
            elif action is not None:
                kept.append(fault)
            else:
                action = fault.action
                if fault.times > 1:
                    kept.append(replace(fault, times=fault.times - 1))
        self._waiting = kept
        return action or Action()
