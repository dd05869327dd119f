"""A whole daemon on a virtual clock, with handlers that do what the test says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime

from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.runner import Runner
from regsync.daemon.schedule import Schedule
from regsync.daemon.scheduler import Scheduler
from regsync.events import Event
from tests.support.clock import FakeClock, settle

START = datetime(2026, 1, 1, tzinfo=UTC)
GRACE = 30.0


def first(*entries: str) -> list[Job]:
    return [Job(entry, START, "missing") for entry in entries]


class Daemon:
    """A runner on a virtual clock; each entry does what `script` says, or is done at once."""

    def __init__(self, schedules: dict[str, Schedule] | None = None, *, workers: int = 4) -> None:
        self.clock = FakeClock(START)
        self.told: list[Event] = []
        self.started: list[Job] = []
        self.cancelled: list[str] = []
        self.gates: dict[str, asyncio.Event] = {}
        self.script: dict[str, Callable[[], int]] = {}
        self.queue = MemoryQueue()
        scheduler = Scheduler(schedules or {}, self.queue, clock=self.clock, tell=self.told.append)
        self.runner = Runner(
            scheduler, self.queue, self.handle, self.told.append, clock=self.clock, workers=workers, grace=GRACE
        )

    async def handle(self, job: Job) -> int:
        self.started.append(job)
        try:
            if job.entry in self.gates:
                await self.gates[job.entry].wait()
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
