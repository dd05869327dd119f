"""Endpoints in memory (repositories by name, made when first opened), and runs over them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from regsync.clock import Clock
from regsync.events import Event
from regsync.limits import Limits
from regsync.oci import mediatype
from regsync.oci.reference import Reference
from regsync.repository import Repository
from regsync.sync.engine import Engine
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.run import Run
from regsync.sync.select import EVERYTHING, Selection
from regsync.sync.survey import Looking
from tests.support.clock import FakeClock
from tests.support.memory import MemoryRepository


class MemoryEndpoints:
    """Everything there is, and what was asked of it; `tidied` lists targets in the order they were left."""

    def __init__(self) -> None:
        self.repositories_by_name: dict[str, MemoryRepository] = {}
        self.tidied: list[str] = []
        self.catalogues: dict[str, list[str]] = {}

    def at(self, name: str) -> MemoryRepository:
        """Return the repository of this name."""
        host = name.partition("/")[0]
        return self.repositories_by_name.setdefault(name, MemoryRepository(name, host=host))

    def open(self, reference: Reference, *, itself: bool = False) -> Repository:
        return self.at(reference.name)

    def writing(self, reference: Reference) -> AbstractAsyncContextManager[Repository]:
        return self._writing(reference)

    @asynccontextmanager
    async def _writing(self, reference: Reference) -> AsyncIterator[Repository]:
        yield self.at(reference.name)
        self.tidied.append(reference.name)

    async def repositories(self, host: str) -> AsyncIterator[str]:
        for path in self.catalogues[host]:
            yield path

    def asked(self, method: str) -> int:
        """How often a method was called, over all repositories."""
        return sum(repository.calls[method] for repository in self.repositories_by_name.values())


ALL = mediatype.SYNCED_BY_DEFAULT


def image(source: str, target: str, *, media_types: tuple[str, ...] = ALL) -> SyncEntry:
    return SyncEntry(f"{source} -> {target}", "image", source, target, media_types)


def repository(source: str, target: str, *, tags: Selection = EVERYTHING) -> SyncEntry:
    return SyncEntry(f"{source} -> {target}", "repository", source, target, ALL, tags=tags)


def engine_of(endpoints: MemoryEndpoints, *, images: int = 8, clock: Clock | None = None) -> Engine:
    """What runs share, with empty memories."""
    return Engine.of(endpoints, Limits(lambda host: 32), clock or FakeClock(instant=True), asyncio.Semaphore(images))


async def ran(
    endpoints: MemoryEndpoints,
    *entries: SyncEntry,
    scope: Scope = "changed",
    images: int = 8,
    abort_on_error: bool = False,
    looking: Looking | None = None,
) -> tuple[int, list[Event]]:
    seen: list[Event] = []
    engine = engine_of(endpoints, images=images)
    run = Run(engine, entries, scope=scope, abort_on_error=abort_on_error, tell=seen.append, looking=looking)
    return await run.run(), seen
