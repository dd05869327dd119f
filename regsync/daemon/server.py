"""A whole daemon: entries known by name, when each is due, whom it follows, and what a job of it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

from regsync.clock import Clock
from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.runner import Handle, Runner, Say
from regsync.daemon.schedule import Schedule
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import Tell

_WORKERS = 64  # entries under way at once

Stoppable = Callable[
    [Callable[[], None], Callable[[], None]], None
]  # is called with what drains and what stops at once


@dataclass(frozen=True, slots=True)
class Served:
    """What came of a daemon's life.

    How many images (and crashed jobs) failed, how many jobs ended by a bug of ours, how many were cancelled before they
    had ended, and whether a failure stopped it.
    """

    failed: int
    crashed: int
    cut: int
    aborted: bool


async def serve(
    schedules: Mapping[str, Schedule],
    before: Mapping[str, Iterable[str]],
    handle: Handle,
    tell: Tell,
    *,
    clock: Clock,
    never: Callable[[str], None],
    grace: float,
    abort_on_error: bool,
    stoppable: Stoppable,
) -> Served:
    """Run each entry once for what is missing, and then at its times, until stopped.

    `before` names for each entry those it follows, without circles; `handle` is told at the runner, `never` at the
    scheduler. `grace` is in seconds.
    """
    aborted = False

    async def watched(job: Job, since: float, say: Say) -> int:
        nonlocal aborted
        failed = await handle(job, since, say)
        if failed and abort_on_error:
            aborted = True
            runner.stop_now()
        return failed

    order = [*TopologicalSorter({entry: before.get(entry, ()) for entry in schedules}).static_order()]
    turns = Turns(before, MemoryQueue(), clock=clock, tell=tell)
    scheduler = Scheduler({entry: schedules[entry] for entry in order}, turns, clock=clock, never=never)
    workers = max(1, min(len(order), _WORKERS))
    runner = Runner(scheduler, turns, watched, tell, clock=clock, workers=workers, grace=grace)
    stoppable(runner.stop, runner.stop_now)
    now = clock.now()
    await runner.run([Job(entry, now, "missing") for entry in order])
    return Served(runner.failed, runner.crashed, runner.cut, aborted)
