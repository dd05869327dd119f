"""Changes of one index that wait together are made together: a thousand tags are not a thousand rewrites."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.layout.catalogue import Catalogue, Change
from regsync.layout.files import Files
from regsync.layout.lease import locked
from regsync.layout.paths import Paths
from regsync.layout.threads import Threads

Begin = Callable[[Callable[[], list[RegsyncError | None]]], "asyncio.Future[list[RegsyncError | None]]"]


@dataclass(slots=True, eq=False)
class _Ticket:
    change: Change | None
    settled: bool = False
    error: BaseException | None = None


class Commits:
    """The queue of changes to one layout's index. `begin` starts a commit that outlives a cancelled caller."""

    def __init__(
        self, catalogue: Catalogue, files: Files, paths: Paths, threads: Threads, *, clock: Clock, begin: Begin
    ) -> None:
        self._catalogue = catalogue
        self._files = files
        self._paths = paths
        self._threads = threads
        self._clock = clock
        self._begin = begin
        self._waiting: list[_Ticket] = []
        self._running: asyncio.Future[list[RegsyncError | None]] | None = None
        self._turn = asyncio.Lock()

    async def make(self, change: Change | None) -> None:
        """Return when the index says so, durably; without a change, when there is one."""
        ticket = _Ticket(change)
        self._waiting.append(ticket)
        try:
            async with self._turn:
                if self._running is not None:  # left behind by a cancelled caller, and perhaps ours
                    await asyncio.wait({self._running})
                if not ticket.settled:
                    await self._commit()
        finally:
            if ticket in self._waiting:
                self._waiting.remove(ticket)
        if ticket.error is not None:
            raise ticket.error

    async def _commit(self) -> None:
        path = self._paths.index_lock
        lock = await locked(path, exclusive=True, files=self._files, threads=self._threads, clock=self._clock)
        batch, self._waiting = self._waiting, []
        self._running = self._begin(partial(self._catalogue.change, [each.change for each in batch], lock=lock))
        self._running.add_done_callback(partial(self._settle, batch))
        await asyncio.wait({self._running})

    def _settle(self, batch: Sequence[_Ticket], done: asyncio.Future[list[RegsyncError | None]]) -> None:
        self._running = None
        failure = done.exception()
        refusals = [failure] * len(batch) if failure is not None else done.result()
        for ticket, error in zip(batch, refusals, strict=True):
            ticket.settled, ticket.error = True, error
