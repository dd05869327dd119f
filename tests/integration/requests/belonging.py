"""Situations in which more than the image itself is looked at: referrers, digest tags, all of an index."""

from __future__ import annotations

from typing import Any

from tests.integration.requests.copies import IMAGE, INDEX
from tests.integration.requests.world import Rows, World
from tests.support.built import Built, artifact_bytes
from tests.support.fake_registry import Features

ROWS = Rows()
LISTING = Features(referrers=True)


def about(subject: Built, *names: str) -> tuple[Built, ...]:
    """Return a referrer of each name."""
    return tuple(artifact_bytes(name.encode(), subject=subject) for name in names)


@ROWS.add("referrers, unchanged image, none", "5 + 2R", go=5, most=3)
async def no_referrers(world: World) -> None:
    await _at_both(world, IMAGE, referrers=True)


@ROWS.add("referrers, unchanged image, two", "5 + 2R", go=9, most=6)
async def two_referrers(world: World) -> None:
    await _at_both(world, IMAGE, *about(IMAGE, "sbom", "signature"), referrers=True)


@ROWS.add("referrers, unchanged index of two platforms", "6 + 2P + 2R", go=10, most=8)
async def no_referrers_of_an_index(world: World) -> None:
    await _at_both(world, INDEX, referrers=True)


@ROWS.add("the same, one referrer of each", "6 + 2P + 2R", go=16, most=14)
async def referrers_of_an_index_and_its_platforms(world: World) -> None:
    await _at_both(world, INDEX, *(one for each in INDEX.walk() for one in about(each, "sbom")), referrers=True)


@ROWS.add("digestTags, unchanged image, two", "5 + 2K", go=9, most=7)
async def digest_tags(world: World) -> None:
    host = await _at_both(world, IMAGE, digestTags=True)
    stem = IMAGE.digest.replace(":", "-")
    for registry, path in host:
        registry.seed(path, {f"{stem}.sig": about(IMAGE, "sig")[0], f"{stem}.att": about(IMAGE, "att")[0]})


@ROWS.add("digestTags, absent image, two tags", "5 + 4B + 1 + 3K + blobs", go=36, most=30)
async def digest_tags_of_an_absent_image(world: World) -> None:
    source, target = await world.two()
    stem = IMAGE.digest.replace(":", "-")
    source.seed("app", {"v1": IMAGE, f"{stem}.sig": artifact_bytes(b"sig"), f"{stem}.att": artifact_bytes(b"att")})
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1", digestTags=True)


@ROWS.add("referrers, absent image, two", "5 + 4B + 1 + 4R + blobs", go=38, most=36)
async def two_referrers_of_an_absent_image(world: World) -> None:
    source, target = await world.two(LISTING)
    source.seed("app", {"v1": IMAGE}, untagged=about(IMAGE, "sbom", "signature"))
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1", referrers=True)


@ROWS.add("fastCheck, referrers, digestTags, unchanged image", "2", go=2, most=2)
async def fast_check(world: World) -> None:
    await _at_both(world, IMAGE, *about(IMAGE, "sbom"), referrers=True, digestTags=True, fastCheck=True)


@ROWS.add("forceRecursive, unchanged index of two platforms", "5 + P(3 + B)", go=17, most=14)
async def force_recursive(world: World) -> None:
    await _at_both(world, INDEX, forceRecursive=True)


async def _at_both(world: World, image: Built, *untagged: Built, **keys: Any) -> list[tuple[Any, str]]:
    source, target = await world.two(LISTING)
    source.seed("app", {"v1": image}, untagged=untagged)
    target.seed("mirror", {"v1": image}, untagged=untagged)
    world.entry(f"{source.host}/app:v1", f"{target.host}/mirror:v1", **keys)
    return [(source, "app"), (target, "mirror")]
