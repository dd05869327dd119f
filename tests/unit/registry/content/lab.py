"""Repositories of one fake registry, on a clock that belongs to the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from regsync.events import Warned
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from regsync.registry.repository import RegistryRepository
from regsync.repository import BlobWriter
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER
from tests.support.images import chunked

PIECE = 64 << 10


@dataclass(slots=True)
class Lab:
    """What a process knows of one registry."""

    registries: Registries
    host: str
    clock: FakeClock
    told: list[object] = field(default_factory=list)

    @property
    def warned(self) -> list[Warned]:
        return [event for event in self.told if isinstance(event, Warned)]

    def repository(self, path: str = "app") -> RegistryRepository:
        return self.registries.repository(RegistryReference(self.host, path), push=True)


@asynccontextmanager
async def lab(host: str, *, limits: Limits | None = None, **settings: object) -> AsyncIterator[Lab]:
    found = replace(HostSettings(name=host, hostname=host, tls="disabled"), **settings)  # type: ignore[arg-type]  # a test's own words
    clock, told = FakeClock(instant=True), list[object]()
    async with Registries(
        {host: found},
        MANNER,
        limits=limits or Limits(lambda _: None),
        clock=clock,
        tell=told.append,
    ) as registries:
        yield Lab(registries, host, clock, told)


async def push(writer: BlobWriter, data: bytes) -> None:
    """Write what the writer has not got, of this much."""
    async for chunk in chunked(data[writer.offset :], PIECE):
        await writer.write(chunk)
