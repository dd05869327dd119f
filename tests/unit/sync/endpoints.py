"""Endpoints in memory: repositories by name, made when first opened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from regsync.oci.reference import Reference
from regsync.repository import Repository
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

    def open(self, reference: Reference) -> Repository:
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
