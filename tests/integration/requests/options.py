"""Situations that an option of the entry or of a host makes."""

from __future__ import annotations

from typing import Any

from tests.integration.requests.copies import IMAGE, INDEX, OTHER, PLATFORMS
from tests.integration.requests.world import Rows, World
from tests.support.built import Built
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault

ROWS = Rows()


@ROWS.add("platform, absent", "6 + 4B", go=18, most=17)
async def absent_platform(world: World) -> None:
    await _at_both(world, INDEX, None, platform="linux/amd64")


@ROWS.add("platform, unchanged", "3", go=3, most=3)
async def unchanged_platform(world: World) -> None:
    await _at_both(world, INDEX, PLATFORMS[0], platform="linux/amd64")


@ROWS.add("absent image, a mirror lacks it", "5 + 4B, reads twice", go=22, most=21)
async def absent_image_and_a_mirror_that_lacks_it(world: World) -> None:
    await _mirrored(world, None)


@ROWS.add("unchanged image, a mirror lacks it", "2, the read twice", go=3, most=3)
async def unchanged_image_and_a_mirror_that_lacks_it(world: World) -> None:
    await _mirrored(world, IMAGE)


@ROWS.add("absent image, ratelimit.min is left", "5 + 4B + 1", go=18, most=16)
async def absent_image_of_a_limited_source(world: World) -> None:
    source = await _at_both(world, IMAGE, None, ratelimit={"min": 10})
    left = Change({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "50;w=21600"})
    source.fail(Fault(left, method="HEAD", kind="manifest", times=100))


@ROWS.add("changed image, backup to another tag", "6 + 4B + 3", go=21, most=18)
async def backup_to_another_tag(world: World) -> None:
    await _at_both(world, IMAGE, OTHER, backup="old-{{ .Ref.Tag }}")


@ROWS.add("changed image, backup to another repository", "6 + 4B + 3 + 2B", go=27, most=24)
async def backup_to_another_repository(world: World) -> None:
    await _at_both(world, IMAGE, OTHER, backup="{{ .Ref.Registry }}/kept:{{ .Ref.Tag }}")


@ROWS.add("unchanged image, backup", "2", go=2, most=2)
async def backup_of_nothing(world: World) -> None:
    await _at_both(world, IMAGE, IMAGE, backup="old")


async def _at_both(world: World, there: Built, here: Built | None, **keys: Any) -> FakeRegistry:
    source, target = await world.two()
    source.seed("app", {"v1": there})
    if here is not None:
        target.seed("mirror", {"v1": here})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1", **keys)
    return source


async def _mirrored(world: World, here: Built | None) -> None:
    source = await _at_both(world, IMAGE, here)
    mirror = await world.registry()
    world.settings[source.host]["mirrors"] = [mirror.host]
