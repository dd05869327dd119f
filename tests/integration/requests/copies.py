"""Situations without any option: images and indexes that are there, missing or changed, and the lists around them."""

from __future__ import annotations

from tests.integration.requests.world import Rows, World
from tests.support.built import Built, image_bytes, index_bytes
from tests.support.fake_registry import Features

ROWS = Rows()
IMAGE = image_bytes(b"one", b"two")  # three blobs, with the config
OTHER = image_bytes(b"three", b"four")
OF_ONE_BASE = image_bytes(b"one", b"three")
PLATFORMS = [
    image_bytes(f"{name} one".encode(), f"{name} two".encode(), platform=name)
    for name in ("linux/amd64", "linux/arm64", "linux/s390x")
]
INDEX = index_bytes(*PLATFORMS[:2])


@ROWS.add("unchanged image", "2", go=2, most=2)
async def unchanged_image(world: World) -> None:
    await _at_both(world, IMAGE, IMAGE)


@ROWS.add("unchanged index", "2", go=2, most=2)
async def unchanged_index(world: World) -> None:
    await _at_both(world, INDEX, INDEX)


@ROWS.add("absent image", "5 + 4B", go=17, most=16)
async def absent_image(world: World) -> None:
    await _at_both(world, IMAGE, None)


@ROWS.add("changed image", "6 + 4B", go=18, most=16)
async def changed_image(world: World) -> None:
    await _at_both(world, OTHER, IMAGE)


@ROWS.add("changed image, one blob of three is there", "6 + 4 * 2 + 1", go=15, most=13)
async def changed_image_of_the_same_base(world: World) -> None:
    await _at_both(world, OF_ONE_BASE, IMAGE)


@ROWS.add("absent index, two platforms", "5 + 3P + 4B", go=35, most=34)
async def absent_index(world: World) -> None:
    await _at_both(world, INDEX, None)


@ROWS.add("changed index, one platform of three is new", "6 + (P - k) + 3k + 4B", go=23, most=21)
async def changed_index(world: World) -> None:
    await _at_both(world, index_bytes(*PLATFORMS), INDEX)


@ROWS.add("absent in another repository of the registry", "5 + 2B", go=11, most=10)
async def absent_next_door(world: World) -> None:
    host = await world.registry()
    host.seed("app", {"v1": IMAGE})
    world.entry(f"{host.host}/app:v1", f"{host.host}/mirror:v1")


@ROWS.add("the same, and mounts are refused", "5 + 6B", go=23, most=16)
async def absent_next_door_without_mounts(world: World) -> None:
    host = await world.registry(Features(mounts=False))
    host.seed("app", {"v1": IMAGE})
    world.entry(f"{host.host}/app:v1", f"{host.host}/mirror:v1")


@ROWS.add("another tag of the same repository", "5", go=5, most=4)
async def another_tag(world: World) -> None:
    host = await world.registry()
    host.seed("app", {"v1": IMAGE})
    world.entry(f"{host.host}/app:v1", f"{host.host}/app:v2")


@ROWS.add("repository of three tags, unchanged", "1 + 2n", go=7, most=7)
async def unchanged_repository(world: World) -> None:
    await _repository(world, "v1", "v2", "v3")


@ROWS.add("repository of three tags in two pages, unchanged", "2 + 2n", go=8, most=8)
async def unchanged_repository_in_pages(world: World) -> None:
    await _repository(world, "v1", "v2", "v3", features=Features(page_size=2))


@ROWS.add("repository of three tags, --missing, all there", "2", go=2, most=2, scope="missing")
async def repository_all_there(world: World) -> None:
    await _repository(world, "v1", "v2", "v3")


@ROWS.add("repository, --missing, absent image, repository is new", "2 + 5 + 4B", go=19, most=14, scope="missing")
async def repository_that_is_new(world: World) -> None:
    await _to_a_new_repository(world, IMAGE)  # 2 lists, and 3 + 3B


@ROWS.add("repository, --missing, absent index, repository is new", "2 + 5 + 3P + 4B", go=37, most=27, scope="missing")
async def repository_that_is_new_of_an_index(world: World) -> None:
    await _to_a_new_repository(world, INDEX)  # 2 lists, and 3 + 2P + 3B


@ROWS.add("the same image, its blobs are there without any tag", "2 + 5 + B", go=10, most=8, scope="missing")
async def repository_without_tags(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": IMAGE})
    target.store.make("mirror").blobs.update(IMAGE.blobs)  # as a run leaves them that was killed
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")


@ROWS.add("repository of three tags of one image, absent", "1 + 5 + 4B + 2(5 + B)", go=34, most=23)
async def three_tags_of_one_image(world: World) -> None:
    source, target = await world.two()
    source.seed("app", dict.fromkeys(("v1", "v2", "v3"), IMAGE))
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")


@ROWS.add("absent image, two targets in one registry", "2(5 + 4B)", go=34, most=24)
async def two_targets(world: World) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": IMAGE})
    for path in ("one", "other"):
        world.entry(f"{source.host}/app:v1", f"{target.host}/{path}:v1")


@ROWS.add("image, --missing, there", "2", go=2, most=1, scope="missing")
async def missing_and_there(world: World) -> None:
    await _at_both(world, IMAGE, OTHER)


@ROWS.add("check, absent image", "2", go=2, most=2, scope="check")
async def looked_at(world: World) -> None:
    await _at_both(world, IMAGE, None)


@ROWS.add("registry of two repositories, unchanged", "2 + n(1 + 2)", go=8, most=8)
async def unchanged_registry(world: World) -> None:
    source, target = await world.two()
    for path in ("a", "b"):
        source.seed(path, {"v1": IMAGE})
        target.seed(f"mirror/{path}", {"v1": IMAGE})
    world.entry(source.host, f"{target.host}/mirror", kind="registry")


async def _at_both(world: World, there: Built, here: Built | None) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": there})
    if here is not None:
        target.seed("mirror", {"v1": here})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1")


async def _to_a_new_repository(world: World, image: Built) -> None:
    source, target = await world.two()
    source.seed("app", {"v1": image})
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")


async def _repository(world: World, *tags: str, features: Features | None = None) -> None:
    source, target = await world.two(features)
    source.seed("app", dict.fromkeys(tags, IMAGE))
    target.seed("mirror", dict.fromkeys(tags, IMAGE))
    world.entry(f"{source.host}/app", f"{target.host}/mirror", kind="repository")
