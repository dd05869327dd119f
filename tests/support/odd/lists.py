"""Oddities of lists: where the next page is said to be, what a cursor looks like, what may not be listed."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.support.exchange import Asked
from tests.support.fake_api import kind_of, parsed
from tests.support.fake_words import Problem, refused
from tests.support.faults import Reply
from tests.support.odd.registry import Answering, Oddity, OddRegistry

_LISTS = frozenset({"tags", "catalog", "referrers"})


@dataclass(frozen=True, slots=True)
class LinksAs(Oddity):
    """The next page is named in a shape of its own.

    `shape` may use `{path}`, `{query}`, `{tail}` (the path without the first part of the repository's), `{rest}` (what
    comes behind /v2/) and `{port}`.
    """

    shape: str

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        reply = then(asked)
        if kind_of(asked.method, asked.path) in _LISTS and "Link" in reply.headers:
            named = urlsplit(reply.headers["Link"].partition(">")[0].removeprefix("<"))
            rest = named.path.removeprefix("/v2/")
            tail = "/v2/" + rest.partition("/")[2]
            fields = {"path": named.path, "query": named.query, "tail": tail, "rest": rest, "port": at.port}
            reply.headers["Link"] = self.shape.format(**fields)
        return reply


@dataclass(frozen=True, slots=True)
class CursorAs(Oddity):
    """Lists go on after a token that only the registry can read, in a parameter of its own; no other will do."""

    name: str

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        if kind_of(asked.method, asked.path) not in _LISTS:
            return then(asked)
        if token := asked.query.get(self.name, ""):
            try:
                last = urlsafe_b64decode(token).decode().removeprefix("after:")
            except ValueError:
                return refused(400, Problem("UNSUPPORTED", "Invalid parameter at 'nextToken'"))
            asked = replace(asked, query={**asked.query, "last": last})
        reply = then(asked)
        if "Link" in reply.headers:
            named, _, parameters = reply.headers["Link"].partition(">")
            path, _, query = named.removeprefix("<").partition("?")
            found = {key: values[-1] for key, values in parse_qs(query).items()}
            token = urlsafe_b64encode(f"after:{found.pop('last')}".encode()).decode()
            reply.headers["Link"] = f"<{path}?{urlencode({self.name: token, **found})}>{parameters}"
        return reply


@dataclass(frozen=True, slots=True)
class Unlisted(Oddity):
    """This list is nobody's to see."""

    kind: str
    status: int
    code: str = "UNAUTHORIZED"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        meant = kind_of(asked.method, asked.path) == self.kind
        words = "access to the requested list is not granted"
        return at.denied(asked, self.status, Problem(self.code, words)) if meant else then(asked)


@dataclass(frozen=True, slots=True)
class ListsCarry(Oddity):
    """Lists of tags come with more keys than the specification knows, and under another content type."""

    more: Mapping[str, Any]
    content_type: str = "application/json"

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        del at
        reply = then(asked)
        if parsed(asked.path)[0] == "tags" and reply.status == 200:
            reply.body = json.dumps({**self.more, **json.loads(reply.body)}).encode()
            reply.headers["Content-Type"] = self.content_type
        return reply


@dataclass(frozen=True, slots=True)
class NoReferrersApi(Oddity):
    """The referrers API is refused in a way of the registry's own."""

    status: int
    code: str = "MANIFEST_UNKNOWN"
    location: str = ""

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        if kind_of(asked.method, asked.path) != "referrers":
            return then(asked)
        reply = refused(self.status, Problem(self.code, "manifest unknown"))
        if self.location:
            reply.headers["Location"] = f"{at.url}{self.location}"
        return reply
