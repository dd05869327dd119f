"""Oddities of uploads and pushes: which way bytes may go up, what is said of where they are, what is taken at all."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from multidict import CIMultiDict

from tests.support.exchange import Asked
from tests.support.fake_api import kind_of, parsed
from tests.support.fake_words import Problem, plain, refused
from tests.support.faults import Reply
from tests.support.odd.registry import Answering, Oddity, OddRegistry

_UPLOADS = frozenset({"upload", "patch", "status"})


@dataclass(frozen=True, slots=True)
class WholeBlobsAre(Oddity):
    """A blob that comes whole in the request that closes its upload is refused with this status."""

    status: int

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        whole = kind_of(asked.method, asked.path) == "commit" and asked.body
        return refused(self.status, Problem("BLOB_UPLOAD_UNKNOWN", "blob upload unknown")) if whole else then(asked)


@dataclass(frozen=True, slots=True)
class ChunksAre(Oddity):
    """A chunk is refused with this status, and its session is gone."""

    status: int

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        if kind_of(asked.method, asked.path) != "patch":
            return then(asked)
        found = parsed(asked.path)[1]
        at.repositories[found["name"]].uploads.pop(found["session"], None)
        return refused(self.status, Problem("UNSUPPORTED", "chunked uploads are not supported"))


@dataclass(frozen=True, slots=True)
class ChunksUpTo(Oddity):
    """A larger chunk (bytes) cannot be satisfied, and leaves its session as it was."""

    most: int

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        if kind_of(asked.method, asked.path) != "patch" or len(asked.body) <= self.most:
            return then(asked)
        words = f"the request body is too large and exceeds the maximum permissible limit of {self.most}B"
        return refused(416, Problem("REQUESTED_RANGE_NOT_SATISFIABLE", words))


@dataclass(frozen=True, slots=True)
class BodiesUpTo(Oddity):
    """A front turns larger bodies away (bytes)."""

    most: int

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        page = "<html><head><title>413 Request Entity Too Large</title></head></html>"
        return plain(413, page) if len(asked.body) > self.most else then(asked)


@dataclass(frozen=True, slots=True)
class PlacesAs(Oddity):
    """Where an upload goes on is written in another shape; fields are `{path}`, `{query}` and `{port}`."""

    shape: str

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        reply = then(asked)
        if kind_of(asked.method, asked.path) in _UPLOADS and reply.status in {202, 204}:
            named = urlsplit(reply.headers["Location"])
            reply.headers["Location"] = self.shape.format(path=named.path, query=named.query, port=at.port)
        return reply


@dataclass(frozen=True, slots=True)
class UploadsElsewhere(Oddity):
    """Uploads live outside of /v2/, below a path of their own."""

    below: str

    def within(self, path: str) -> str:
        found = re.fullmatch(rf"{re.escape(self.below)}/(.+)/uploads/([^/]+)", path)
        return f"/v2/{found[1]}/blobs/uploads/{found[2]}" if found else path

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        named = re.fullmatch(r"(.*)/v2/(.+)/blobs/uploads/([^/?]+)(\?.*)?", reply.headers.get("Location", ""))
        if named:
            reply.headers["Location"] = f"{named[1]}{self.below}/{named[2]}/uploads/{named[3]}"
        return reply


@dataclass(frozen=True, slots=True)
class RangeSays(Oddity):
    """How far an upload has got is counted in another way: `more` bytes too many, or the `last` chunk alone."""

    more: int = 0
    last: bool = False
    unit: str = ""

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        if kind_of(asked.method, asked.path) == "patch" and reply.status == 202:
            end = len(asked.body) - 1 if self.last else int(reply.headers["Range"].partition("-")[2])
            reply.headers["Range"] = f"{self.unit}0-{end + self.more}"
        return reply


@dataclass(frozen=True, slots=True)
class Succeeds(Oddity):
    """Success is said with other statuses, by kind of request; a kind of `mute` says nothing more."""

    by: Mapping[str, int]
    mute: bool = False

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        kind = kind_of(asked.method, asked.path)
        kind = f"{asked.method} {kind}" if kind == "manifest" else kind
        if kind in self.by and reply.status in {201, 202, 204}:
            reply.status = self.by[kind]
            if self.mute:
                reply.headers = CIMultiDict()
        return reply


@dataclass(frozen=True, slots=True)
class NoSession(Oddity):
    """Nobody can be asked how far an upload has got."""

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        asking = kind_of(asked.method, asked.path) == "status"
        return plain(405, "Method not allowed") if asking else then(asked)
