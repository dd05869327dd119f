"""Situations in which registries want a login."""

from __future__ import annotations

from tests.integration.requests.copies import IMAGE
from tests.integration.requests.world import Rows, World

ROWS = Rows()


@ROWS.add("basic auth, unchanged image", "2 + 1 a host", go=4, most=4)
async def basic(world: World) -> None:
    await _at_both(world, "basic", "app")


@ROWS.add("bearer auth, unchanged image", "2 + 2 a host", go=6, most=6)
async def bearer(world: World) -> None:
    await _at_both(world, "bearer", "app")


@ROWS.add("bearer auth, two unchanged repositories", "4 + 2 a host + 1 a further repository", go=10, most=10)
async def bearer_twice(world: World) -> None:
    await _at_both(world, "bearer", "app", "other")


@ROWS.add("bearer auth with repoAuth, two unchanged repositories", "4 + 2 a host and repository", go=12, most=12)
async def bearer_for_each_repository(world: World) -> None:
    await _at_both(world, "bearer", "app", "other")
    for settings in world.settings.values():
        settings["repoAuth"] = True


@ROWS.add("bearer auth, absent image", "5 + 4B + 2 at the source + 3 at the target", go=22, most=20)
async def bearer_to_write(world: World) -> None:
    source, target = await world.two(login="bearer")
    source.seed("app", {"v1": IMAGE})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1")


async def _at_both(world: World, login: str, *paths: str) -> None:
    source, target = await world.two(login=login)
    for path in paths:
        source.seed(path, {"v1": IMAGE})
        target.seed(path, {"v1": IMAGE})
        world.entry(f"{source.host}/{path}:v1", f"{target.host}/{path}:v1")
