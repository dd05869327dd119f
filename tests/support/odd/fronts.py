"""Oddities of what stands before a registry: bodies packed on the way, labels that lie, paths that are rewritten."""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.exchange import Asked
from tests.support.fake_api import kind_of
from tests.support.faults import Reply
from tests.support.odd.registry import Answering, Oddity, OddRegistry


@dataclass(frozen=True, slots=True)
class Packs(Oddity):
    """Answers of these kinds are packed, for whoever lets them or for all; weak etags, as nginx makes them."""

    kinds: Sequence[str]
    unasked: bool = False

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        allowed = self.unasked or "gzip" in asked.headers.get("Accept-Encoding", "")
        if allowed and asked.method == "GET" and reply.status == 200 and kind_of("GET", asked.path) in self.kinds:
            reply.body = gzip.compress(reply.body, mtime=0)
            reply.headers["Content-Encoding"] = "gzip"
            if "Etag" in reply.headers:
                reply.headers["Etag"] = f"W/{reply.headers['Etag']}"
        return reply


@dataclass(frozen=True, slots=True)
class LabelsAsPacked(Oddity):
    """Blobs come as they are, and are said to be packed."""

    encoding: str = "x-gzip"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        if asked.method == "GET" and kind_of("GET", asked.path) == "blob" and reply.status in {200, 206}:
            reply.headers["Content-Encoding"] = self.encoding
        return reply


@dataclass(frozen=True, slots=True)
class Below(Oddity):
    """Repositories lie below a path that the registry itself does not know of; uploads are named with it."""

    front: str

    def within(self, path: str) -> str:
        return path.replace(f"/v2/{self.front}/", "/v2/", 1)

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        if "Location" in reply.headers and "/bucket/" not in reply.headers["Location"]:
            reply.headers["Location"] = re.sub(r"/v2/", f"/v2/{self.front}/", reply.headers["Location"], count=1)
        return reply
