"""Hooks around copies: what is run when, what it is told, and what comes of its failures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from regsync.errors import HookFailed, Unavailable
from regsync.events import Event as Happened
from regsync.events import ImageCopied, ImageCurrent, ImageFailed
from regsync.hooks.hook import Counts, Event, Exec, Hook, Hooks
from regsync.oci.reference import Reference
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.run import Run
from tests.support.images import an_image
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image, repository

ALL = Hooks(*(Exec((name,), 60.0) for name in ("pre", "post", "unchanged", "entryPre", "entryPost", "entryUnchanged")))
ENDS = ("a.x/app:v1", "b.x/app:v1")


@dataclass
class Runner:
    """Notes what it is told; hooks of these programs fail."""

    ends: MemoryEndpoints
    failing: Sequence[str] = ()
    told: list[Event] = field(default_factory=list)
    stood: list[int] = field(default_factory=list)

    async def __call__(self, hook: Hook, event: Event) -> None:
        assert isinstance(hook, Exec)
        assert hook.arguments == (event.hook,)
        self.told.append(event)
        self.stood.append(len(self.ends.at("b.x/app").tagged))
        if event.hook in self.failing:
            raise HookFailed(f"hook {event.hook}: no")

    @property
    def ran(self) -> list[str]:
        return [event.hook for event in self.told]


async def ran(
    ends: MemoryEndpoints, *entries: SyncEntry, scope: Scope = "changed", failing: Sequence[str] = ()
) -> tuple[Runner, int, list[Happened]]:
    runner, seen = Runner(ends, failing), list[Happened]()
    engine = replace(engine_of(ends), run_hook=runner)
    run = Run(engine, [replace(one, hooks=one.hooks or ALL) for one in entries], scope=scope, abort_on_error=False,
              tell=seen.append)  # fmt: skip
    return runner, await run.run(), seen


async def one_image() -> MemoryEndpoints:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    return ends


async def test_a_copy_is_told_of_before_and_after() -> None:
    ends = await one_image()
    former = await an_image(ends.at("b.x/app"), b"former", tag="v1")
    runner, failed, _ = await ran(ends, image(*ENDS))
    digest, kind = str(ends.at("a.x/app").tagged["v1"]), former.media_type
    name, before = "a.x/app:v1 -> b.x/app:v1", str(former.digest)
    assert failed == 0
    assert runner.told == [
        Event("entryPre", name, *ENDS, "needed"),
        Event("pre", name, *ENDS, "needed", before, digest, kind),
        Event("post", name, *ENDS, "copied", before, digest, kind),
        Event("entryPost", name, *ENDS, "copied", images=Counts(copied=1)),
    ]


async def test_what_goes_before_runs_before_anything_stands_at_the_target() -> None:
    runner, _, _ = await ran(await one_image(), image(*ENDS))
    assert dict(zip(runner.ran, runner.stood, strict=True)) == {"entryPre": 0, "pre": 0, "post": 1, "entryPost": 1}


async def test_an_image_that_is_the_same_is_told_of_as_unchanged() -> None:
    ends = await one_image()
    await an_image(ends.at("b.x/app"), b"layer", tag="v1")
    runner, failed, seen = await ran(ends, image(*ENDS))
    digest, kind = ends.at("a.x/app").tagged["v1"], ends.at("a.x/app").manifests.popitem()[1].media_type
    name = "a.x/app:v1 -> b.x/app:v1"
    assert (failed, seen) == (0, [ImageCurrent(*ENDS, "same", str(digest))])
    assert runner.told == [
        Event("unchanged", name, *ENDS, "unchanged", str(digest), str(digest), kind),
        Event("entryUnchanged", name, *ENDS, "unchanged", images=Counts(unchanged=1)),
    ]


@pytest.mark.parametrize("scope", ["check", "missing"])
async def test_a_look_that_does_not_compare_tells_nothing_of_what_is_there(scope: Scope) -> None:
    ends = await one_image()
    await an_image(ends.at("b.x/app"), b"layer", tag="v1")
    runner, _, _ = await ran(ends, image(*ENDS), scope=scope)
    assert runner.told == []


async def test_a_check_runs_nothing_for_what_it_finds_needed() -> None:
    runner, _, _ = await ran(await one_image(), image(*ENDS), scope="check")
    assert runner.told == []


async def test_a_pre_that_fails_keeps_its_image_from_being_copied_and_no_other() -> None:
    ends = await one_image()
    other = replace(image("a.x/app:v1", "b.x/other:v1"), hooks=Hooks())
    runner, failed, seen = await ran(ends, image(*ENDS), other, failing=["pre"])
    assert failed == 1
    assert ImageFailed("Failed to run hook", *ENDS, "hook pre: no", 1) in seen
    assert runner.ran == ["entryPre", "pre", "entryPost"]
    assert runner.told[-1].images == Counts(failed=1)
    assert not ends.at("b.x/app").tagged
    assert ends.at("b.x/other").tagged


async def test_an_entry_pre_runs_once_and_where_it_fails_no_image_of_the_entry_is_copied() -> None:
    ends = await one_image()
    await an_image(ends.at("a.x/app"), b"other", tag="v2")
    runner, failed, seen = await ran(ends, repository("a.x/app", "b.x/app"), failing=["entryPre"])
    assert failed == 2
    assert {event.error for event in seen if isinstance(event, ImageFailed)} == {"hook entryPre: no"}
    assert runner.ran == ["entryPre", "entryPost"]
    assert not ends.at("b.x/app").tagged


async def test_the_entry_s_own_hooks_run_once_around_all_of_its_images() -> None:
    ends = await one_image()
    for tag in ("v2", "v3"):
        await an_image(ends.at("a.x/app"), tag.encode(), tag=tag)
    await an_image(ends.at("b.x/app"), b"layer", tag="v1")
    runner, _, _ = await ran(ends, repository("a.x/app", "b.x/app"))
    assert sorted(runner.ran) == sorted(["entryPre", "pre", "pre", "post", "post", "unchanged", "entryPost"])
    assert (runner.ran[-1], runner.told[-1].images) == ("entryPost", Counts(copied=2, unchanged=1))


@pytest.mark.parametrize("hook", ["post", "entryPost"])
async def test_a_hook_that_fails_after_a_copy_is_a_failure_and_the_copy_stands(hook: str) -> None:
    ends = await one_image()
    _, failed, seen = await ran(ends, image(*ENDS), failing=[hook])
    assert failed == 1
    assert ends.at("b.x/app").tagged == ends.at("a.x/app").tagged
    assert [event.error for event in seen if isinstance(event, ImageFailed)] == [f"hook {hook}: no"]
    assert any(isinstance(event, ImageCopied) for event in seen)


async def test_an_entry_is_told_how_many_hooks_of_its_images_failed() -> None:
    runner, failed, _ = await ran(await one_image(), image(*ENDS), failing=["post"])
    assert failed == 1
    assert (runner.told[-1].outcome, runner.told[-1].images) == ("failed", Counts(copied=1, failed=1))


async def test_a_bug_is_a_failure_of_the_entry_it_is_met_in() -> None:
    def bug(target: Reference) -> Reference:
        raise ZeroDivisionError(str(target))

    ends = await one_image()
    await an_image(ends.at("b.x/app"), b"former", tag="v1")
    runner, failed, _ = await ran(ends, replace(image(*ENDS), backup=bug))
    assert (failed, runner.ran, runner.told[0].images) == (1, ["entryPost"], Counts(failed=1))


async def test_a_copy_that_fails_is_told_of_with_its_error() -> None:
    ends = await one_image()
    ends.at("b.x/app").fail("put_manifest", Unavailable("the target is away"), times=9)
    runner, failed, _ = await ran(ends, image(*ENDS))
    assert failed == 1
    assert runner.ran == ["entryPre", "pre", "post", "entryPost"]
    assert (runner.told[2].outcome, runner.told[2].after) == ("failed", None)
    assert "the target is away" in (runner.told[2].error or "")
    assert (runner.told[3].outcome, runner.told[3].images) == ("failed", Counts(failed=1))


async def test_an_image_that_is_put_off_while_it_is_copied_is_announced_once_and_told_of_once() -> None:
    ends = await one_image()
    ends.at("b.x/app").fail("put_manifest", Unavailable("busy", retry_after=20.0))
    runner, failed, _ = await ran(ends, image(*ENDS))
    assert (failed, runner.ran) == (0, ["entryPre", "pre", "post", "entryPost"])


async def test_an_image_nobody_can_look_at_is_a_failure_of_its_entry_alone() -> None:
    runner, failed, _ = await ran(MemoryEndpoints(), image(*ENDS))
    assert (failed, runner.ran) == (1, ["entryPost"])


async def test_a_listing_that_fails_is_a_failure_of_its_entry() -> None:
    runner, failed, _ = await ran(MemoryEndpoints(), repository("a.x/app", "b.x/app"))
    assert (failed, runner.ran, runner.told[0].outcome) == (1, ["entryPost"], "failed")


async def test_who_reads_what_an_entry_writes_begins_when_its_hooks_have_ended() -> None:
    ends = await one_image()
    second = replace(image("b.x/app:v1", "c.x/app:v1"), name="second")
    runner, failed, _ = await ran(ends, image(*ENDS), second)
    order = [(event.hook, event.entry) for event in runner.told]
    assert failed == 0
    assert order.index(("entryPost", "a.x/app:v1 -> b.x/app:v1")) < order.index(("entryPre", "second"))
