"""A whole daemon on a virtual clock, with handlers that do what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.runner import Runner, Say
from regsync.daemon.schedule import Schedule
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import Event
from tests.support.clock import FakeClock, settle

START = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = 30.0


def first(*entries: str) -> list[Job]:
    return [Job(entry, START, "missing") for entry in entries]


class Daemon:
    """A runner on a virtual clock; each entry does what `script` says, or is done at once."""

    def __init__(
        self,
        schedules: dict[str, Schedule] | None = None,
        *,
        workers: int = 4,
        before: Mapping[str, Sequence[str]] | None = None,
        queue: MemoryQueue | None = None,
    ) -> None:
        self.clock = FakeClock(START)
        self.told: list[Event] = []
        self.started: list[Job] = []
        self.began: dict[str, list[float]] = {}  # seconds since the start, by entry
        self.cancelled: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.script: dict[str, Callable[[], int]] = {}
        self.says: dict[str, Say] = {}
        self.takes: dict[str, float] = {}  # seconds
        self.since: list[float] = []
        self.never: list[str] = []
        self.turns = Turns(before or {}, queue or MemoryQueue(), clock=self.clock, tell=self.told.append)
        scheduler = Scheduler(schedules or {}, self.turns, clock=self.clock, never=self.never.append)
        self.runner = Runner(
            scheduler, self.turns, self.handle, self.told.append, clock=self.clock, workers=workers, grace=GRACE
        )

    async def handle(self, job: Job, since: float, say: Say) -> int:
        self.started.append(job)
        self.began.setdefault(job.entry, []).append(self.clock.monotonic())
        self.since.append(since)
        self.says[job.entry] = say
        try:
            if job.entry in self.gates:
                await self.gates[job.entry].wait()
            if job.entry in self.takes:
                await self.clock.sleep(self.takes[job.entry])
        except asyncio.CancelledError:
            self.cancelled.append(job.entry)
            raise
        return self.script.get(job.entry, int)()

    def gate(self, *entries: str) -> None:
        self.gates.update({entry: asyncio.Event() for entry in entries})

    async def start(self, *entries: str) -> asyncio.Task[None]:
        running = asyncio.create_task(self.runner.run(first(*entries)))
        await settle()
        return running

    def events(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.told if isinstance(event, kind)]


def others() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}
