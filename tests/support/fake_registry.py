"""A registry on loopback, held in dictionaries: the distribution API with a journal, a fault schedule and knobs.

It behaves like docker-registry 2.8 as it comes, which `tests/integration/test_fake_registry.py` proves by asking
both the same; what newer registries do besides (referrers, pages of tags, mounts from anywhere) is for `Features`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

import trustme

from regsync.registry.host import Manner
from tests.support.built import Built
from tests.support.exchange import Asked, LoopbackServer
from tests.support.fake_api import answer, keep_part, kind_of, scope_of, unauthorized
from tests.support.fake_store import FakeRepository, Store
from tests.support.fake_words import MODERN, Api, Features
from tests.support.faults import Reply
from tests.support.token_server import TokenServer

__all__ = ["MANNER", "MODERN", "Basic", "Bearer", "FakeRegistry", "Features"]

MANNER = Manner(user_agent="regsync/test", blob_limit=1 << 30, certificates=())


@dataclass(frozen=True, slots=True)
class Basic:
    """A user and password the registry wants with every request."""

    user: str
    password: str
    realm: str = "regsync-tests"

    @property
    def authorization(self) -> str:
        """The header that shows both."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


@dataclass(frozen=True, slots=True)
class Bearer:
    """Tokens of this server are wanted. `challenge` replaces the whole WWW-Authenticate header."""

    server: TokenServer
    challenge: str = ""


class FakeRegistry(LoopbackServer):
    """One registry; `repositories` may be looked into and changed at any time."""

    def __init__(
        self,
        *,
        auth: Basic | Bearer | None = None,
        features: Features | None = None,
        authority: trustme.CA | None = None,
    ) -> None:
        super().__init__(authority=authority)
        self.auth = auth
        self.features = features or Features()
        self.store = Store()

    @property
    def repositories(self) -> Mapping[str, FakeRepository]:
        """What there is, by repository path."""
        return self.store.repositories

    def seed(self, repository: str, images: Mapping[str, Built], *, untagged: tuple[Built, ...] = ()) -> FakeRepository:
        """Put images there by tag, without a request."""
        found = self.store.make(repository)
        for tag, image in images.items():
            found.take(image)
            found.tags[tag] = image.digest
            found.tagged = True
        for image in untagged:
            found.take(image)
        return found

    def kind_of(self, method: str, path: str) -> str:
        return kind_of(method, path)

    def turned_away(self, asked: Asked) -> Reply | None:
        sent = asked.headers.get("Authorization", "")
        match self.auth:
            case Basic(realm=realm, authorization=wanted):
                return None if sent == wanted else unauthorized(asked, f'Basic realm="{realm}"')
            case Bearer(server=server, challenge=challenge):
                scope = scope_of(asked)
                token = sent.removeprefix("Bearer ") if sent.startswith("Bearer ") else ""
                refused = server.refusal(token, scope)
                if refused is None:
                    return None
                parameters = f'realm="{server.realm}",service="{server.service}"'
                parameters += f',scope="{scope}"' if scope else ""
                parameters += f',error="{refused}"' if refused else ""
                return unauthorized(asked, challenge or f"Bearer {parameters}")
            case None:
                return None

    def answer(self, asked: Asked) -> Reply:
        return answer(Api(self.store, self.features, self.url), asked)

    def cut(self, asked: Asked) -> None:
        if self.features.keeps_partial:
            keep_part(self.store, asked)
