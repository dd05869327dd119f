"""A fake registry with oddities: switches between the plain fake and whoever asks, each of which changes one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import trustme

from tests.support.exchange import Asked
from tests.support.fake_registry import Basic, Bearer, FakeRegistry, Features
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

    `also` will do in place of what `auth` wants.
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

    def called(self, repository: str) -> str:
        """Return what the registry itself calls a repository that people know by this path."""
        return self._within(f"/v2/{repository}/tags/list").removeprefix("/v2/").removesuffix("/tags/list")

    def kind_of(self, method: str, path: str) -> str:
        return super().kind_of(method, self._within(path))

    def turned_away(self, asked: Asked) -> Reply | None:
        if self.also is not None and asked.headers.get("Authorization") == self.also.authorization:
            return None
        return super().turned_away(self._behind(asked))

    def answer(self, asked: Asked) -> Reply:
        then: Answering = super().answer
        for oddity in reversed(self.oddities):
            then = partial(oddity.answer, then=then, at=self)
        return then(self._behind(asked))

    def _within(self, path: str) -> str:
        for oddity in self.oddities:
            path = oddity.within(path)
        return path

    def _behind(self, asked: Asked) -> Asked:
        return replace(asked, path=self._within(asked.path))
