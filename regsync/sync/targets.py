"""The targets of one run, each opened once and held until the run ends; a check only looks.

They are left beside each other, too: one that cannot be left in peace (tidied, say) or hangs hurts no other.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from regsync.errors import RegsyncError
from regsync.events import Tell, Warned
from regsync.limits import KeyedLock
from regsync.oci.reference import Reference
from regsync.repository import Endpoints, Repository
from regsync.transfer.seen import Seen
from regsync.transfer.together import together


class Targets:
    """Opens targets by reference while it is entered."""

    def __init__(self, endpoints: Endpoints, seen: Seen, *, writing: bool, tell: Tell) -> None:
        self._endpoints = endpoints
        self._seen = seen
        self._writing = writing
        self._tell = tell
        self._opened: dict[str, Repository] = {}
        self._held: list[tuple[str, AbstractAsyncContextManager[Repository]]] = []
        self._one_opener = KeyedLock()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async def leave(name: str, held: AbstractAsyncContextManager[Repository]) -> None:
            try:
                await held.__aexit__(kind, error, trace)
            except RegsyncError as trouble:  # what was copied is not touched by that
                self._tell(Warned("Failed to tidy a target", {"target": name, "error": str(trouble)}))

        held, self._held = self._held, []
        await together(leave(name, context) for name, context in held)

    async def open(self, reference: Reference) -> Repository:
        """Return the repository of a target, opened for the rest of the run."""
        opened = self._opened.get(reference.name)
        if opened is not None:
            return opened
        async with self._one_opener(reference.name):
            if reference.name not in self._opened:
                self._opened[reference.name] = await self._open(reference)
            return self._opened[reference.name]

    async def _open(self, reference: Reference) -> Repository:
        if not self._writing:
            return self._endpoints.open(reference, itself=True)
        held = self._endpoints.writing(reference)
        repository = await held.__aenter__()
        self._held.append((reference.name, held))
        if repository.tidied:
            self._seen.opened(repository)
        return repository
