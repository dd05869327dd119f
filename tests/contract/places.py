"""Where a `Repository` may lie, each place with a way to reach behind it: what the contract is run over."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from regsync.clock import SystemClock
from regsync.events import ignore
from regsync.layout.layouts import Layouts
from regsync.limits import Limits
from regsync.oci.digest import Digest
from regsync.oci.reference import RegistryReference
from regsync.oci.referrers import fallback_tag
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from regsync.repository import Repository
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER, FakeRegistry, Features
from tests.support.fake_store import Stored
from tests.support.memory import MemoryRepository
from tests.support.real import RegistryProcess
from tests.support.registries import REAL

PLACES = ("memory", "modern memory", "layout", "fake", "modern fake", "mirrored fake", *REAL)


def without(*kinds: str) -> pytest.MarkDecorator:
    """Have a test run in all places but these, which do not keep the promise; beside it stands why."""
    return pytest.mark.parametrize("place", [kind for kind in PLACES if kind not in kinds], indirect=True)


@dataclass(frozen=True, slots=True)
class Place:
    """A repository nobody has used yet, a `sibling` it may adopt from, and a `stranger`: the same one opened anew.

    `spoil` puts other bytes behind a digest that is there. `heals` says whether a put repairs what was spoilt, `mounts`
    whether blobs are adopted from the sibling, `keeps_algorithm` whether sha512 stays sha512.
    """

    repository: Repository
    sibling: Repository
    stranger: Repository
    spoil: Callable[[Digest, bytes], None]
    referrers: Callable[[Digest], Awaitable[list[str]]]
    heals: bool = True
    mounts: bool = True
    keeps_algorithm: bool = True


def _listed_under_tag(repository: Repository) -> Callable[[Digest], Awaitable[list[str]]]:
    async def referrers(digest: Digest) -> list[str]:
        index = await repository.get_manifest(fallback_tag(digest))
        return [str(child.digest) for child in index.children]

    return referrers


@asynccontextmanager
async def in_memory(*, lists_referrers: bool = False) -> AsyncIterator[Place]:
    """A repository in dictionaries."""
    repository = MemoryRepository()
    repository.lists_referrers = lists_referrers

    def spoil(digest: Digest, data: bytes) -> None:
        if digest in repository.blobs:
            repository.blobs[digest] = data
        else:
            repository.lies[digest] = data

    async def listed(digest: Digest) -> list[str]:
        subjects = {str(each.digest): each.subject for each in repository.manifests.values()}
        return [each for each, subject in subjects.items() if subject is not None and subject.digest == digest]

    referrers = listed if lists_referrers else _listed_under_tag(repository)
    yield Place(repository, MemoryRepository("memory/sibling"), repository, spoil, referrers=referrers)


@asynccontextmanager
async def in_layout(folder: Path) -> AsyncIterator[Place]:
    """A layout directory that is not there yet."""

    def spoil(digest: Digest, data: bytes) -> None:
        (folder / "layout" / "blobs" / digest.algorithm / digest.hex).write_bytes(data)

    layouts, others = Layouts(SystemClock()), Layouts(SystemClock())
    try:
        async with (
            layouts.writing(str(folder / "layout")) as repository,
            layouts.writing(str(folder / "sibling")) as sibling,
        ):
            stranger = others.open(str(folder / "layout"))
            referrers = _listed_under_tag(stranger)
            yield Place(repository, sibling, stranger, spoil, referrers=referrers)
    finally:
        layouts.close()
        others.close()


@asynccontextmanager
async def opened(host: str, *mirrors: str) -> AsyncIterator[Registries]:
    """The registries of a process that knows this one and its mirrors, over plain HTTP."""
    known = {name: HostSettings(name=name, hostname=name, tls="disabled") for name in mirrors}
    async with Registries(
        {host: HostSettings(name=host, hostname=host, tls="disabled", mirrors=mirrors), **known},
        MANNER,
        limits=Limits(lambda _: None),
        clock=FakeClock(instant=True),
        tell=ignore,
    ) as registries:
        yield registries


@asynccontextmanager
async def in_fake(features: Features, *mirrors: FakeRegistry) -> AsyncIterator[Place]:
    """A repository of the fake registry, read through these mirrors."""
    async with AsyncExitStack() as stack:
        fake = await stack.enter_async_context(FakeRegistry(features=features))
        for mirror in mirrors:
            await stack.enter_async_context(mirror)
        ours = await stack.enter_async_context(opened(fake.host, *(mirror.host for mirror in mirrors)))
        open_in = ours.source if mirrors else partial(ours.repository, push=True)
        theirs = await stack.enter_async_context(opened(fake.host))

        def spoil(digest: Digest, data: bytes) -> None:
            found = fake.repositories["a/b"]
            if str(digest) in found.blobs:
                found.blobs[str(digest)] = data
            else:
                found.manifests[str(digest)] = Stored(found.manifests[str(digest)].media_type, data)

        async def listed(digest: Digest) -> list[str]:
            return [each for each, _ in fake.repositories["a/b"].referrers(str(digest))]

        stranger = theirs.repository(RegistryReference(fake.host, "a/b"))
        yield Place(
            open_in(RegistryReference(fake.host, "a/b")),
            open_in(RegistryReference(fake.host, "c/d")),
            stranger,
            spoil,
            referrers=listed if features.referrers else _listed_under_tag(stranger),
            keeps_algorithm=features.keeps_algorithm,
        )


@asynccontextmanager
async def in_real(registry: RegistryProcess, name: str) -> AsyncIterator[Place]:
    """A repository of a real registry that others use too."""

    def spoil(digest: Digest, data: bytes) -> None:
        registry.file_of(str(digest)).write_bytes(data)

    async with opened(registry.host) as ours, opened(registry.host) as theirs:
        stranger = theirs.repository(RegistryReference(registry.host, name))
        yield Place(
            ours.repository(RegistryReference(registry.host, name), push=True),
            ours.repository(RegistryReference(registry.host, f"{name}-sibling"), push=True),
            stranger,
            spoil,
            referrers=_listed_by(registry, name) if registry.lists_referrers else _listed_under_tag(stranger),
            heals=False,
            mounts=registry.mounts,
            keeps_algorithm=registry.keeps_algorithm,
        )


def _listed_by(registry: RegistryProcess, name: str) -> Callable[[Digest], Awaitable[list[str]]]:
    """Ask the registry itself, past everything of ours."""

    async def referrers(digest: Digest) -> list[str]:
        heard = await asyncio.to_thread(registry.get, f"/v2/{name}/referrers/{digest}")
        found = [each["digest"] for each in json.loads(heard)["manifests"]]
        return [*dict.fromkeys(found)]  # ferro lists what was put twice twice

    return referrers


@asynccontextmanager
async def alone_in(registry: RegistryProcess, name: str) -> AsyncIterator[Place]:
    """A repository of a registry that nobody else uses, started for it."""
    with registry:
        async with in_real(registry, name) as place:
            yield place
