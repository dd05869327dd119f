"""A job names work to do; a queue hands each job to one worker at a time.

The queue is also where "never two runs of one entry at once" is stated: it refuses a twin of whatever waits or runs.
A remote queue plugs in here and nowhere else.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

Scope = Literal["changed", "missing"]


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one entry, small enough to send anywhere: a worker looks the entry up in its own configuration.

    `due` is when it should have begun, in UTC. Scope `missing` copies only what the target has no name for.
    """

    entry: str
    due: datetime
    scope: Scope


class QueueClosed(Exception):
    """There will be no more jobs; a signal to go home, and no failure."""


class JobQueue(Protocol):
    """Jobs on their way to workers, at most one per entry."""

    async def put(self, job: Job) -> bool:
        """Queue the job; False when its entry is already waiting or running, `QueueClosed` after `close`."""
        ...

    def withdraw(self, entry: str) -> bool:
        """Take the job of this entry out again; False when none waits."""
        ...

    def take(self) -> AbstractAsyncContextManager[Job]:
        """Lease the next job, waiting for one; until the lease is left the entry is running.

        `QueueClosed` on entering once the queue is closed. A worker cancelled while it waits takes no job with it.
        """
        ...

    def close(self) -> None:
        """Drop whatever waits and send the takers home; leases already held stay good, and again is no matter."""
        ...


class MemoryQueue:
    """A queue within this process; a job whose worker fails comes up again when its entry is next due."""

    def __init__(self) -> None:
        self._waiting: deque[Job] = deque()
        self._busy: set[str] = set()  # entries that wait or run
        self._stirred = asyncio.Event()
        self._closed = False

    async def put(self, job: Job) -> bool:
        """Queue the job; False when its entry is already waiting or running, `QueueClosed` after `close`."""
        if self._closed:
            raise QueueClosed
        if job.entry in self._busy:
            return False
        self._busy.add(job.entry)
        self._waiting.append(job)
        self._stirred.set()
        return True

    def withdraw(self, entry: str) -> bool:
        """Take the job of this entry out again; False when none waits."""
        waiting = next((job for job in self._waiting if job.entry == entry), None)
        if waiting is None:
            return False
        self._waiting.remove(waiting)
        self._busy.discard(entry)
        return True

    @asynccontextmanager
    async def take(self) -> AsyncIterator[Job]:
        """Lease the next job, waiting for one; until the lease is left the entry is running."""
        job = await self._next()
        try:
            yield job
        finally:
            self._busy.discard(job.entry)

    def close(self) -> None:
        """Drop whatever waits and send the takers home; leases already held stay good."""
        self._closed = True  # and nothing that waits is handed out any more
        self._stirred.set()

    async def _next(self) -> Job:
        # Waking hands nothing over: the job is picked up in the same step, so a cancelled taker cannot lose one.
        while not self._closed:
            if self._waiting:
                return self._waiting.popleft()
            self._stirred.clear()
            await self._stirred.wait()
        raise QueueClosed
