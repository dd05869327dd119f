"""What a run waits for, and that it ends: the table in `regsync/waiting.py`."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.errors import Unavailable
from regsync.events import ImageFailed, ImagePostponed
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from regsync.sync.run import Run
from regsync.waiting import ROUNDS, RUN, UNIT, Waited
from tests.support.clock import FakeClock
from tests.support.images import an_image
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image, ran, repository


class Asking(MemoryRepository):
    """A source that answers nothing and asks for these pauses in turn, the last one for ever."""

    def __init__(self, name: str, *pauses: float) -> None:
        super().__init__(name, host=name.partition("/")[0])
        self._pauses = list(pauses)

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        self.calls["head_manifest"] += 1
        pause = self._pauses.pop(0) if len(self._pauses) > 1 else self._pauses[0]
        raise Unavailable("429", retry_after=pause)


@pytest.mark.parametrize("asked", [0.0, 1.0, 0.001])
async def test_a_registry_that_asks_for_no_time_again_and_again_is_asked_a_few_times_and_given_up(asked: float) -> None:
    ends = MemoryEndpoints()
    source = ends.repositories_by_name["a.x/app"] = Asking("a.x/app", asked)
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1
    assert source.calls["head_manifest"] <= ROUNDS + 1
    assert sum(isinstance(event, ImageFailed) for event in seen) == 1
    pauses = [event.pause for event in seen if isinstance(event, ImagePostponed)]
    assert pauses == sorted(pauses)
    assert sum(pauses) <= UNIT


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=40), st.integers(1, 5))
def test_no_order_of_pauses_asked_for_makes_a_run_exceed_its_deadline(pauses: list[float], chain: int) -> None:
    async def check() -> None:
        ends, clock = MemoryEndpoints(), FakeClock(instant=True)
        await an_image(ends.at("a.x/m0"), b"layer", tag="v1")
        for n in range(chain):
            ends.repositories_by_name[f"a.x/n{n}"] = Asking(f"a.x/n{n}", *pauses)
        entries = [image(f"a.x/n{n}:v1", f"a.x/n{n + 1}:v1") for n in range(chain)]
        run = Run(engine_of(ends, clock=clock), entries, scope="changed", abort_on_error=False, tell=lambda _: None)
        async with asyncio.timeout(30):
            assert await run.run() == chain
        assert clock.monotonic() <= RUN + UNIT

    asyncio.run(check())


def test_pauses_grow_where_little_is_asked_for_and_are_what_was_asked_for_else() -> None:
    waited, pauses = Waited(), []
    while (pause := waited.pause(0)) is not None:
        pauses.append(pause)
        waited = waited.longer(pause)
    assert pauses[:7] == [1, 2, 4, 8, 16, 32, 60]
    assert len(pauses) <= ROUNDS
    assert Waited().pause(300) == 300
    assert Waited().pause(UNIT + 1) is None


async def test_an_answer_given_before_a_unit_was_put_off_is_asked_for_again() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("a.x/app").fail("head_manifest", Unavailable("429", retry_after=30))
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert ends.at("a.x/app").calls["head_manifest"] == 2


async def test_a_listing_is_put_off_like_an_image() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("a.x/app").fail("tags", Unavailable("429", retry_after=30))
    failed, seen = await ran(ends, repository("a.x/app", "b.x/app"))
    assert failed == 0
    assert [event.source for event in seen if isinstance(event, ImagePostponed)] == ["a.x/app"]
