"""How often registries are asked, situation by situation: never more often than by the Go regsync, which runs beside.

The counts are printed at the end of the run. What the Go regsync asks is checked against it where it is installed.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.conftest import COUNTED
from tests.integration.requests import copies, logins, options
from tests.integration.requests.world import Situation, World

SITUATIONS = [*copies.ROWS.found, *logins.ROWS.found, *options.ROWS.found]
EACH = pytest.mark.parametrize("situation", [pytest.param(each, id=each.name) for each in SITUATIONS])


@EACH
async def test_we_ask_no_more_than_we_may(situation: Situation, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    async with AsyncExitStack() as stack:
        world = World(tmp_path, stack)
        await situation.arranged(world)
        asked = await world.ours(situation.scope)
    row = f"{situation.name:<58} {situation.formula:>42} {situation.go:>5} {len(asked):>5}"
    request.config.stash.setdefault(COUNTED, []).append(row)
    assert len(asked) <= situation.most <= situation.go, "\n".join(asked)


@EACH
async def test_the_go_regsync_asks_what_the_table_says(situation: Situation, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        world = World(tmp_path, stack)
        await situation.arranged(world)
        asked = await world.gos(situation.scope)
    assert len(asked) == situation.go, "\n".join(asked)
