"""Hundreds of plans, one after another, while jobs run: none twice at once, none of an entry that is gone."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from regsync.daemon.jobs import Job
from regsync.daemon.plan import Plan
from regsync.daemon.runner import Say
from regsync.daemon.schedule import Every, Schedule, parse_schedule
from regsync.daemon.server import Daemon, Served
from regsync.events import ignore
from tests.support.clock import FakeClock, settle

PLANS = 500
ENTRIES = 30
SCHEDULES: tuple[Schedule, ...] = (Every(2), Every(7), Every(60), parse_schedule("TZ=UTC */2 * * * *"))


class Storm:
    """A daemon whose jobs take a time that is drawn, and which knows what runs."""

    def __init__(self, seed: int) -> None:
        self.draw = Random(seed)  # noqa: S311  # games are to be played again
        self.clock = FakeClock()
        self.plan = self.drawn()
        self.running: set[str] = set()
        self.begun = 0
        self.daemon = Daemon(
            self.plan,
            self.handle,
            ignore,
            clock=self.clock,
            never=lambda _: None,
            ready=lambda: None,
            grace=1000.0,
            abort_on_error=False,
        )

    def drawn(self) -> Plan:
        names = [f"e{number:02}" for number in range(ENTRIES) if self.draw.random() < 0.5]
        before = {name: [self.draw.choice(names[:at])] for at, name in enumerate(names) if at and at % 3 == 0}
        schedules = {name: self.draw.choice(SCHEDULES) for name in names}
        return Plan.of(schedules, before, {name: self.draw.choice([0.0, 0.0, 1.5]) for name in names})

    async def handle(self, job: Job, _since: float, _say: Say) -> int:
        assert job.entry in self.plan.schedules, f"{job.entry} is gone"
        assert job.entry not in self.running, f"{job.entry} runs twice"
        self.running.add(job.entry)
        self.begun += 1
        await self.clock.sleep(self.draw.choice([0.0, 0.1, 1.0, 20.0]))
        self.running.remove(job.entry)
        return 0

    async def replace(self) -> None:
        for _ in range(PLANS):
            self.plan = self.drawn()
            self.daemon.apply(self.plan)
            await self.clock.advance(self.draw.choice([0.0, 0.0, 0.1, 1.0, 5.0]))


@pytest.mark.parametrize("seed", range(3))
async def test_no_job_runs_twice_or_for_an_entry_that_is_gone_while_plans_come_and_go(seed: int) -> None:
    storm = Storm(seed)
    serving: asyncio.Task[Served] = asyncio.create_task(storm.daemon.run())
    await settle()
    await storm.replace()
    await storm.clock.advance(200)
    begun = storm.begun
    await storm.clock.advance(200)
    assert storm.begun - begun >= len(storm.plan.schedules), "every entry is still visited"
    storm.daemon.stop()
    await storm.clock.advance(30)
    served = await serving
    assert (served.failed, served.crashed, served.cut, storm.running) == (0, 0, 0, set())
