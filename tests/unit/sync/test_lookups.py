from __future__ import annotations

import asyncio
import math
from dataclasses import replace

import pytest

from regsync.errors import IntegrityError, NotFound, Unavailable
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.sync import lookups
from regsync.sync.answers import Age
from regsync.sync.lookups import Lookups
from tests.support.clock import FakeClock, settle
from tests.support.images import an_image, described
from tests.support.memory import MemoryRepository


async def test_fifty_who_ask_at_once_cost_one_question() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    made = await an_image(source, b"layer", tag="v1")
    source.calls.clear()
    heads = await asyncio.gather(*(memory.head(source, "v1", since=0) for _ in range(50)))
    assert set(heads) == {made.descriptor}
    assert source.calls["head_manifest"] == 1


async def test_what_is_not_there_is_asked_for_once_too() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    for _ in range(3):
        with pytest.raises(NotFound):
            await memory.head(source, "v1", since=0)
    assert source.calls["head_manifest"] == 1


async def test_a_failure_is_an_answer_for_whoever_began_before_and_for_nobody_later() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock)
    made = await an_image(source, b"layer", tag="v1")
    source.fail("head_manifest", Unavailable("no answer", retry_after=5))
    source.calls.clear()
    for _ in range(10):
        with pytest.raises(Unavailable, match="no answer") as caught:
            await memory.head(source, "v1", since=0)
        assert caught.value.retry_after == 5
    assert source.calls["head_manifest"] == 1
    await clock.advance(1)
    assert await memory.head(source, "v1", since=clock.monotonic()) == made.descriptor
    assert await memory.head(source, "v1", since=0) == made.descriptor
    assert source.calls["head_manifest"] == 2


async def test_an_answer_that_was_asked_for_before_a_run_began_is_none_of_its() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock)
    await an_image(source, b"old", tag="v1")
    await memory.head(source, "v1", since=0)
    await clock.advance(1)
    made = await an_image(source, b"new", tag="v1")
    assert await memory.head(source, "v1", since=0) != made.descriptor
    assert await memory.head(source, "v1", since=1) == made.descriptor


async def test_an_answer_still_under_way_when_a_run_began_is_asked_for_again() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock)
    await an_image(source, b"old", tag="v1")
    gate = source.gate("head_manifest")
    first = asyncio.create_task(memory.head(source, "v1", since=0))
    await gate.reached()
    await clock.advance(1)
    second = asyncio.create_task(memory.head(source, "v1", since=1))
    await settle()
    gate.open()
    await asyncio.gather(first, second)
    assert source.calls["head_manifest"] == 2


async def test_one_source_s_failure_to_give_a_manifest_is_no_other_source_s() -> None:
    broken, sound, memory = MemoryRepository("a/b"), MemoryRepository("c/d"), Lookups(FakeClock())
    made = await an_image(sound, b"layer", tag="v1")
    for _ in range(2):
        with pytest.raises(NotFound):
            await memory.manifest(broken, made.descriptor, since=0)
    assert broken.calls["get_manifest"] == 1
    assert await memory.manifest(sound, made.descriptor, since=0) == made
    assert await memory.manifest(broken, made.descriptor, since=0) == made


async def test_a_manifest_that_is_not_as_it_is_listed_is_refused() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    made = (await an_image(source, b"layer", tag="v1")).descriptor
    with pytest.raises(IntegrityError, match="but it is listed as"):
        await memory.manifest(source, Descriptor(made.media_type, made.digest, made.size + 1), since=0)
    with pytest.raises(IntegrityError, match="but it is listed as"):
        await memory.manifest(source, Descriptor(mediatype.OCI_INDEX, made.digest, made.size), since=0)


async def test_a_manifest_inside_its_descriptor_is_not_fetched() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    made = await an_image(source, b"layer", tag="v1")
    source.calls.clear()
    found = await memory.manifest(source, replace(made.descriptor, data=made.raw), since=0)
    assert found == made
    assert not source.calls


async def test_large_manifests_are_fetched_one_at_a_time() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    gate = source.gate("get_manifest")
    wanted = [replace(described(bytes([n])), size=2 << 20) for n in range(3)]
    tasks = [asyncio.create_task(memory.manifest(source, one, since=0)) for one in wanted]
    await settle()
    assert source.calls["get_manifest"] == 1
    gate.open()
    assert all(isinstance(error, NotFound) for error in await asyncio.gather(*tasks, return_exceptions=True))
    assert source.calls["get_manifest"] == 3


