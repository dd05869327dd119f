from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from weakref import ref

from regsync.events import (
    CopyPlanned,
    ImageCopied,
    ImageCurrent,
    ImageFailed,
    ImageNeeded,
    ImageSkipped,
    NoTagsMatched,
)
from regsync.oci import mediatype
from regsync.sync.entry import SyncEntry
from regsync.sync.run import Run
from regsync.sync.select import Filter, Selection
from regsync.sync.units import MOST
from tests.support.clock import FakeClock, settle
from tests.support.images import an_image, an_index
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import ALL, MemoryEndpoints, engine_of, image, ran, repository


class Crowded(MemoryRepository):
    """A repository of very many tags."""

    async def tags(self) -> AsyncIterator[str]:
        for number in range(20_000):
            yield f"v{number}"


async def test_no_entries_is_nothing_to_do() -> None:
    assert await ran(MemoryEndpoints()) == (0, [])


async def test_an_image_is_copied_and_the_second_run_asks_two_questions() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    entry = image("a.x/app:v1", "b.x/app:v1")
    failed, seen = await ran(ends, entry)
    assert failed == 0
    assert any(isinstance(event, ImageNeeded) for event in seen)
    assert any(isinstance(event, ImageCopied) for event in seen)
    for one in ends.repositories_by_name.values():
        one.calls.clear()
    failed, seen = await ran(ends, entry)
    assert (failed, seen) == (
        0,
        [ImageCurrent("a.x/app:v1", "b.x/app:v1", "same", str(ends.at("b.x/app").tagged["v1"]))],
    )
    assert sum(sum(one.calls.values()) for one in ends.repositories_by_name.values()) == 2


async def test_a_run_that_has_ended_is_gone_before_garbage_is_looked_for() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    entries = [image("a.x/app:v1", "b.x/app:v1"), repository("a.x/app", "c.x/app"), repository("a.x/none", "c.x/none")]
    gc.disable()
    try:
        run = Run(engine_of(ends), entries, scope="changed", abort_on_error=False, tell=lambda _: None)
        assert await run.run() == 1
        gone = ref(run)
        del run
        assert gone() is None
    finally:
        gc.enable()


async def test_a_repository_is_copied_tag_by_tag_as_its_filters_say() -> None:
    ends = MemoryEndpoints()
    for tag in ("v1", "v2", "edge"):
        await an_image(ends.at("a.x/app"), tag.encode(), tag=tag)
    failed, _ = await ran(ends, repository("a.x/app", "b.x/app", tags=Selection((Filter(allow=("v.*",)),))))
    assert failed == 0
    assert set(ends.at("b.x/app").tagged) == {"v1", "v2"}


async def test_a_registry_is_copied_repository_by_repository() -> None:
    ends = MemoryEndpoints()
    ends.catalogues["a.x"] = ["one", "deep/two", "private"]
    for path in ends.catalogues["a.x"]:
        await an_image(ends.at(f"a.x/{path}"), path.encode(), tag="v1")
    entry = SyncEntry("all", "registry", "a.x", "b.x/m", ALL, repositories=Selection((Filter(deny=("priv.*",)),)))
    failed, _ = await ran(ends, entry)
    assert failed == 0
    assert {name for name in ends.repositories_by_name if name.startswith("b.x")} == {"b.x/m/one", "b.x/m/deep/two"}


async def test_a_filter_that_leaves_nothing_warns_and_succeeds() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, seen = await ran(ends, repository("a.x/app", "b.x/app", tags=Selection((Filter(allow=("x",)),))))
    assert failed == 0
    assert NoTagsMatched("a.x/app", "allow x; deny nothing", ("v1",)) in seen


async def test_a_range_no_version_lies_in_warns_with_its_words_and_succeeds() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, seen = await ran(ends, repository("a.x/app", "b.x/app", tags=Selection((Filter(ranges=("^2",)),))))
    assert failed == 0
    assert NoTagsMatched("a.x/app", "semver ^2; allow everything; deny nothing", ("v1",)) in seen


async def test_a_list_of_many_tags_lets_others_have_a_turn_while_it_is_gone_through() -> None:
    ends, clock = MemoryEndpoints(), FakeClock(instant=True)
    ends.repositories_by_name["a.x/app"] = Crowded("a.x/app", host="a.x")
    ends.repositories_by_name["b.x/app"] = Crowded("b.x/app", host="b.x")
    entry = repository("a.x/app", "b.x/app", tags=Selection((Filter(ranges=(">=0",)),)))
    run = Run(engine_of(ends, clock=clock), [entry], scope="missing", abort_on_error=False, tell=lambda _: None)
    assert await run.run() == 0
    turns = 20_000 // 2_000 + 20_000 // 1_000 + 20_000 // 200  # chosen, made images, found to be there
    assert clock.slept.count(0) >= turns - 3


async def test_a_source_repository_that_is_not_there_fails() -> None:
    failed, seen = await ran(MemoryEndpoints(), repository("a.x/app", "b.x/app"))
    assert failed == 1
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed getting source tags"]


