from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regsync.events import BlobDone, BlobProgress, BlobRetried, Event, RunFinished
from regsync.facts import Fact
from regsync.pages.rates import Rates
from regsync.record.values import LiveBlob, LiveImage

THEN = datetime(2026, 1, 1, tzinfo=UTC)
TARGETS = ("b.x/app", "c.x/app")


def progress(digest: str, offset: int) -> BlobProgress:
    return BlobProgress("a.x/app", TARGETS, digest, offset, 1000)


def told(*events: tuple[float, Event]) -> Rates:
    rates = Rates()
    for seconds, event in events:
        rates(Fact(THEN + timedelta(seconds=seconds), "r1", "a", "", event))
    return rates


def image(target: str, *digests: str) -> LiveImage:
    blobs = tuple(LiveBlob(digest, "a.x/app", TARGETS, 0, 1000) for digest in digests)
    return LiveImage("20260101T000000-r1", "a", "a.x/app:1", target, THEN, blobs=blobs)


def test_the_rate_of_an_image_is_that_of_its_blobs_together() -> None:
    rates = told((0, progress("1", 0)), (0, progress("2", 100)), (2, progress("1", 400)), (2, progress("2", 200)))
    assert rates.of(image("b.x/app:1", "1", "2")) == 250.0
    assert rates.of(image("c.x/app:1", "1")) == 200.0
    assert rates.of(image("b.x/application:1", "1")) == 0.0


def test_nothing_is_known_of_a_blob_that_was_seen_once_or_has_ended_or_begins_again() -> None:
    begun = (0, progress("1", 0)), (1, progress("1", 500))
    for end in (BlobDone("b.x/app", "1", 1000, "copied"), BlobRetried("a.x/app", "b.x/app", "1", 2, "")):
        assert told(*begun, (2, end)).of(image("b.x/app:1", "1")) == 0.0
    assert told((0, progress("1", 0))).of(image("b.x/app:1", "1")) == 0.0


def test_a_run_that_ended_leaves_nothing_behind() -> None:
    rates = told((0, progress("1", 0)), (1, RunFinished("a", 0, 0, 0, 0, 0, 0, 1.0)))
    assert rates._steps == {}
