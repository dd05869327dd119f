"""Images of one source that go to several targets in one run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from regsync.errors import AccessDenied, RegsyncError, Unavailable
from regsync.events import Event, ImageCopied, ImageFailed
from regsync.sync.entry import SyncEntry
from regsync.sync.run import Run
from tests.support.clock import FakeClock, settle
from tests.support.images import an_image, an_index
from tests.unit.sync.lab import ALL, MemoryEndpoints, engine_of, image, ran, repository

TARGETS = ("b.x/app", "c.x/app", "d.x/app")


async def a_source(ends: MemoryEndpoints, *tags: str) -> None:
    for tag in tags:
        await an_image(ends.at("a.x/app"), tag.encode(), b"shared", tag=tag)
    ends.at("a.x/app").calls.clear()


async def ran_in_time(ends: MemoryEndpoints, *entries: object, scope: str = "changed") -> tuple[int, list[Event]]:
    """Run on a clock that stands still unless everybody waits for it."""
    clock, seen = FakeClock(), list[Event]()
    engine = engine_of(ends, clock=clock)
    run = Run(engine, entries, scope=scope, abort_on_error=False, tell=seen.append)  # type: ignore[arg-type]
    running = asyncio.create_task(run.run())
    while not running.done():
        await settle()
        if not running.done():
            await clock.next()
    return await running, seen


async def test_three_entries_of_one_image_read_each_blob_once() -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    failed, seen = await ran_in_time(ends, *(image("a.x/app:v1", f"{target}:v1") for target in TARGETS))
    assert failed == 0
    assert sum(isinstance(event, ImageCopied) for event in seen) == 3
    assert ends.at("a.x/app").calls["open_blob"] == len(ends.at("a.x/app").blobs)
    assert ends.at("a.x/app").calls["get_manifest"] == 1
    assert all(ends.at(target).blobs == ends.at("a.x/app").blobs for target in TARGETS)


@pytest.mark.parametrize("scope", ["changed", "missing"])
async def test_three_entries_of_one_repository_read_each_blob_once_and_list_it_once(scope: str) -> None:
    ends = MemoryEndpoints()
    await a_source(ends, *(f"v{n}" for n in range(20)))
    failed, _ = await ran_in_time(ends, *(repository("a.x/app", target) for target in TARGETS), scope=scope)
    assert failed == 0
    assert ends.at("a.x/app").calls["tags"] == 1
    assert ends.at("a.x/app").calls["open_blob"] == len(ends.at("a.x/app").blobs)
    assert all(ends.at(target).tagged == ends.at("a.x/app").tagged for target in TARGETS)


async def test_an_image_that_also_lies_in_a_repository_entry_is_read_once() -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    failed, _ = await ran_in_time(ends, repository("a.x/app", "b.x/app"), image("a.x/app:v1", "c.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").tagged == ends.at("c.x/app").tagged == ends.at("a.x/app").tagged


@pytest.mark.parametrize("method", ["head_manifest", "has_blob", "write_blob", "put_manifest"])
@pytest.mark.parametrize("error", [AccessDenied("no"), Unavailable("gone")])
async def test_a_target_that_fails_fails_alone(method: str, error: RegsyncError) -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    ends.at("c.x/app").fail(method, error, times=99)
    failed, seen = await ran_in_time(ends, *(image("a.x/app:v1", f"{target}:v1") for target in TARGETS))
    assert failed == 1
    assert [event.target for event in seen if isinstance(event, ImageFailed)] == ["c.x/app:v1"]
    assert ends.at("b.x/app").tagged == ends.at("d.x/app").tagged == ends.at("a.x/app").tagged
    assert ends.at("a.x/app").calls["open_blob"] == len(ends.at("a.x/app").blobs)


async def test_a_target_that_does_not_answer_holds_the_others_up_for_seconds_only() -> None:
    ends, clock = MemoryEndpoints(), FakeClock()
    await a_source(ends, "v1")
    gate = ends.at("c.x/app").gate("head_manifest")
    engine = engine_of(ends, clock=clock)
    entries = [image("a.x/app:v1", f"{target}:v1") for target in TARGETS]
    run = Run(engine, entries, scope="changed", abort_on_error=False, tell=lambda _: None)
    running = asyncio.create_task(run.run())
    await gate.reached()
    await clock.advance(5)
    assert ends.at("b.x/app").tagged == ends.at("d.x/app").tagged == ends.at("a.x/app").tagged
    gate.open()
    assert await running == 0
    assert ends.at("c.x/app").tagged == ends.at("a.x/app").tagged


async def test_a_target_that_asks_to_be_left_alone_gets_its_image_later() -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    ends.at("c.x/app").fail("write_blob", Unavailable("429", retry_after=60))
    failed, seen = await ran_in_time(ends, *(image("a.x/app:v1", f"{target}:v1") for target in TARGETS))
    assert failed == 0
    assert [event.target for event in seen if isinstance(event, ImageCopied)][-1] == "c.x/app:v1"


async def test_entries_of_one_image_count_as_one_against_the_number_of_images_at_once() -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    async with asyncio.timeout(10):
        failed, _ = await ran(ends, *(image("a.x/app:v1", f"{target}:v1") for target in TARGETS), images=1)
    assert failed == 0


async def test_a_tag_that_stands_for_something_else_meanwhile_is_copied_as_each_entry_saw_it() -> None:
    ends = MemoryEndpoints()
    await an_index(ends.at("a.x/app"), "linux/amd64", tag="v1")
    failed, _ = await ran_in_time(ends, image("a.x/app:v1", "b.x/app:v1"), image("a.x/app:v1", "b.x/app:other"))
    assert failed == 0
    assert set(ends.at("b.x/app").tagged) == {"v1", "other"}


async def test_ten_entries_of_one_dead_source_fail_with_one_set_of_tries() -> None:
    ends = MemoryEndpoints()
    await a_source(ends, "v1")
    ends.at("a.x/app").fail("head_manifest", Unavailable("500"), times=99)
    failed, _ = await ran(ends, *(image("a.x/app:v1", f"b{n}.x/app:v1") for n in range(10)))
    assert failed == 10
    assert ends.at("a.x/app").calls["head_manifest"] == 1


async def test_runs_that_were_due_together_share_what_they_ask() -> None:
    ends, clock = MemoryEndpoints(), FakeClock()
    await a_source(ends, "v1")
    engine = engine_of(ends, clock=clock)
    due = clock.monotonic()
    for target in TARGETS:
        run = Run(engine, [image("a.x/app:v1", f"{target}:v1")], scope="check", abort_on_error=False,
                  tell=lambda _: None, since=due)  # fmt: skip
        assert await run.run() == 0
        await clock.advance(60)
    assert ends.at("a.x/app").calls["head_manifest"] == 1
    late = Run(engine, [image("a.x/app:v1", "b.x/app:v1")], scope="check", abort_on_error=False, tell=lambda _: None)
    await late.run()
    assert ends.at("a.x/app").calls["head_manifest"] == 2


async def test_two_mirrors_of_one_registry_list_it_once_and_read_each_blob_once() -> None:
    ends = MemoryEndpoints()
    ends.catalogues["a.x"] = ["app", "other"]
    await a_source(ends, "v1", "v2")
    await an_image(ends.at("a.x/other"), b"other", tag="v1")
    listed = 0
    list_ = ends.repositories

    def counted(host: str) -> AsyncIterator[str]:
        nonlocal listed
        listed += 1
        return list_(host)

    ends.repositories = counted  # type: ignore[method-assign]
    mirrors = [SyncEntry(host, "registry", "a.x", f"{host}/m", ALL) for host in ("b.x", "c.x")]
    failed, _ = await ran_in_time(ends, *mirrors)
    assert (failed, listed) == (0, 1)
    assert ends.at("a.x/app").calls["open_blob"] == len(ends.at("a.x/app").blobs)
    assert ends.at("b.x/m/other").tagged == ends.at("c.x/m/other").tagged == ends.at("a.x/other").tagged
