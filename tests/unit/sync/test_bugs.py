"""What nobody expected: a bug of ours costs the image that trips over it, and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from regsync.errors import AccessDenied, StorageError
from regsync.events import Event, ImageCopied, ImageFailed, Warned
from regsync.oci.reference import Reference
from regsync.repository import Repository
from regsync.sync.entry import SyncEntry
from regsync.sync.run import Run
from tests.support.images import an_image
from tests.unit.sync.lab import ALL, MemoryEndpoints, engine_of, image, ran, repository

BUG = ZeroDivisionError("nobody expected that")


@pytest.mark.parametrize("method", ["head_manifest", "get_manifest", "open_blob", "chunk", "tags"])
async def test_a_bug_met_at_one_source_costs_what_comes_from_there_and_the_run_goes_on(method: str) -> None:
    ends = MemoryEndpoints()
    for host in ("a.x", "c.x"):
        for n in range(3):
            await an_image(ends.at(f"{host}/app"), bytes([n]), tag=f"v{n}")
    ends.at("a.x/app").fail(method, BUG, times=99)  # type: ignore[arg-type]
    failed, seen = await ran(ends, repository("a.x/app", "b.x/a"), repository("c.x/app", "b.x/c"))
    assert failed == (1 if method == "tags" else 3)
    assert sum(isinstance(event, ImageCopied) for event in seen) == 3
    failures = [event for event in seen if isinstance(event, ImageFailed)]
    assert all("a bug in regsync: ZeroDivisionError" in event.error and event.crash is BUG for event in failures)


@pytest.mark.parametrize("method", ["head_manifest", "has_blob", "adopt_blob", "write_blob", "write", "commit"])
async def test_a_bug_met_at_one_target_of_an_image_ends_the_run_of_that_image_only(method: str) -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    await an_image(ends.at("a.x/app"), b"other", tag="v2")
    ends.at("b.x/app").fail(method, BUG, times=99)  # type: ignore[arg-type]
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), image("a.x/app:v2", "c.x/app:v2"))
    assert failed == 1
    assert ends.at("c.x/app").tagged


async def test_a_bug_in_a_catalogue_costs_its_entry() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("c.x/app"), b"layer", tag="v1")
    failed, _ = await ran(ends, SyncEntry("all", "registry", "unknown.x", "b.x", ALL), image("c.x/app:v1", "b.x/c:v1"))
    assert failed == 1
    assert ends.at("b.x/c").tagged


async def test_what_waits_for_an_entry_that_met_a_bug_runs_all_the_same() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("b.x/app"), b"layer", tag="v1")
    ends.at("a.x/app").fail("head_manifest", BUG)  # type: ignore[arg-type]
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), image("b.x/app:v1", "c.x/app:v1"))
    assert failed == 1
    assert ends.at("c.x/app").tagged


class OneUntidy(MemoryEndpoints):
    """Targets, of which one cannot be left in order."""

    @asynccontextmanager
    async def _writing(self, reference: Reference) -> AsyncIterator[Repository]:
        yield self.at(reference.name)
        if reference.name == "two.x/app":
            raise StorageError("not permitted")
        self.tidied.append(reference.name)


async def test_one_target_that_cannot_be_tidied_keeps_no_other_from_being_tidied() -> None:
    ends = OneUntidy()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    names = ("one.x/app", "two.x/app", "three.x/app")
    failed, seen = await ran(ends, *(image("a.x/app:v1", f"{name}:v1") for name in names))
    assert failed == 0
    assert set(ends.tidied) == {"one.x/app", "three.x/app"}
    assert [event.fields["target"] for event in seen if isinstance(event, Warned)] == ["two.x/app"]


async def test_a_bug_between_units_is_counted_and_the_others_are_worked_off() -> None:
    ends = MemoryEndpoints()
    for host in ("a.x", "c.x"):
        await an_image(ends.at(f"{host}/app"), b"layer", tag="v1")
    entries = [image("a.x/app:v1", "b.x/a:v1"), image("c.x/app:v1", "b.x/c:v1")]
    engine, seen, told = engine_of(ends), list[Event](), 0

    def tell(event: Event) -> None:
        nonlocal told
        if isinstance(event, ImageFailed) and not told:
            told += 1
            raise BUG
        seen.append(event)

    ends.at("a.x/app").fail("head_manifest", AccessDenied("no"))
    run = Run(engine, entries, scope="changed", abort_on_error=False, tell=tell)
    assert await run.run() == 1
    assert ends.at("b.x/c").tagged
    assert any(isinstance(event, ImageFailed) and event.crash is BUG for event in seen)
