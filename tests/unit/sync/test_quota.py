"""`ratelimit`: an image waits while its source has too few left to be fetched, and holds nothing meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from regsync.errors import AccessDenied, Unavailable
from regsync.events import Event, ImageCopied, ImageDelayed, ImageFailed, ImageNeeded, ImagePostponed
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.repository import Quota
from regsync.sync.entry import PullLimit, Scope, SyncEntry
from regsync.sync.run import Run
from regsync.waiting import RUN, UNIT, Activity
from tests.support.clock import FakeClock
from tests.support.images import an_image
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image, repository

LIMIT = PullLimit(100, 300.0)


class Counted(MemoryRepository):
    """A source that says in turn how many images may be fetched, the last one for ever; None: it does not say."""

    def __init__(self, clock: FakeClock, *remaining: int | None, limit: int | None = 200) -> None:
        super().__init__("a.x/app", host="a.x")
        self.remaining = list(remaining)
        self._clock = clock
        self._limit = limit
        self._said = Quota(heard=float("-inf"))

    @property
    def quota(self) -> Quota:
        return self._said

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        self._say()
        return await super().head_manifest(ref, sparse=sparse)

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        self._say()
        return await super().get_manifest(ref)

    def _say(self) -> None:
        remaining = self.remaining.pop(0) if len(self.remaining) > 1 else self.remaining[0]
        self._said = Quota(remaining, None if remaining is None else self._limit, self._clock.monotonic())


async def counted(*remaining: int | None, limit: int | None = 200, tags: int = 1, instant: bool = True) -> Lab:
    lab = Lab(FakeClock(instant=instant))
    lab.source = lab.ends.repositories_by_name["a.x/app"] = Counted(lab.clock, *remaining, limit=limit)
    for number in range(1, tags + 1):
        await an_image(lab.source, bytes([number]), tag=f"v{number}")
    lab.source.calls.clear()
    return lab


class Lab:
    """A source that counts, and a run over it."""

    source: Counted

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.ends = MemoryEndpoints()
        self.seen: list[Event] = []
        self.said: list[Activity] = []

    def run(self, *entries: SyncEntry, scope: Scope = "changed", images: int = 8) -> Run:
        """Return a run whose entries from the source that counts want some to be left."""
        limited = [replace(entry, limit=LIMIT) if entry.source.startswith("a.x/app") else entry for entry in entries]
        engine = engine_of(self.ends, clock=self.clock, images=images)
        return Run(engine, limited, scope=scope, abort_on_error=False, tell=self.seen.append, say=self.said.append)

    def told(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.seen if isinstance(event, kind)]


ONE = image("a.x/app:v1", "b.x/app:v1")


@pytest.mark.parametrize(
    ("remaining", "waits", "looks"),
    [
        ([100], 0, 1),  # as many as are to be left: Go looks once more, and so does nobody here
        ([None], 0, 1),
        ([99, 100], 1, 2),
        ([0, 50, 99, 150], 3, 4),
        ([99, None], 1, 2),  # the headers have vanished, so nobody counts any more
    ],
)
async def test_an_image_waits_until_enough_are_left_and_is_asked_for_once_a_wait(
    remaining: Sequence[int | None], waits: int, looks: int
) -> None:
    lab = await counted(*remaining)
    assert await lab.run(ONE).run() == 0
    assert lab.source.calls["head_manifest"] == looks
    assert lab.clock.slept == [300.0] * waits
    assert lab.told(ImageDelayed) == [
        ImageDelayed("a.x/app:v1", "b.x/app:v1", said or 0, 200, 100, 300.0) for said in remaining[:waits]
    ]
    assert lab.ends.at("b.x/app").tagged == lab.source.tagged
    assert lab.ends.at("b.x/app").calls["head_manifest"] == 1 + min(waits, 1)


async def test_a_wait_for_a_quota_has_no_end_and_is_no_failure() -> None:
    lab = await counted(*([0] * 200), 150)
    assert await lab.run(ONE).run() == 0
    assert lab.clock.monotonic() == 200 * 300 > 10 * max(UNIT, RUN)
    assert lab.told(ImageFailed) == lab.told(ImagePostponed) == []


async def test_waiting_for_a_quota_costs_a_run_no_patience() -> None:
    lab = await counted(*([0] * 50), 150)
    lab.ends.at("b.x/app").fail("put_manifest", Unavailable("429", retry_after=600))
    assert await lab.run(ONE).run() == 0
    assert len(lab.told(ImagePostponed)) == 1


async def test_an_image_that_waits_holds_up_nothing_else() -> None:
    lab = await counted(0, instant=False)
    await an_image(lab.ends.at("c.x/app"), b"other", tag="v1")
    running = asyncio.ensure_future(lab.run(ONE, image("c.x/app:v1", "d.x/app:v1"), images=1).run())
    await lab.clock.advance(400)
    assert [event.target for event in lab.seen if isinstance(event, ImageCopied)] == ["d.x/app:v1"]
    assert not running.done()
    lab.source.remaining = [150]
    await lab.clock.advance(300)
    assert await running == 0


async def test_a_wait_for_a_quota_ends_when_the_run_is_cancelled() -> None:
    lab = await counted(0, instant=False)
    running = asyncio.ensure_future(lab.run(ONE).run())
    await lab.clock.advance(10_000)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert lab.clock.asleep == 0


async def test_images_that_have_no_turn_yet_are_held_back_by_what_is_said_when_they_have() -> None:
    """All of them are decided while 103 are left; each copy fetches one."""
    lab = await counted(103, tags=20, instant=False)
    gate = lab.source.gate("get_manifest")
    running = asyncio.ensure_future(lab.run(repository("a.x/app", "b.x/app"), images=1).run())
    await gate.reached()
    await lab.clock.advance(5)
    lab.source.remaining = [102, 101, 100, 99]
    gate.open()
    await lab.clock.advance(5)
    assert (len(lab.told(ImageCopied)), len(lab.told(ImageDelayed))) == (4, 16)
    lab.source.remaining = [200]
    await lab.clock.advance(400)
    assert await running == 0
    assert len(lab.ends.at("b.x/app").tagged) == 20


async def test_many_images_that_wait_for_one_source_ask_it_together_and_their_targets_not_at_all() -> None:
    lab = await counted(0, tags=50, instant=False)
    running = asyncio.ensure_future(lab.run(repository("a.x/app", "b.x/app")).run())
    await lab.clock.advance(1)
    before = lab.source.calls["head_manifest"], lab.ends.at("b.x/app").calls["head_manifest"]
    assert before == (50, 50)
    await lab.clock.advance(300)
    assert lab.source.calls["head_manifest"] <= 50 + 2
    assert lab.ends.at("b.x/app").calls["head_manifest"] == 50
    lab.source.remaining = [200]
    await lab.clock.advance(300)
    assert await running == 0
    assert lab.source.calls["head_manifest"] <= 50 + 2 + 50


async def test_a_check_does_not_wait() -> None:
    lab = await counted(0)
    assert await lab.run(ONE, scope="check").run() == 0
    assert lab.seen == [ImageNeeded("a.x/app:v1", "b.x/app:v1", str(lab.source.tagged["v1"]))]
    assert lab.clock.slept == []


async def test_an_image_that_is_there_waits_for_nothing() -> None:
    lab = await counted(0)
    await an_image(lab.ends.at("b.x/app"), bytes([1]), tag="v1")
    assert await lab.run(ONE).run() == 0
    assert lab.told(ImageDelayed) == []


async def test_a_limit_that_can_never_be_met_fails_and_says_both_numbers() -> None:
    lab = await counted(60, limit=60)
    assert await lab.run(ONE).run() == 1
    (failed,) = lab.told(ImageFailed)
    assert isinstance(failed, ImageFailed)
    assert failed.message == "rate limit check failed"
    assert "a.x/app allows 60 in all, and ratelimit.min wants 100 to be left" in failed.error


async def test_a_source_that_cannot_be_asked_again_fails_its_image() -> None:
    lab = await counted(0)
    lab.source.fail("head_manifest", AccessDenied("no"), nth=2)
    assert await lab.run(ONE).run() == 1
    (failed,) = lab.told(ImageFailed)
    assert isinstance(failed, ImageFailed)
    assert (failed.message, failed.error) == ("rate limit check failed", "no")


async def test_a_source_whose_image_has_gone_to_the_target_meanwhile_is_not_copied() -> None:
    lab = await counted(0, 150, instant=False)
    running = asyncio.ensure_future(lab.run(ONE).run())
    await lab.clock.advance(10)
    await an_image(lab.ends.at("b.x/app"), bytes([1]), tag="v1")
    await lab.clock.advance(300)
    assert await running == 0
    assert lab.told(ImageCopied) == []


async def test_targets_of_one_source_are_held_back_and_copied_together() -> None:
    lab = await counted(0, 150, instant=False)
    running = asyncio.ensure_future(lab.run(ONE, image("a.x/app:v1", "c.x/app:v1")).run())
    await lab.clock.advance(301)
    assert await running == 0
    assert len(lab.told(ImageDelayed)) == 2
    assert lab.source.calls["open_blob"] == 2  # its config and its layer, once each
    assert lab.source.calls["head_manifest"] == 2


async def test_a_run_says_when_it_only_waits_and_when_it_goes_on() -> None:
    lab = await counted(0, instant=False)
    await an_image(lab.ends.at("c.x/app"), b"other", tag="v1")
    running = asyncio.ensure_future(lab.run(ONE, image("c.x/app:v1", "d.x/app:v1")).run())
    await lab.clock.advance(10)
    assert lab.said[-1] == "waiting"
    lab.said.clear()
    lab.source.remaining = [150]
    await lab.clock.advance(300)
    assert await running == 0
    assert lab.said == ["working"]
