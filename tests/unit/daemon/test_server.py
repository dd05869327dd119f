"""A daemon as a whole: what it does with entries it knows by name, and what it says at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

from regsync.daemon.jobs import Job
from regsync.daemon.plan import Plan
from regsync.daemon.runner import Say
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.daemon.server import Daemon, Served
from regsync.events import ignore
from tests.support.clock import FakeClock, settle

GRACE = 30.0


@dataclass
class Life:
    """A daemon's life on a virtual clock; `work` is what a job does."""

    work: Callable[[Job], Awaitable[int]]
    clock: FakeClock = field(default_factory=FakeClock)
    stops: list[Callable[[], None]] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    daemon: Daemon = field(init=False)

    async def handle(self, job: Job, _since: float, _say: Say) -> int:
        self.started.append(job.entry)
        return await self.work(job)

    async def begin(
        self,
        schedules: Mapping[str, Schedule],
        before: Mapping[str, Sequence[str]] | None = None,
        *,
        abort_on_error: bool = False,
    ) -> asyncio.Task[Served]:
        self.daemon = Daemon(
            Plan.of(schedules, before or {}),
            self.handle,
            ignore,
            clock=self.clock,
            never=self.never.append,
            ready=lambda: self.ready.append(self.clock.monotonic()),
            grace=GRACE,
            abort_on_error=abort_on_error,
        )
        self.stops = [self.daemon.stop, self.daemon.stop_now]
        task = asyncio.create_task(self.daemon.run())
        await settle()
        return task


async def quickly(_job: Job) -> int:
    return 0


async def for_ever(_job: Job) -> int:
    await asyncio.Event().wait()
    return 0


async def test_it_ends_well_when_it_is_told_to_and_says_what_failed_before() -> None:
    async def one_fails(job: Job) -> int:
        return 2 if job.entry == "a" else 0

    life = Life(one_fails)
    running = await life.begin({"a": Every(60), "b": Every(60)})
    await life.clock.advance(60)
    life.stops[0]()
    assert await running == Served(failed=4, crashed=0, cut=0, aborted=False)


async def test_it_says_how_many_jobs_were_cut_off_when_the_grace_was_over() -> None:
    life = Life(for_ever)
    running = await life.begin({"a": Every(60), "b": Every(60)})
    life.stops[0]()
    await life.clock.advance(GRACE)
    assert await running == Served(failed=0, crashed=0, cut=2, aborted=False)


async def test_it_says_that_a_failure_stopped_it_and_starts_nothing_more() -> None:
    async def fail(_job: Job) -> int:
        return 1

    life = Life(fail)
    running = await life.begin({"a": Every(60), "b": Every(60)}, {"b": ["a"]}, abort_on_error=True)
    assert await running == Served(failed=1, crashed=0, cut=0, aborted=True)
    assert life.started == ["a"]


async def test_it_tells_crashes_from_failures_and_goes_on() -> None:
    async def crash(job: Job) -> int:
        return 1 // 0 if job.entry == "a" else 0

    life = Life(crash)
    running = await life.begin({"a": Every(60), "b": Every(60)})
    assert life.started == ["a", "b"]
    life.stops[1]()
    assert await running == Served(failed=1, crashed=1, cut=0, aborted=False)


async def test_leaders_go_first_wherever_they_stand_and_whoever_is_never_due_runs_once() -> None:
    life = Life(quickly)
    schedules = {"follower": Every(60), "leader": Every(60), "never": parse_schedule("0 0 30 2 *")}
    running = await life.begin(schedules, {"follower": ["leader"]})
    await life.clock.advance(60)
    assert [entry for entry in life.started if entry != "never"] == ["leader", "follower"] * 2
    assert life.started.count("never") == 1
    assert life.never == ["never"]
    life.stops[0]()
    await running


async def test_no_entries_at_all_are_waited_for_until_it_is_stopped() -> None:
    life = Life(quickly)
    running = await life.begin({})
    await life.clock.advance(86400)
    assert not running.done()
    life.stops[0]()
    assert await running == Served(failed=0, crashed=0, cut=0, aborted=False)
