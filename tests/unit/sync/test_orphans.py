"""Nothing that a run began is still under way when the run has ended, and no target keeps another from being opened."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from regsync.oci.reference import parse_reference
from regsync.repository import Repository
from regsync.sync.run import Run
from regsync.sync.targets import Targets
from regsync.transfer.seen import Seen
from tests.support.clock import FakeClock, settle
from tests.support.images import an_image
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image


class Slow(MemoryRepository):
    """Takes a while to end when it is cancelled."""

    ended = False

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        try:
            return await super().head_manifest(ref, sparse=sparse)
        except asyncio.CancelledError:
            await settle()
            self.ended = True
            raise


@pytest.mark.parametrize("how", ["a bug at the other end", "a cancellation"])
async def test_a_question_is_over_when_its_run_is(how: str) -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    slow = ends.repositories_by_name["b.x/app"] = Slow("b.x/app", host="b.x")
    gate = slow.gate("head_manifest")
    if how == "a cancellation":
        ends.at("a.x/app").gate("head_manifest")
    else:
        ends.at("a.x/app").fail("head_manifest", ZeroDivisionError())  # type: ignore[arg-type]
    run = Run(engine_of(ends), [image("a.x/app:v1", "b.x/app:v1")], scope="changed", abort_on_error=False,
              tell=lambda _: None)  # fmt: skip
    running = asyncio.create_task(run.run())
    await gate.reached()
    await settle()
    if how == "a cancellation":
        running.cancel()
    else:
        assert not running.done()
        gate.open()
    with suppress(asyncio.CancelledError):
        await running
    assert slow.ended or how != "a cancellation"
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_target_that_cannot_be_opened_yet_keeps_no_other_from_being_opened() -> None:
    ends, hanging = MemoryEndpoints(), asyncio.Event()

    class Hanging(Targets):
        async def _open(self, reference: object) -> Repository:
            if "b.x" in str(reference):
                await hanging.wait()
            return await super()._open(reference)  # type: ignore[arg-type]

    async with Hanging(ends, Seen(FakeClock()), writing=True, tell=lambda _: None) as targets:
        waiting = asyncio.create_task(targets.open(parse_reference("b.x/app:v1")))
        await settle()
        async with asyncio.timeout(5):
            assert (await targets.open(parse_reference("c.x/app:v1"))).name == "c.x/app"
        hanging.set()
        assert (await waiting).name == "b.x/app"
