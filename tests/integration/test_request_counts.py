"""How often registries are asked, situation by situation: never more often than by the Go regsync, which runs beside.

The counts are printed at the end of the run. What the Go regsync asks is checked against it where it is installed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from regsync.events import JobFinished
from regsync.facts import Fact
from regsync.options import Serving
from tests.conftest import COUNTED
from tests.integration.requests import belonging, copies, logins, options
from tests.integration.requests.world import Situation, World
from tests.support.clock import FakeClock

SITUATIONS = [each for rows in (copies, logins, options, belonging) for each in rows.ROWS.found]
EACH = pytest.mark.parametrize("situation", [pytest.param(each, id=each.name) for each in SITUATIONS])


Note = Callable[[Situation, int], None]


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """What adds a row to the table, which is in the order of `SITUATIONS`."""

    def add(situation: Situation, asked: int) -> None:
        place = SITUATIONS.index(situation) if situation in SITUATIONS else len(SITUATIONS)
        record_property(COUNTED, [place, situation.name, situation.formula, situation.go, asked])

    return add


@EACH
async def test_we_ask_no_more_than_we_may(situation: Situation, tmp_path: Path, note: Note) -> None:
    async with AsyncExitStack() as stack:
        world = World(tmp_path, stack)
        await situation.arranged(world)
        asked = await world.ours(situation.scope)
    note(situation, len(asked))
    assert len(asked) <= situation.most <= situation.go, "\n".join(asked)


@EACH
async def test_the_go_regsync_asks_what_the_table_says(situation: Situation, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        world = World(tmp_path, stack)
        await situation.arranged(world)
        asked = await world.gos(situation.scope)
    assert len(asked) == situation.go, "\n".join(asked)


async def test_a_daemon_asks_for_an_index_it_knows_no_more(tmp_path: Path, note: Note) -> None:
    finished, stops = asyncio.Queue[JobFinished](), list[Callable[[], None]]()

    def follow(fact: Fact) -> None:
        if isinstance(fact.event, JobFinished):
            finished.put_nowait(fact.event)

    async with AsyncExitStack() as stack:
        world = World(tmp_path, stack)
        await options.unchanged_platform(world)
        world.defaults["interval"] = "1h"
        clock = FakeClock()
        app = world.app(clock, follow)
        serving = asyncio.create_task(app.serve(Serving(1), meet=lambda service: stops.append(service.stop)))
        for _ in range(2):
            await finished.get()
            world.forget()
            await clock.advance(3600)
        assert (await finished.get()).failed == 0
        asked = world.asked
        stops[0]()
        await serving
    situation = Situation("platform, unchanged, at a later visit", "2", 2, 2, options.unchanged_platform)
    note(situation, len(asked))
    assert len(asked) <= situation.most, "\n".join(asked)
