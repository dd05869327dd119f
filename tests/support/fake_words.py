"""What the parts of the fake registry share: what it can do, what it answers from, and how it says no."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from multidict import CIMultiDict

from tests.support.built import compact
from tests.support.fake_store import Store
from tests.support.faults import Reply


@dataclass(frozen=True, slots=True)
class Features:
    """What the registry can do besides; as it comes it is a docker-registry 2.8.

    `mounts` False opens an upload for whoever wants a mount, as ferro and crane's registry do. `page_size` caps pages
    of tags, of referrers and of the catalogue; 0 stands for lists without pages. `min_chunk` is announced in bytes.
    `names_digests` False leaves Docker-Content-Digest away. `keeps_algorithm` True stores what came by sha512 under
    sha512, and takes `?digest=` with a tag. `strict_chunks` False takes chunks out of order, as 2.8 does.
    `keeps_partial` keeps what came of a body that was cut, where 2.8 loses the session.
    """

    referrers: bool = False
    mounts: bool = True
    anonymous_mount: bool = False
    single_post: bool = False
    page_size: int = 0
    absolute_links: bool = False
    relative_locations: bool = False
    min_chunk: int = 0
    names_digests: bool = True
    keeps_algorithm: bool = False
    strict_chunks: bool = True
    keeps_partial: bool = False


ABSENT: Final = object()
_PLAIN = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
MODERN = Features(
    referrers=True,
    anonymous_mount=True,
    single_post=True,
    page_size=100,
    keeps_algorithm=True,
    keeps_partial=True,
)


@dataclass(frozen=True, slots=True)
class Api:
    """Everything a request is answered from."""

    store: Store
    features: Features
    url: str

    def location(self, path: str) -> str:
        """Return a path as it is written in Location."""
        return path if self.features.relative_locations else f"{self.url}{path}"


@dataclass(frozen=True, slots=True)
class Problem:
    """One OCI error (distribution-spec: Error Codes); without a `detail` it has none, not even null."""

    code: str
    message: str
    detail: Any = ABSENT


def refused(status: int, *problems: Problem) -> Reply:
    """Return an answer that names problems."""
    errors = [
        {"code": each.code, "message": each.message} | ({} if each.detail is ABSENT else {"detail": each.detail})
        for each in problems
    ]
    return as_json({"errors": errors}, status=status)


def as_json(document: dict[str, Any], *, status: int = 200) -> Reply:
    """Return a document as docker-registry writes it, with a newline behind it."""
    headers = CIMultiDict({"Content-Type": "application/json; charset=utf-8"})
    return Reply(status, headers, compact(document) + b"\n")


def plain(status: int, text: str, **headers: str) -> Reply:
    """Return a line of text, as Go's router says what it cannot route."""
    return Reply(status, CIMultiDict(_PLAIN | headers), f"{text}\n".encode())


def done(status: int, headers: dict[str, str]) -> Reply:
    """Return an answer without a body."""
    return Reply(status, CIMultiDict(headers))


def blob_unknown(digest: str) -> Reply:
    return refused(404, Problem("BLOB_UNKNOWN", "blob unknown to registry", digest))


def digest_invalid(detail: Any = ABSENT) -> Reply:
    return refused(400, Problem("DIGEST_INVALID", "provided digest did not match uploaded content", detail))


def ranged(data: bytes, wanted: str, headers: CIMultiDict[str]) -> Reply:
    """Return a body, or the one range of it that was asked for (RFC 9110, 14.2)."""
    if not wanted:
        return Reply(200, headers, data)
    found = re.fullmatch(r"bytes=([0-9]*)-([0-9]*)", wanted)
    if not found or not (found[1] or found[2]):
        return _unsatisfiable(headers, "invalid range")
    start = int(found[1]) if found[1] else max(len(data) - int(found[2]), 0)
    end = min(int(found[2]) + 1, len(data)) if found[1] and found[2] else len(data)
    if start >= len(data):
        headers["Content-Range"] = f"bytes */{len(data)}"
        return _unsatisfiable(headers, "invalid range: failed to overlap")
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Reply(206, headers, data[start:end])


def _unsatisfiable(headers: CIMultiDict[str], text: str) -> Reply:
    headers.update(_PLAIN)
    headers.popall("Accept-Ranges", None)
    return Reply(416, headers, f"{text}\n".encode())
