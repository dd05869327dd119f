"""Oddities of registries that are looked at: HEAD, what is missing, storage, pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from multidict import CIMultiDict

from tests.support.exchange import Asked
from tests.support.fake_api import kind_of, parsed
from tests.support.fake_words import Problem, refused
from tests.support.faults import Reply
from tests.support.odd.registry import Answering, Oddity, OddRegistry

_CONTENT = frozenset({"manifest", "blob"})
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class HeadSays(Oddity):
    """HEAD of this kind of content is answered with a status, whatever is there."""

    kind: str
    status: int = 404

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        meant = asked.method == "HEAD" and kind_of(asked.method, asked.path) == self.kind
        return Reply(self.status) if meant else then(asked)


@dataclass(frozen=True, slots=True)
class NamesWrongly(Oddity):
    """By tag (by these methods), manifests are answered for with this digest, whatever they have."""

    digest: str = f"sha256:{'5' * 64}"
    methods: Sequence[str] = ("GET", "HEAD")

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        kind, found = parsed(asked.path)
        reply = then(asked)
        by_tag = kind == "manifest" and ":" not in found["reference"]
        if by_tag and asked.method in self.methods and reply.status == 200:
            reply.headers["Docker-Content-Digest"] = self.digest
        return reply


@dataclass(frozen=True, slots=True)
class MissingIs(Oddity):
    """What is not there may not be looked at: no 404 for manifests and blobs; 401 says how to log in."""

    status: int
    code: str = "DENIED"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        reply = then(asked)
        if reply.status != 404 or asked.method not in _READING or kind_of(asked.method, asked.path) not in _CONTENT:
            return reply
        return at.denied(asked, self.status, Problem(self.code, "access denied"))


@dataclass(frozen=True, slots=True)
class BlobsFromStorage(Oddity):
    """Blobs are had from storage, by a redirect to a URL signed for GET alone (`to` takes the place of its origin).

    `heads` False answers HEAD without a redirect.
    """

    status: int = 307
    to: str = ""
    heads: bool = True

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        kind, found = parsed(asked.path)
        reply = then(asked)
        if kind != "blob" or asked.method not in _READING or reply.status not in {200, 206, 302, 307}:
            return reply
        if asked.method == "HEAD" and not self.heads:
            return reply
        place = at.storage.signed(found["name"], found["digest"])
        return Reply(self.status, CIMultiDict({"Location": place.replace(at.storage.url, self.to or at.storage.url)}))


@dataclass(frozen=True, slots=True)
class Throttles(Oddity):
    """Every so many requests (of these methods) one is turned away, `pause` being its Retry-After."""

    every: int
    methods: Sequence[str] = ("GET", "HEAD", "POST", "PATCH", "PUT")
    pause: str = ""
    message: str = "Rate exceeded"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        if asked.method not in self.methods:
            return then(asked)
        at.met["throttled"] += 1
        if at.met["throttled"] % self.every:
            return then(asked)
        reply = refused(429, Problem("TOOMANYREQUESTS", self.message))
        if self.pause:
            reply.headers["Retry-After"] = self.pause
        return reply


@dataclass(frozen=True, slots=True)
class RepositoryMustExist(Oddity):
    """Nothing is made by pushing to it: a repository somebody has not made before is unknown."""

    status: int = 404

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        name = parsed(asked.path)[1].get("name", "")
        if not name or name in at.repositories:
            return then(asked)
        words = f"The repository with name '{name}' does not exist in the registry with id '123456789012'"
        return refused(self.status, Problem("NAME_UNKNOWN", words))


@dataclass(frozen=True, slots=True)
class KeptBack(Oddity):
    """Manifests may not be had for a reason of the registry's own."""

    status: int
    code: str
    message: str

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        meant = asked.method in _READING and kind_of(asked.method, asked.path) == "manifest"
        return refused(self.status, Problem(self.code, self.message)) if meant else then(asked)
