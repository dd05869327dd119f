"""A whole daemon: entries known by name, when each is due, whom it follows, and what a job of it does."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from regsync.clock import Clock
from regsync.daemon.control import Control
from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.overdue import overdue_at
from regsync.daemon.plan import Plan
from regsync.daemon.runner import Handle, Runner, Say
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import Tell

_DEAF = 180.0  # seconds; the scheduler comes round every minute
_WORKERS = 64  # entries under way at once


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


class Daemon:
    """Runs each entry of a plan once for what is missing, and then at its times, until stopped.

    While it runs, `control` takes commands. `handle` is told at the runner, `never` at the scheduler. `ready` is called
    when all first visits are queued; `grace` is in seconds.
    """

    def __init__(
        self,
        plan: Plan,
        handle: Handle,
        tell: Tell,
        *,
        clock: Clock,
        never: Callable[[str], None],
        ready: Callable[[], None],
        grace: float,
        abort_on_error: bool,
    ) -> None:
        self._plan = plan
        self._handle = handle
        self._clock = clock
        self._abort_on_error = abort_on_error
        self._aborted = False
        self._turns = Turns(plan.before, MemoryQueue(), clock=clock, tell=tell)
        self._scheduler = Scheduler(plan.schedules, self._turns, clock=clock, never=never, delays=plan.delays)
        workers = _workers_for(plan)
        self._runner = Runner(
            self._scheduler,
            self._turns,
            self._watched,
            tell,
            clock=clock,
            workers=workers,
            grace=grace,
            ready=ready,
        )
        self.control = Control(self._turns, self._runner, clock=clock)
        self.stop = self._runner.stop
        self.stop_now = self._runner.stop_now

    async def run(self) -> Served:
        """Work until stopped; to be called once."""
        await self._runner.run(self._first(self._plan.schedules))
        return Served(self._runner.failed, self._runner.crashed, self._runner.cut, self._aborted)

    @property
    def planned(self) -> Collection[str]:
        """The entries that are ever due, leaders before their followers."""
        return self._plan.schedules.keys()

    def overdue_at(self, entry: str, since: datetime) -> datetime | None:
        """Return when an entry is overdue that was last seen equal, or first visited, `since` then; None: never."""
        schedule = self._plan.schedules.get(entry)
        return None if schedule is None else overdue_at(schedule, since)

    async def dues(self, entries: Iterable[str]) -> dict[str, datetime]:
        """Return when each of these entries is visited next; those are missing that never are, or not any more."""
        if self._runner.stopping:
            return {}
        schedules = self._plan.schedules
        return await self._scheduler.dues({name: schedules[name] for name in entries if name in schedules})

    @property
    def alive(self) -> bool:
        """Whether the scheduler comes round, or need not any more."""
        return self._runner.stopping or self._clock.monotonic() - self._scheduler.looked < _DEAF

    def apply(self, plan: Plan) -> None:
        """Go on with another plan, while it runs.

        Whatever runs ends as it would have, and no entry is begun twice because of it. An entry that is in both plans
        keeps its due time if its schedule is the same, else it is next due as the new one says. One that is new gets
        its first visit at once, and one that is gone gets no further.
        """
        new = [entry for entry in plan.schedules if entry not in self._plan.schedules]
        self._plan = plan
        self._turns.apply(plan.before, plan.entries)
        self._scheduler.apply(plan.schedules, plan.delays)
        self._runner.add(self._first(new), workers=_workers_for(plan))

    def _first(self, entries: Iterable[str]) -> list[Job]:
        now = self._clock.now()
        return [Job(entry, now, "missing") for entry in entries]

    async def _watched(self, job: Job, since: float, say: Say) -> int:
        failed = await self._handle(job, since, say)
        if failed and self._abort_on_error:
            self._aborted = True
            self.stop_now()
        return failed


def _workers_for(plan: Plan) -> int:
    return max(1, min(len(plan.schedules), _WORKERS))
