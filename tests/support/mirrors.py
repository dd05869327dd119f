"""A registry with mirrors, to be read from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from regsync.events import Event, Warned
from regsync.limits import Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.reference import RegistryReference
from regsync.registry.host import HostSettings
from regsync.registry.registries import Registries
from regsync.repository import Repository
from regsync.transfer.proof import Proof
from tests.support.built import image_bytes, some_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import MANNER, MODERN, FakeRegistry

LAYER = some_bytes(300_000, "of a mirrored image")
IMAGE = image_bytes(LAYER)
UPSTREAM = "upstream.example"


@dataclass(slots=True)
class World:
    """A registry, and mirrors of it; everything is asked of `repository`."""

    upstream: FakeRegistry
    mirrors: list[FakeRegistry]
    limits: Limits
    told: list[Event] = field(default_factory=list)
    registries: Registries | None = None

    @property
    def repository(self) -> Repository:
        assert self.registries is not None
        return self.registries.source(RegistryReference(UPSTREAM, "app"))

    @property
    def complaints(self) -> list[str]:
        return [str(event.fields.get("mirror")) for event in self.told if isinstance(event, Warned)]

    def asked(self) -> list[tuple[str, str]]:
        """Who was asked what, in order of the registries and not of time."""
        names = {self.upstream.host: "upstream"} | {each.host: f"m{at}" for at, each in enumerate(self.mirrors)}
        return [(names[one.host], each.method) for one in (*self.mirrors, self.upstream) for each in one.journal]


@asynccontextmanager
async def world(
    *priorities: int,
    own: int = 0,
    slots: int | None = None,
    mirrors: tuple[FakeRegistry, ...] = (),
    disable_head: bool = False,
) -> AsyncIterator[World]:
    """Start a registry that has the image as `app:v1`, and empty mirrors of these priorities."""
    upstream = FakeRegistry(features=MODERN)
    mirrors = mirrors or tuple(FakeRegistry(features=MODERN) for _ in priorities)
    async with upstream, started(list(mirrors)):
        upstream.seed("app", {"v1": IMAGE})
        hosts = {
            each.host: HostSettings(each.host, each.host, tls="disabled", priority=priority)
            for each, priority in zip(mirrors, priorities, strict=True)
        }
        names = tuple(hosts)
        hosts[UPSTREAM] = HostSettings(
            UPSTREAM, upstream.host, tls="disabled", mirrors=names, priority=own, disable_head=disable_head
        )
        made = World(upstream, list(mirrors), Limits(lambda _: slots))
        async with Registries(
            hosts, MANNER, limits=made.limits, clock=FakeClock(instant=True), tell=made.told.append
        ) as made.registries:
            yield made


@asynccontextmanager
async def started(registries: list[FakeRegistry]) -> AsyncIterator[None]:
    if not registries:
        yield
        return
    async with registries[0], started(registries[1:]):
        yield


def layer() -> Descriptor:
    return Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", Digest.parse(digest_of_layer()), len(LAYER))


def digest_of_layer() -> str:
    return next(digest for digest, data in IMAGE.blobs.items() if data == LAYER)


async def bytes_of(repository: Repository, *, start: int = 0) -> bytes:
    async with repository.open_blob(layer(), start=start) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def proved_bytes_of(repository: Repository) -> bytes:
    """Read the blob as a copy does, which proves it while it holds it open."""
    async with repository.open_blob(layer()) as chunks:
        proof = Proof(layer())
        found = b""
        async for chunk in chunks:
            proof.add(chunk)
            found += chunk
        proof.finish()
        return found
