"""One request to a registry and its answer, as values: what callers of `Transport` build and get."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

from regsync.errors import Malformed
from regsync.registry.login.scope import Scope

_CAP = 8 << 20
_OK = frozenset({200})
_PATH = re.compile("[/?]")
_UNQUOTED = re.compile(r"[ \u0080-\U0010ffff]+")


class Headers(Mapping[str, str]):
    """Header fields whose names are compared without case.

    What came in several lines is joined with a comma, and what a proxy has said once more is said once.
    """

    def __init__(self, lines: Iterable[tuple[str, str]] = ()) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in lines:
            self._lines.setdefault(name.lower(), []).append(value)

    def __getitem__(self, name: str) -> str:
        return ", ".join(dict.fromkeys(self._lines[name.lower()]))

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return each line of this name by itself, in the order they came."""
        return tuple(self._lines.get(name.lower(), ()))


@dataclass(frozen=True, slots=True)
class Request:
    """One logical request, however many attempts, logins and redirects it takes.

    `url` is a path below the registry's origin or an absolute URL the registry named; it goes out byte for byte. With
    `anonymous` it was named by a stranger: no login goes with it, wherever it leads, and its host does not count as the
    registry.
    `expect` are the statuses that are answers and not failures, `astray` those that are so, too, from where the
    registry has sent us; `cap` bounds the body in bytes, `what` is for people.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    scopes: tuple[Scope, ...] = ()
    expect: frozenset[int] = _OK
    astray: frozenset[int] = frozenset()
    cap: int = _CAP
    attempts: int = 6
    what: str = ""
    anonymous: bool = False

    @property
    def looks(self) -> bool:
        """Say whether it only looks, and changes nothing."""
        return self.method in {"GET", "HEAD"}

    @property
    def named(self) -> str:
        """What people read: the method and `what`, or the URL without its query."""
        return f"{self.method} {self.what or self.url.partition('?')[0]}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whole. `url` is where it came from after redirects, which relative locations start from."""

    status: int
    headers: Headers
    url: str
    body: bytes

    def resolve(self, location: str) -> str:
        """Return the absolute form of a location this answer names; an absolute one stays byte for byte as it is."""
        return resolved(self.url, location)


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer whose body is still to come; errors in it are raised to whoever reads `chunks`."""

    status: int
    headers: Headers
    url: str
    chunks: AsyncIterator[bytes]


def _quoted(url: str) -> str:
    """Return a URL with what needs it quoted behind its host: some storage names files there as they are called."""
    scheme, separator, rest = url.partition("://")
    host = _PATH.split(rest, maxsplit=1)[0]
    behind = _UNQUOTED.sub(lambda found: quote(found[0], errors="surrogateescape"), rest[len(host) :])
    return f"{scheme}{separator}{host}{behind}"


def resolved(url: str, location: str) -> str:
    """Return where a location points that was named by the answer from `url` (RFC 9110, section 10.2.2)."""
    location = location.strip().partition("#")[0]
    scheme, separator, _ = location.partition("://")
    try:
        urlsplit(location)
        return _quoted(location if separator and scheme.isalnum() else urljoin(url, location))
    except ValueError:
        raise Malformed(f"{urlsplit(url).hostname} names a location that is no URL") from None
