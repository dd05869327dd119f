"""Every registry of a process: settings by name, one transport a host, repositories opened from references."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Self
from weakref import WeakValueDictionary

from regsync.clock import Clock
from regsync.events import Tell
from regsync.limits import Limits
from regsync.oci.reference import RegistryReference, valid_repository
from regsync.registry.content.listing import Listing
from regsync.registry.content.session import cancel_all
from regsync.registry.content.suspended import Suspended
from regsync.registry.host import HostSettings, Learnt
from regsync.registry.http.tls import CERTIFICATES
from regsync.registry.http.transport import Transport
from regsync.registry.http.wire import Wire
from regsync.registry.login.scope import CATALOGUE
from regsync.registry.repository import RegistryRepository


class Registries:
    """The configured hosts, and those references name without a word in the configuration.

    `blob_limit` is how large a chunk, in bytes, a registry may demand (`OCI-Chunk-Min-Length`).
    """

    def __init__(
        self,
        hosts: Mapping[str, HostSettings],
        *,
        limits: Limits,
        clock: Clock,
        tell: Tell,
        user_agent: str,
        blob_limit: int = 1 << 30,
        environ: Mapping[str, str] = MappingProxyType({}),
        certificates: Path = CERTIFICATES,
    ) -> None:
        self._hosts = hosts
        self._limits = limits
        self._clock = clock
        self._tell = tell
        self._user_agent = user_agent
        self._blob_limit = blob_limit
        self._environ = environ
        self._certificates = certificates
        self._wire = Wire()
        self._transports: dict[str, Transport] = {}
        self._learnt: dict[str, Learnt] = {}
        self._suspended: dict[str, Suspended] = {}
        self._opened: WeakValueDictionary[tuple[str, str, bool], RegistryRepository] = WeakValueDictionary()

    async def __aenter__(self) -> Self:
        await self._wire.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await cancel_all(upload for suspended in self._suspended.values() for upload in suspended.everything())
        await self._wire.__aexit__(kind, error, trace)

    def repository(self, reference: RegistryReference, *, push: bool = False) -> RegistryRepository:
        """Return the repository a reference lies in, one object while anybody holds it; nothing is contacted."""
        key = (reference.registry, reference.repository, push)
        opened = self._opened.get(key)
        if opened is None:
            host = self._settings(reference.registry)
            learnt = self._learnt.get(host.name) or Learnt(host, chunk_limit=self._blob_limit, clock=self._clock)
            opened = self._opened[key] = RegistryRepository(
                self._transport(host),
                host,
                reference.repository,
                push=push,
                learnt=self._learnt.setdefault(host.name, learnt),
                suspended=self._suspended.setdefault(host.name, Suspended(self._clock)),
                clock=self._clock,
            )
        return opened

    async def catalogue(self, name: str) -> AsyncIterator[str]:
        """Every repository a registry lists; names that are no repository names are not passed on."""
        listing = Listing("/v2/_catalog", "repositories", (CATALOGUE,), f"repositories of {name}")
        async for repository in listing.read(self._transport(self._settings(name)), clock=self._clock):
            if valid_repository(repository):
                yield repository

    def _settings(self, name: str) -> HostSettings:
        return self._hosts.get(name) or HostSettings.called(name)

    def _transport(self, host: HostSettings) -> Transport:
        transport = self._transports.get(host.name)
        if transport is None:
            transport = self._transports[host.name] = Transport(
                host,
                self._wire,
                limits=self._limits,
                clock=self._clock,
                tell=self._tell,
                user_agent=self._user_agent,
                environ=self._environ,
                certificates=self._certificates,
            )
        return transport