async def test_when_the_asker_is_cancelled_the_next_one_asks() -> None:
    source, memory = MemoryRepository(), Lookups(FakeClock())
    made = await an_image(source, b"layer", tag="v1")
    gate = source.gate("head_manifest")
    first = asyncio.create_task(memory.head(source, "v1", since=0))
    await gate.reached()
    second = asyncio.create_task(memory.head(source, "v1", since=0))
    first.cancel()
    gate.open()
    assert await second == made.descriptor


async def test_manifests_are_forgotten_oldest_first_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lookups, "_BYTES", 1000)
    source, memory = MemoryRepository(), Lookups(FakeClock())
    images = [await an_image(source, bytes([n]), tag=f"v{n}") for n in range(5)]
    source.lies.update({image.digest: image.raw for image in images})  # so that it hands out none that it keeps
    source.calls.clear()
    for image in images:
        await memory.manifest(source, image.descriptor, since=0)
    await memory.manifest(source, images[-1].descriptor, since=0)
    assert source.calls["get_manifest"] == 5
    await memory.manifest(source, images[0].descriptor, since=0)
    assert source.calls["get_manifest"] == 6


async def test_a_target_that_is_not_there_has_no_tags_and_one_that_will_not_say_is_unknown() -> None:
    absent, silent, memory = MemoryRepository("a/b"), MemoryRepository("c/d"), Lookups(FakeClock())
    silent.fail("tags", Unavailable("no answer"))
    assert await memory.present(absent, since=0) == frozenset()
    assert await memory.present(silent, since=0) is None
    assert await memory.present(silent, since=0) is None
    assert silent.calls["tags"] == 1
    assert [memory.is_new(target, since=0) for target in (absent, silent)] == [True, False]


async def test_a_target_whose_registry_merely_has_no_list_of_tags_is_not_taken_for_new() -> None:
    target, memory = MemoryRepository("a/b"), Lookups(FakeClock())
    await an_image(target, b"layer")
    target.fail("tags", NotFound("404 page not found"))
    assert await memory.present(target, since=0) == frozenset()
    assert not memory.is_new(target, since=0)


async def test_a_target_is_new_to_whoever_began_before_that_was_seen_and_not_to_a_later_run() -> None:
    clock = FakeClock()
    target, memory = MemoryRepository(), Lookups(clock)
    assert not memory.is_new(target, since=-math.inf)
    await memory.present(target, since=clock.monotonic())
    await clock.advance(1)
    assert memory.is_new(target, since=0)
    assert not memory.is_new(target, since=clock.monotonic())


def listed(source: MemoryRepository) -> int:
    return source.calls["referrers"]


async def test_a_list_of_referrers_is_good_for_its_time_and_grows_no_younger_by_use() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock, referrers_age=Age(10, 60.0))
    subject = (await an_image(source, b"layer", tag="v1")).digest
    for passed, asked in ((0, 1), (30, 1), (29, 1), (2, 2), (59, 2), (1, 3)):
        await clock.advance(passed)
        for _ in range(3):
            await memory.referrers(source, subject, slow=False, settled=False, since=clock.monotonic())
        assert listed(source) == asked, passed


async def test_of_too_many_lists_of_referrers_the_oldest_go() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock, referrers_age=Age(2, 60.0))
    subjects = [(await an_image(source, str(number).encode())).digest for number in range(3)]
    for subject in (*subjects, subjects[2], subjects[1], subjects[0]):
        await clock.advance(1)
        await memory.referrers(source, subject, slow=False, settled=False, since=clock.monotonic())
    assert listed(source) == 4


async def test_without_an_age_every_run_asks_for_its_lists_of_referrers() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock)
    subject = (await an_image(source, b"layer", tag="v1")).digest
    for _ in range(3):
        await clock.advance(1)
        await memory.referrers(source, subject, slow=False, settled=False, since=clock.monotonic())
    assert listed(source) == 3


async def test_a_failure_to_list_referrers_has_no_age() -> None:
    clock = FakeClock()
    source, memory = MemoryRepository(), Lookups(clock, referrers_age=Age(10, 60.0))
    subject = (await an_image(source, b"layer", tag="v1")).digest
    source.fail("referrers", Unavailable("no answer"))
    with pytest.raises(Unavailable):
        await memory.referrers(source, subject, slow=False, settled=False, since=0)
    await clock.advance(1)
    assert await memory.referrers(source, subject, slow=False, settled=False, since=1) == ()
