"""A fake registry with oddities: switches between the plain fake and whoever asks, each of which changes one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import trustme

from tests.support.exchange import Asked
from tests.support.fake_registry import Basic, Bearer, FakeRegistry, Features
from tests.support.fake_words import Problem, refused
from tests.support.faults import Reply
from tests.support.odd.storage import Storage

Answering = Callable[[Asked], Reply]


@dataclass(frozen=True, slots=True)
class Oddity:
    """One way in which a registry is not the plain fake; this one is none. Subclasses override what they change."""

    def within(self, path: str) -> str:
        """Return what the registry itself calls a path that was asked for."""
        return path

    def answer(self, asked: Asked, then: Answering, at: OddRegistry) -> Reply:
        """Answer a request, by what lies behind this oddity (`then`) or in its place."""
        del at
        return then(asked)


class OddRegistry(FakeRegistry):
    """One registry with these oddities; the first is the outermost. `met` is theirs to count in, by any name.

    `also` will do in place of what `auth` wants. `idle` are the oddities that made no difference so far.
    """

    def __init__(
        self,
        oddities: Sequence[Oddity] = (),
        *,
        auth: Basic | Bearer | None = None,
        features: Features | None = None,
        authority: trustme.CA | None = None,
    ) -> None:
        super().__init__(auth=auth, features=features, authority=authority)
        self.oddities = tuple(oddities)
        self.storage = Storage(self.store, authority=authority)
        self.met: Counter[str] = Counter()
        self.also: Basic | None = None
        self._used: set[str] = set()

    @property
    def idle(self) -> list[str]:
        return [str(oddity) for oddity in self.oddities if str(oddity) not in self._used]

    def called(self, repository: str) -> str:
        """Return what the registry itself calls a repository that people know by this path."""
        return self._within(f"/v2/{repository}/tags/list").removeprefix("/v2/").removesuffix("/tags/list")

    def denied(self, asked: Asked, status: int, problem: Problem) -> Reply:
        """Return a refusal; one with 401 says how to log in, whatever login there was."""
        login = self.turned_away(replace(asked, headers={})) if status == 401 else None
        return login or refused(status, problem)

    def kind_of(self, method: str, path: str) -> str:
        return super().kind_of(method, self._within(path))

    def turned_away(self, asked: Asked) -> Reply | None:
        if self.also is not None and asked.headers.get("Authorization") == self.also.authorization:
            return None
        return super().turned_away(self._behind(asked))

    def answer(self, asked: Asked) -> Reply:
        then: Answering = super().answer
        for oddity in reversed(self.oddities):
            then = partial(self._oddly, oddity, then=then)
        self._used.update(str(oddity) for oddity in self.oddities if oddity.within(asked.path) != asked.path)
        return then(self._behind(asked))

    def _oddly(self, oddity: Oddity, asked: Asked, *, then: Answering) -> Reply:
        """Answer by way of an oddity, and note whether it made a difference."""
        plain: list[Reply] = []

        def answered(asked: Asked) -> Reply:
            reply = then(asked)
            plain.append(Reply(reply.status, reply.headers.copy(), reply.body))
            return reply

        reply = oddity.answer(asked, answered, self)
        if [reply] != plain:
            self._used.add(str(oddity))
        return reply

    def _within(self, path: str) -> str:
        for oddity in self.oddities:
            path = oddity.within(path)
        return path

    def _behind(self, asked: Asked) -> Asked:
        return replace(asked, path=self._within(asked.path))
