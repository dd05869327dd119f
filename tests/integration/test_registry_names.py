"""Tokens where a repository does not lie where it is asked for: `pathPrefix`, and fronts that rewrite paths."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from regsync.events import ignore
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from tests.support.built import image_bytes
from tests.support.clock import FakeClock
from tests.support.exchange import Asked
from tests.support.fake_registry import MANNER, Bearer, FakeRegistry
from tests.support.faults import Reply
from tests.support.images import described, put_blob, verified_once
from tests.support.token_server import Policy, TokenServer

LOGIN = ("ann", "s3cret-canary")


class Front(FakeRegistry):
    """A registry behind a front that knows its repositories as `front/...`, and leaves that away when it asks."""

    def turned_away(self, asked: Asked) -> Reply | None:
        return super().turned_away(_behind(asked))

    def answer(self, asked: Asked) -> Reply:
        return super().answer(_behind(asked))


def _behind(asked: Asked) -> Asked:
    return replace(asked, path=asked.path.replace("/front/", "/"))


@asynccontextmanager
async def opened(fake: FakeRegistry, **settings: object) -> AsyncIterator[Registries]:
    host = HostSettings(name=fake.host, hostname=fake.host, tls="disabled", user=LOGIN[0], password=LOGIN[1])
    host = replace(host, **settings)  # type: ignore[arg-type]  # a test's own words
    clock = FakeClock(instant=True)
    async with Registries(
        {fake.host: host}, MANNER, limits=Limits(lambda name: None), clock=clock, tell=ignore
    ) as registries:
        yield registries


def scopes(tokens: TokenServer) -> list[list[str]]:
    return [parse_qs(urlsplit(each.target).query)["scope"] for each in tokens.journal]


async def test_a_token_for_a_registry_with_a_path_prefix_is_for_the_path_it_sees() -> None:
    async with TokenServer(Policy(users=dict([LOGIN]))) as tokens, FakeRegistry(auth=Bearer(tokens)) as fake:
        fake.seed("hub/library/alpine", {"3": image_bytes(b"layer")})
        async with opened(fake, path_prefix="hub") as registries:
            repository = registries.repository(RegistryReference(fake.host, "library/alpine"))
            assert await repository.head_manifest("3") is not None
    assert scopes(tokens) == [["repository:hub/library/alpine:pull"]]


async def test_a_mount_below_a_path_prefix_names_both_repositories_as_the_registry_does() -> None:
    async with TokenServer(Policy(users=dict([LOGIN]))) as tokens, FakeRegistry(auth=Bearer(tokens)) as fake:
        fake.seed("hub/one", {"v": image_bytes(b"a layer")})
        async with opened(fake, path_prefix="hub") as registries:
            one = registries.repository(RegistryReference(fake.host, "one"))
            two = registries.repository(RegistryReference(fake.host, "two"), push=True)
            await put_blob(two, verified_once(b"something else"))
            assert await two.adopt_blob(described(b"a layer"), one)
    assert scopes(tokens) == [
        ["repository:hub/two:pull,push"],
        ["repository:hub/two:pull,push", "repository:hub/one:pull"],
    ]


@pytest.mark.parametrize("prefix", ["", "front"])
async def test_the_scope_a_front_names_is_asked_for_with_one_challenge_for_each_repository(prefix: str) -> None:
    async with TokenServer(Policy(users=dict([LOGIN]))) as tokens, Front(auth=Bearer(tokens)) as fake:
        for path in ("a", "b"):
            fake.seed(path, {"v": image_bytes(b"layer")})
        above = "" if prefix else "front/"
        async with opened(fake, path_prefix=prefix) as registries:
            for path in ("a", "b", "a", "b"):
                repository = registries.repository(RegistryReference(fake.host, f"{above}{path}"))
                assert await repository.head_manifest("v") is not None
        assert fake.count(status=401) == 2
    assert scopes(tokens) == [["repository:a:pull"], ["repository:b:pull"]]
