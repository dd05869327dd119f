from __future__ import annotations

import pytest

from regsync.clock import Clock
from regsync.errors import Unavailable
from regsync.transfer.plan import CopyPlan, plan_copy
from regsync.transfer.seen import Seen
from regsync.transfer.weighing import Scales, Weight
from tests.support.built import Built, image_bytes, index_bytes
from tests.support.clock import FakeClock
from tests.support.images import put_blobs, put_built
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import DIRECTLY

ONE, TWO = image_bytes(b"base", b"one"), image_bytes(b"base", b"number two")
BASE = len(b"base")


def size(built: Built) -> int:
    return len(built.raw) + sum(map(len, built.blobs.values())) + sum(map(size, built.children))


async def planned(source: MemoryRepository, target: MemoryRepository, built: Built, tag: str = "v1") -> CopyPlan:
    manifest = await put_built(source, built, tag=tag)
    return await plan_copy(source, target, manifest.descriptor, at=tag, asking=DIRECTLY)


def scales(clock: Clock | None = None) -> Scales:
    return Scales(Seen(clock or FakeClock()), since=float("-inf"))


@pytest.fixture
def source() -> MemoryRepository:
    return MemoryRepository("a.x/app", host="a.x")


@pytest.fixture
def target() -> MemoryRepository:
    return MemoryRepository("b.x/app", host="b.x")


async def test_what_several_images_share_is_in_each_and_once_in_the_sum(
    source: MemoryRepository, target: MemoryRepository
) -> None:
    weighing = scales()
    assert await weighing.weigh(await planned(source, target, ONE)) == Weight(size(ONE), size(ONE))
    assert await weighing.weigh(await planned(source, target, TWO, "v2")) == Weight(size(TWO), size(TWO) - BASE)
    next_door = MemoryRepository("b.x/other", host="b.x")
    assert await weighing.weigh(await planned(source, next_door, ONE)) == Weight(size(ONE), len(ONE.raw))
    elsewhere = MemoryRepository("c.x/app", host="c.x")
    assert await weighing.weigh(await planned(source, elsewhere, ONE)) == Weight(size(ONE), size(ONE))


@pytest.mark.parametrize("late", [False, True])
async def test_what_lies_at_the_host_is_not_in_the_sum_whenever_that_shows(
    source: MemoryRepository, target: MemoryRepository, late: bool
) -> None:
    await put_blobs(target, ONE)
    there, lacking = (source, target, TWO), (source, MemoryRepository("b.x/other", host="b.x"), ONE)
    weighing = scales()
    weights = [await weighing.weigh(await planned(*each)) for each in ([lacking, there] if late else [there, lacking])]
    assert sorted(one.whole for one in weights) == sorted([size(ONE), size(TWO) - BASE])
    assert sum(one.more for one in weights) == size(ONE) - BASE + size(TWO) - BASE


async def test_what_the_sources_host_is_comes_by_links(target: MemoryRepository) -> None:
    next_door = MemoryRepository("b.x/other", host="b.x")
    assert await scales().weigh(await planned(next_door, target, ONE)) == Weight(len(ONE.raw), len(ONE.raw))


async def test_a_manifest_counts_for_each_name_and_each_part_once(
    source: MemoryRepository, target: MemoryRepository
) -> None:
    weighing, index = scales(), index_bytes(ONE, TWO)
    whole = size(index) - BASE
    assert await weighing.weigh(await planned(source, target, index)) == Weight(whole, whole)
    assert await weighing.weigh(await planned(source, target, index, "v2")) == Weight(whole, len(index.raw))


async def test_each_blob_is_looked_for_once(source: MemoryRepository, target: MemoryRepository) -> None:
    weighing = scales()
    for tag in ("v1", "v2"):
        await weighing.weigh(await planned(source, target, ONE, tag))
    assert target.calls["has_blob"] == len(ONE.blobs)
    await put_blobs(target, TWO)
    target.calls.clear()
    for tag in ("v1", "v2"):
        await weighing.weigh(await planned(source, target, TWO, tag))
    assert target.calls["has_blob"] == len(TWO.blobs.keys() - ONE.blobs.keys())


async def test_a_target_that_cannot_be_asked_is_told(source: MemoryRepository, target: MemoryRepository) -> None:
    target.fail("has_blob", Unavailable("b.x: 503"))
    with pytest.raises(Unavailable):
        await scales().weigh(await planned(source, target, ONE))
