"""Entries that copy the image for one platform instead of an index."""

from __future__ import annotations

import asyncio

import pytest

from regsync.events import Event, ImageCopied, ImageCurrent, ImageFailed
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platform
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.run import Run
from regsync.transfer.options import CopyOptions
from tests.support.images import an_image, an_index, image_bytes, index_bytes, put_built
from tests.unit.sync.lab import ALL, MemoryEndpoints, engine_of, ran

ARM = CopyOptions(platform=Platform("linux", "arm64"))


def arm(target: str, *, options: CopyOptions = ARM) -> SyncEntry:
    return SyncEntry(target, "image", "a.x/app:v1", target, ALL, options=options)


async def an_app(ends: MemoryEndpoints) -> Manifest:
    return await an_index(ends.at("a.x/app"), "linux/amd64", "linux/arm64", tag="v1")


async def failure_of(ends: MemoryEndpoints, entry: SyncEntry) -> ImageFailed:
    failed, seen = await ran(ends, entry)
    assert failed == 1
    (failure,) = [event for event in seen if isinstance(event, ImageFailed)]
    return failure


def kinds(seen: list[Event]) -> set[type]:
    return {type(event) for event in seen}


async def test_the_image_of_the_platform_stands_at_the_target_instead_of_the_index() -> None:
    ends = MemoryEndpoints()
    index = await an_app(ends)
    failed, _ = await ran(ends, arm("b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").tagged == {"v1": index.children[1].digest}
    assert set(ends.at("b.x/app").manifests) == {index.children[1].digest}


async def test_the_index_is_fetched_once_for_its_digest_however_often_it_is_looked_at() -> None:
    ends = MemoryEndpoints()
    await an_app(ends)
    entries = [arm("b.x/app:v1"), arm("c.x/app:v1", options=CopyOptions(platform=Platform("linux", "amd64")))]
    engine = engine_of(ends)
    source = ends.at("a.x/app")
    for _ in range(3):
        await Run(engine, entries, scope="changed", abort_on_error=False, tell=lambda _: None).run()
    assert source.calls["get_manifest"] == 3  # the index, and each of its images once


async def test_a_target_that_has_the_image_of_the_platform_is_asked_for_nothing_more() -> None:
    ends = MemoryEndpoints()
    await an_app(ends)
    await ran(ends, arm("b.x/app:v1"))
    source, target = ends.at("a.x/app"), ends.at("b.x/app")
    source.calls.clear()
    target.calls.clear()
    _, seen = await ran(ends, arm("b.x/app:v1"))
    assert ImageCurrent("a.x/app:v1", "b.x/app:v1", "same", str(target.tagged["v1"])) in seen
    assert dict(source.calls) == {"head_manifest": 1, "get_manifest": 1}
    assert dict(target.calls) == {"head_manifest": 1}


async def test_a_target_that_has_the_whole_index_keeps_it() -> None:
    ends = MemoryEndpoints()
    built = index_bytes(image_bytes(b"one", platform="linux/arm64"))
    for place in ("a.x/app", "b.x/app"):
        await put_built(ends.at(place), built, tag="v1")
    _, seen = await ran(ends, arm("b.x/app:v1"))
    assert ImageCopied not in kinds(seen)


async def test_an_image_that_is_no_index_is_copied_whatever_it_runs_on() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1", platform="linux/s390x")
    failed, _ = await ran(ends, arm("b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").tagged == ends.at("a.x/app").tagged


@pytest.mark.parametrize("scope", ["changed", "missing", "check"])
async def test_an_index_without_the_platform_fails_alone_and_says_what_it_has(scope: Scope) -> None:
    ends = MemoryEndpoints()
    await an_index(ends.at("a.x/app"), "linux/amd64", "linux/s390x", "unknown/unknown", tag="v1")
    await an_app_beside(ends)
    beside = SyncEntry("beside", "image", "a.x/beside:v1", "b.x/beside:v1", ALL, options=ARM)
    failed, seen = await ran(ends, arm("b.x/app:v1"), beside, scope=scope)
    assert failed == 1
    (failure,) = [event for event in seen if isinstance(event, ImageFailed)]
    assert failure.message == "Platform could not be found in source manifest list"
    assert failure.error.startswith("a.x/app@sha256:")
    assert failure.error.endswith("has no image for linux/arm64; it has linux/amd64, linux/s390x")
    assert scope == "check" or ends.at("b.x/beside").tagged


async def an_app_beside(ends: MemoryEndpoints) -> None:
    await an_index(ends.at("a.x/beside"), "linux/arm64", tag="v1")


async def test_an_index_of_nothing_has_no_platform() -> None:
    ends = MemoryEndpoints()
    await put_built(ends.at("a.x/app"), index_bytes(), tag="v1")
    failure = await failure_of(ends, arm("b.x/app:v1"))
    assert failure.error.endswith("it has none at all")


async def test_a_target_named_by_digest_gets_the_image_of_that_digest() -> None:
    ends = MemoryEndpoints()
    index = await an_app(ends)
    failed, _ = await ran(ends, arm(f"b.x/app@{index.children[1].digest}"))
    assert failed == 0
    assert set(ends.at("b.x/app").manifests) == {index.children[1].digest}
    failure = await failure_of(ends, arm(f"c.x/app@{index.digest}"))
    assert "the target wants" in failure.error


async def test_a_tag_that_moved_while_it_was_copied_is_chosen_from_anew() -> None:
    ends = MemoryEndpoints()
    source = ends.at("a.x/app")
    before = await an_app(ends)
    gone = source.manifests[before.children[1].digest]
    gate = source.gate("open_blob")
    entry = arm("b.x/app:v1")
    running = asyncio.create_task(ran(ends, entry))
    await gate.reached()
    del source.blobs[gone.layers[0].digest]
    new = await put_built(
        source, index_bytes(image_bytes(b"new", platform="linux/arm64"), image_bytes(b"other")), tag="v1"
    )
    gate.open()
    failed, _ = await running
    assert failed == 0
    assert ends.at("b.x/app").tagged == {"v1": new.children[0].digest}
