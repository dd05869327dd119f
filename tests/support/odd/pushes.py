"""Oddities of what is pushed: types that are not taken, tags that stay, repositories nobody writes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tests.support.exchange import Asked
from tests.support.fake_api import parsed
from tests.support.fake_words import Problem, refused
from tests.support.faults import Reply
from tests.support.odd.registry import Answering, Oddity, OddRegistry

_WRITING = frozenset({"POST", "PATCH", "PUT", "DELETE"})


@dataclass(frozen=True, slots=True)
class TakesOnly(Oddity):
    """Manifests of other media types are refused."""

    types: Sequence[str]
    status: int = 415
    code: str = "MANIFEST_INVALID"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        kind = asked.headers.get("Content-Type", "")
        meant = asked.method == "PUT" and parsed(asked.path)[0] == "manifest" and kind not in self.types
        return (
            refused(self.status, Problem(self.code, "manifest invalid", {"mediaType": kind})) if meant else then(asked)
        )


@dataclass(frozen=True, slots=True)
class TagsStay(Oddity):
    """A tag that is there is not written again, not even with the image it stands for."""

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        kind, found = parsed(asked.path)
        tags = at.repositories[found["name"]].tags if found.get("name") in at.repositories else {}
        if asked.method != "PUT" or kind != "manifest" or found["reference"] not in tags:
            return then(asked)
        words = f"The image tag '{found['reference']}' already exists and cannot be overwritten"
        return refused(400, Problem("TAG_INVALID", words))


@dataclass(frozen=True, slots=True)
class ReadOnly(Oddity):
    """Nothing is written to what lies below this path."""

    below: str
    status: int
    code: str
    message: str

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        meant = asked.method in _WRITING and parsed(asked.path)[1].get("name", "").startswith(self.below)
        return refused(self.status, Problem(self.code, self.message)) if meant else then(asked)


@dataclass(frozen=True, slots=True)
class ByTagOnly(Oddity):
    """Manifests are had by tag; by digest they are missing."""

    status: int = 404

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        kind, found = parsed(asked.path)
        meant = kind == "manifest" and asked.method in {"GET", "HEAD"} and ":" in found["reference"]
        return refused(self.status, Problem("MANIFEST_UNKNOWN", "manifest unknown")) if meant else then(asked)
