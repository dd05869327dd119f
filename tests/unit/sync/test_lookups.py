from __future__ import annotations

import asyncio

import pytest

from regsync.errors import NotFound, Unavailable
from regsync.sync import lookups
from regsync.sync.lookups import Lookups
from tests.support.images import an_image
from tests.support.memory import MemoryRepository


async def test_fifty_who_ask_at_once_cost_one_question() -> None:
    source, memory = MemoryRepository(), Lookups()
    made = await an_image(source, b"layer", tag="v1")
    source.calls.clear()
    heads = await asyncio.gather(*(memory.head(source, "v1") for _ in range(50)))
    assert set(heads) == {made.descriptor}
    assert source.calls["head_manifest"] == 1


async def test_what_is_not_there_is_asked_for_once_too() -> None:
    source, memory = MemoryRepository(), Lookups()
    for _ in range(3):
        with pytest.raises(NotFound):
            await memory.head(source, "v1")
    assert source.calls["head_manifest"] == 1


async def test_a_failure_is_not_remembered() -> None:
    source, memory = MemoryRepository(), Lookups()
    made = await an_image(source, b"layer", tag="v1")
    source.fail("head_manifest", Unavailable("no answer"))
    with pytest.raises(Unavailable):
        await memory.head(source, "v1")
    assert await memory.head(source, "v1") == made.descriptor


async def test_when_the_asker_is_cancelled_the_next_one_asks() -> None:
    source, memory = MemoryRepository(), Lookups()
    made = await an_image(source, b"layer", tag="v1")
    gate = source.gate("head_manifest")
    first = asyncio.create_task(memory.head(source, "v1"))
    await gate.reached()
    second = asyncio.create_task(memory.head(source, "v1"))
    first.cancel()
    gate.open()
    assert await second == made.descriptor


async def test_manifests_are_forgotten_oldest_first_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "_KEPT", 1000)
    source, memory = MemoryRepository(), Lookups()
    images = [await an_image(source, bytes([n]), tag=f"v{n}") for n in range(5)]
    source.calls.clear()
    for image in images:
        await memory.manifest(source, image.digest)
    await memory.manifest(source, images[-1].digest)
    assert source.calls["get_manifest"] == 5
    await memory.manifest(source, images[0].digest)
    assert source.calls["get_manifest"] == 6


async def test_a_target_that_is_not_there_has_no_tags_and_one_that_will_not_say_is_unknown() -> None:
    absent, silent, memory = MemoryRepository("a/b"), MemoryRepository("c/d"), Lookups()
    silent.fail("tags", Unavailable("no answer"))
    assert await memory.tags(absent) == frozenset()
    assert await memory.tags(silent) is None
    assert await memory.tags(silent) is None
    assert silent.calls["tags"] == 1
