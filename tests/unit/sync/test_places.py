from __future__ import annotations

from regsync.events import BlobDone, ImageCopied, ImageFailed, TagsSelected
from regsync.facts import Fact, Telling
from regsync.record.tally import Tally
from regsync.sync.entry import SyncEntry
from regsync.sync.run import Run
from tests.support.clock import FakeClock
from tests.support.images import an_image
from tests.unit.sync.lab import MemoryEndpoints, engine_of, image, repository


async def facts_of(endpoints: MemoryEndpoints, *entries: SyncEntry) -> list[Fact]:
    seen: list[Fact] = []
    clock = FakeClock(instant=True)
    tell = Telling([seen.append], clock)
    engine = engine_of(endpoints, clock=clock)
    with tell.run(Tally(), entry=""):
        await Run(engine, entries, scope="changed", abort_on_error=False, tell=tell).run()
    return seen


async def test_what_happens_to_an_image_says_for_which_entry_and_image_of_which_run() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"one", tag="v1")
    await an_image(ends.at("a.x/many"), b"two", tag="v1")
    await an_image(ends.at("a.x/many"), b"three", tag="v2")
    one, many = image("a.x/app:v1", "b.x/app:v1"), repository("a.x/many", "b.x/many")
    seen = await facts_of(ends, one, many)
    assert {fact.run for fact in seen} == {"r1"}
    listed = [(fact.entry, fact.image) for fact in seen if isinstance(fact.event, TagsSelected)]
    assert listed == [(many.name, "")]
    for kind in (BlobDone, ImageCopied):
        places = {(fact.entry, fact.image) for fact in seen if isinstance(fact.event, kind)}
        assert places == {(one.name, "b.x/app:v1"), (many.name, "b.x/many:v1"), (many.name, "b.x/many:v2")}


async def test_a_failure_says_it_too() -> None:
    entry = image("a.x/absent:v1", "b.x/absent:v1")
    (failure,) = [fact for fact in await facts_of(MemoryEndpoints(), entry) if isinstance(fact.event, ImageFailed)]
    assert (failure.run, failure.entry, failure.image) == ("r1", entry.name, "b.x/absent:v1")
