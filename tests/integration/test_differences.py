"""How often registries are asked what would change, and what comes of it where one answers oddly."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from regsync.record.differences import Comparison, Differences
from regsync.sync.survey import Looking
from tests.integration.requests.copies import IMAGE, INDEX, OF_ONE_BASE, PLATFORMS
from tests.integration.requests.world import World
from tests.support.built import index_bytes
from tests.support.faults import Change, Fault, Status


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(tmp_path, stack)


async def compared(world: World, *, missing: bool = False) -> tuple[Differences, Counter[str], list[str]]:
    """Say what would change; how often each kind of request was made to whom; and all of them."""
    comparison = Comparison()
    asked = await world.ours("check", comparison, looking=Looking(missing))
    kinds = Counter(" ".join((line.split()[1], line.split()[2].split("/")[-2])) for line in asked)
    assert {line.split()[1] for line in asked} <= {"HEAD", "GET"}, asked
    return comparison.found(), kinds, asked


async def test_a_changed_image_costs_its_manifests_a_look_for_each_blob_and_two_configs(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": OF_ONE_BASE})
    target.seed("mirror", {"v1": IMAGE})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1")
    found, kinds, asked = await compared(world)
    assert kinds == {"HEAD manifests": 2, "GET manifests": 2, "HEAD blobs": 3, "GET blobs": 2}, asked
    (image,) = found.images
    sent = [data for digest, data in OF_ONE_BASE.blobs.items() if digest not in IMAGE.blobs]
    assert image.size == found.size == len(OF_ONE_BASE.raw) + sum(map(len, sent))


async def test_a_repository_costs_two_lists_besides_and_what_is_equal_two_looks(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {f"v{number}": IMAGE for number in range(5)})
    target.seed("mirror", {f"v{number}": IMAGE for number in range(5)})
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")
    found, kinds, asked = await compared(world)
    assert (found, kinds) == (Differences(), {"HEAD manifests": 10, "GET tags": 2}), asked


async def test_a_repository_that_is_not_there_yet_is_asked_for_no_blob(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {f"v{number}": IMAGE for number in range(5)})
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")
    found, kinds, asked = await compared(world)
    expected = {"HEAD manifests": 10, "GET tags": 2, "GET manifests": 1, "GET blobs": 1}
    assert kinds == expected, asked
    assert found.size == 5 * len(IMAGE.raw) + sum(map(len, IMAGE.blobs.values()))
    assert [image.size for image in found.images] == [len(IMAGE.raw) + sum(map(len, IMAGE.blobs.values()))] * 5


async def test_what_is_gone_costs_one_manifest_each_and_one_config(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": IMAGE})
    target.seed("mirror", {"v1": IMAGE, "v2": IMAGE, "v3": IMAGE})
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")
    found, kinds, asked = await compared(world)
    assert kinds == {"HEAD manifests": 2, "GET tags": 2, "GET manifests": 2, "GET blobs": 1}, asked
    assert [(image.change, image.tag, image.before) for image in found.images] == [
        ("gone", "v2", IMAGE.digest),
        ("gone", "v3", IMAGE.digest),
    ]


async def test_an_index_of_which_one_image_is_new_costs_a_look_for_each_and_that_one(world: World) -> None:
    source, target = await world.two()
    changed = index_bytes(*PLATFORMS)
    source.seed("app", {"v1": changed})
    target.seed("mirror", {"v1": INDEX})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1")
    found, kinds, asked = await compared(world)
    # the index and its third image for the plan, the first for its age; at the target the index before, and no more:
    # the image it begins with is the same one
    expected = {"HEAD manifests": 2 + 3, "GET manifests": 3 + 1, "HEAD blobs": 3, "GET blobs": 1}
    assert kinds == expected, asked
    third = PLATFORMS[2]
    assert found.size == len(changed.raw) + len(third.raw) + sum(map(len, third.blobs.values()))


async def test_missing_looks_at_no_tag_the_target_lists(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": OF_ONE_BASE, "v2": OF_ONE_BASE})
    target.seed("mirror", {"v1": IMAGE})
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")
    found, kinds, asked = await compared(world, missing=True)
    assert [(image.change, image.tag) for image in found.images] == [("new", "v2")]
    assert kinds == {"HEAD manifests": 1, "GET tags": 2, "GET manifests": 1, "HEAD blobs": 3, "GET blobs": 1}, asked


@pytest.mark.parametrize(("method", "kind"), [("GET", "blob"), ("HEAD", "blob")])
async def test_a_registry_that_gives_no_config_leaves_its_time_open_and_one_that_shows_no_blob_is_sent_all(
    world: World, method: str, kind: str
) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": OF_ONE_BASE})
    target.seed("mirror", {"v1": IMAGE})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1")
    for one in (source, target):
        one.fail(Fault(Status(403), method=method, kind=kind, times=100))
    found, _, _ = await compared(world)
    (image,) = found.images
    assert (image.before, image.digest, image.created) == (IMAGE.digest, OF_ONE_BASE.digest, None)
    sent = sum(len(data) for digest, data in OF_ONE_BASE.blobs.items() if method == "HEAD" or digest not in IMAGE.blobs)
    assert image.size == len(OF_ONE_BASE.raw) + sent  # a copy sends what it is not let look for


async def test_a_limit_of_the_source_keeps_its_manifests_from_being_counted_as_pulls(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": OF_ONE_BASE})
    target.seed("mirror", {"v1": IMAGE})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1", ratelimit={"min": 60})
    left = Change({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "50;w=21600"})
    source.fail(Fault(left, method="HEAD", kind="manifest", times=100))
    found, kinds, asked = await compared(world)
    assert kinds == {"HEAD manifests": 2}, asked
    assert found.sentence() == "1 changed; 0 B or more would move"