async def test_missing_leaves_a_stale_tag_alone_and_does_not_ask_the_source() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    old = await an_image(ends.at("b.x/app"), b"old", tag="v1")
    ends.at("a.x/app").calls.clear()
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope="missing")
    assert failed == 0
    assert seen == [ImageCurrent("a.x/app:v1", "b.x/app:v1", "present")]
    assert not ends.at("a.x/app").calls
    assert ends.at("b.x/app").tagged["v1"] == old.digest


async def test_missing_lists_a_shared_target_once_instead_of_asking_for_every_tag() -> None:
    ends = MemoryEndpoints()
    entries = []
    for n in range(20):
        await an_image(ends.at("a.x/app"), bytes([n]), tag=f"v{n}")
        await an_image(ends.at("b.x/app"), bytes([n]), tag=f"v{n}")
        entries.append(image(f"a.x/app:v{n}", f"b.x/app:v{n}"))
    for one in ends.repositories_by_name.values():
        one.calls.clear()
    failed, seen = await ran(ends, *entries, scope="missing")
    assert failed == 0
    assert len(seen) == 20
    assert ends.asked("tags") == 1
    assert ends.asked("head_manifest") == 0


async def test_missing_copies_what_the_list_lacks() -> None:
    ends = MemoryEndpoints()
    for n in range(3):
        await an_image(ends.at("a.x/app"), bytes([n]), tag=f"v{n}")
    await an_image(ends.at("b.x/app"), b"0", tag="v0")
    failed, _ = await ran(ends, repository("a.x/app", "b.x/app"), scope="missing")
    assert failed == 0
    assert set(ends.at("b.x/app").tagged) == {"v0", "v1", "v2"}


async def test_a_source_named_by_three_entries_is_resolved_and_fetched_once() -> None:
    ends = MemoryEndpoints()
    await an_index(ends.at("a.x/app"), "linux/amd64", tag="v1")
    ends.at("a.x/app").calls.clear()
    failed, _ = await ran(ends, *(image("a.x/app:v1", f"{host}.x/app:v1") for host in "bcd"))
    assert failed == 0
    assert ends.at("a.x/app").calls["head_manifest"] == 1
    assert ends.at("a.x/app").calls["get_manifest"] == 2  # the index and its child


async def test_a_tag_that_moved_is_told_of_with_what_it_stood_for_and_how_much_may_have_to_move() -> None:
    ends = MemoryEndpoints()
    moved = await an_image(ends.at("a.x/app"), b"new layer", tag="v1")
    before = await an_image(ends.at("b.x/app"), b"layer", tag="v1")
    _, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    size = sum(blob.size for blob in moved.blobs)
    assert seen[0] == ImageNeeded("a.x/app:v1", "b.x/app:v1", str(moved.digest), str(before.digest))
    assert seen[1] == CopyPlanned("a.x/app:v1", "b.x/app:v1", blobs=2, size=size)


async def test_check_says_what_is_needed_and_writes_nothing() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope="check")
    assert failed == 0
    assert seen == [ImageNeeded("a.x/app:v1", "b.x/app:v1", str(ends.at("a.x/app").tagged["v1"]))]
    assert not ends.at("b.x/app").blobs
    assert not ends.tidied


async def test_a_media_type_not_wanted_is_skipped_without_failure() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    entry = image("a.x/app:v1", "b.x/app:v1", media_types=(mediatype.OCI_INDEX,))
    failed, seen = await ran(ends, entry)
    assert failed == 0
    assert [type(event) for event in seen] == [ImageSkipped]


async def test_an_entry_that_reads_what_another_writes_runs_after_it() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, _ = await ran(ends, image("b.x/app:v1", "c.x/app:v1"), image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert "v1" in ends.at("c.x/app").tagged


async def test_at_most_so_many_images_are_copied_at_once() -> None:
    ends = MemoryEndpoints()
    for n in range(6):
        await an_image(ends.at("a.x/app"), bytes([n]), tag=f"v{n}")
    gate = ends.at("b.x/app").gate("put_manifest")
    task = asyncio.create_task(ran(ends, repository("a.x/app", "b.x/app"), images=2))
    await gate.reached()
    await settle()
    assert gate.waiting == 2
    gate.open()
    assert (await task)[0] == 0


async def test_every_target_is_left_when_the_run_ends() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    await ran(ends, image("a.x/app:v1", "b.x/app:v1"), image("a.x/app:v1", "b.x/app:v2"))
    assert ends.tidied == ["b.x/app"]


async def test_a_run_has_as_many_workers_as_there_is_work_for() -> None:
    ends = MemoryEndpoints()
    for n in range(600):
        await an_image(ends.at("a.x/app"), bytes([n % 256]), bytes([n // 256]), tag=f"v{n}")
    gate = ends.at("a.x/app").gate("tags")
    before = len(asyncio.all_tasks())
    running = asyncio.create_task(ran(ends, repository("a.x/app", "b.x/app"), scope="check"))
    await gate.reached()
    assert len(asyncio.all_tasks()) - before <= 3
    looking = ends.at("a.x/app").gate("head_manifest")
    gate.open()
    await looking.reached()
    await settle()
    assert looking.waiting == MOST
    looking.open()
    failed, _ = await running
    assert failed == 0
