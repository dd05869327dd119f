from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import AccessDenied
from regsync.events import Event, ImageFailed, ImagePostponed, ImageSkipped, ignore
from regsync.sync.decide import Decision, Failed, Needed, Postponed, Skipped
from regsync.sync.entry import ImagePair, SyncEntry
from regsync.sync.gates import Gate
from regsync.sync.run import Run
from tests.support.images import an_image
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image


class Says:
    """A gate that says these things in turn, and lets pass when it has nothing left to say."""

    def __init__(self, *decisions: Decision) -> None:
        self.asked: list[str] = []
        self._decisions = list(decisions)

    async def __call__(self, entry: SyncEntry, pair: ImagePair, needed: Needed, /) -> Decision:
        self.asked.append(str(pair.target))
        return self._decisions.pop(0) if self._decisions else needed


async def ran_through(*gates: Gate, scope: str = "changed") -> tuple[MemoryEndpoints, int, list[Event]]:
    ends, seen = MemoryEndpoints(), list[Event]()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    engine = replace(engine_of(ends), gates=gates)
    entries = [image("a.x/app:v1", "b.x/app:v1")]
    run = Run(engine, entries, scope=scope, abort_on_error=False, tell=seen.append)  # type: ignore[arg-type]
    return ends, await run.run(), seen


FAILED = Failed("Failed to ask the gate", "a.x/app:v1", "b.x/app:v1", AccessDenied("no"))


async def test_gates_that_let_pass_are_asked_in_their_order_and_nothing_changes() -> None:
    one, two = Says(), Says()
    ends, failed, _ = await ran_through(one, two)
    assert (failed, one.asked, two.asked) == (0, ["b.x/app:v1"], ["b.x/app:v1"])
    assert ends.at("b.x/app").tagged == ends.at("a.x/app").tagged


@pytest.mark.parametrize(("decision", "event"), [(FAILED, ImageFailed), (Skipped("x/y"), ImageSkipped)])
async def test_the_first_gate_that_does_not_let_pass_has_the_word(decision: Decision, event: type) -> None:
    last = Says()
    ends, _, seen = await ran_through(Says(decision), last)
    assert last.asked == []
    assert any(isinstance(one, event) for one in seen)
    assert not ends.at("b.x/app").tagged


async def test_an_image_a_gate_puts_off_is_decided_anew_and_copied_later() -> None:
    gate = Says(Postponed(30, FAILED))
    ends, failed, seen = await ran_through(gate)
    assert failed == 0
    assert len(gate.asked) == 2
    assert [event.pause for event in seen if isinstance(event, ImagePostponed)] == [30]
    assert ends.at("b.x/app").tagged


async def test_a_check_asks_no_gate() -> None:
    gate = Says(FAILED)
    _, failed, _ = await ran_through(gate, scope="check")
    assert (failed, gate.asked) == (0, [])


async def test_a_gate_is_told_what_the_target_s_name_stands_for_now() -> None:
    told: list[Needed] = []

    async def gate(_entry: SyncEntry, _pair: ImagePair, needed: Needed, /) -> Decision:
        told.append(needed)
        return needed

    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    former = await an_image(ends.at("b.x/app"), b"old", tag="v1")
    engine = replace(engine_of(ends), gates=[gate])
    entries = [image("a.x/app:v1", "b.x/app:v1"), image("a.x/app:v1", "b.x/app:v2")]
    await Run(engine, entries, scope="changed", abort_on_error=False, tell=ignore).run()
    assert [needed.before for needed in told] == [former.descriptor, None]
