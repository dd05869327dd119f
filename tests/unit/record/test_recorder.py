from __future__ import annotations

from datetime import timedelta

import pytest

from regsync.events import (
    BlobDone,
    BlobProgress,
    BlobRetried,
    CopyPlanned,
    Event,
    ImageCopied,
    ImageCurrent,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    ImageRefreshing,
    ImageSkipped,
    ManifestPushed,
    RunFinished,
    RunStarted,
)
from regsync.facts import Fact, Telling
from regsync.record.recorder import Recorder, run_name
from regsync.record.tally import Tally
from regsync.record.values import Counts, LiveBlob, RunRecord, Scope
from tests.support.clock import FakeClock
from tests.support.facts import NOON, a_fact

ENDS = ("a.x/app:v1", "b.x/app:v1")


class Lab:
    """A recorder that is told of one run over one entry, on a clock of its own."""

    def __init__(self, *, scope: Scope = "changed", most_unchanged: int = 1000) -> None:
        self.kept: list[RunRecord] = []
        self.clock = FakeClock()
        self.recorder = Recorder(self.kept.append, most_unchanged=most_unchanged)
        self._tally = Tally()
        self.tell(RunStarted("one", scope))

    def tell(self, *events: Event, image: str = "") -> None:
        for event in events:
            fact = Fact(self.clock.now(), "r1", "one", image, event)
            self._tally(fact)
            self.recorder(fact)

    def end(self, *, cut: bool = False) -> RunRecord:
        self.tell(self._tally.finished("one", seconds=2.5, cut=cut))
        return self.kept[-1]


async def test_a_copied_image_is_kept_with_both_digests_its_bytes_and_how_long_it_took() -> None:
    lab = Lab()
    lab.tell(ImageNeeded(*ENDS, "sha256:new", "sha256:old"))
    await lab.clock.advance(3)
    lab.tell(
        BlobDone("b.x/app", "sha256:1", 100, "copied"),
        BlobDone("b.x/app", "sha256:2", 1000, "adopted"),
        BlobDone("b.x/app", "sha256:3", 5000, "present"),
        ManifestPushed("b.x/app", "sha256:new", "v1", 11),
        ImageCopied(*ENDS, "sha256:new"),
        image=ENDS[1],
    )
    run = lab.end()
    (image,) = run.images
    assert (image.entry, image.source, image.target, image.outcome) == ("one", *ENDS, "copied")
    assert (image.before, image.digest, image.moved, image.spared) == ("sha256:old", "sha256:new", 111, 1000)
    assert (image.seconds, run.seconds, run.outcome) == (3.0, 2.5, "copied")
    assert run.counts == Counts(copied=1, moved=111, spared=1000)
    assert (lab.recorder.running(), lab.recorder.live()) == ([], [])


def test_a_check_keeps_what_is_needed_and_copies_nothing() -> None:
    lab = Lab(scope="check")
    lab.tell(ImageNeeded(*ENDS, "sha256:new"), ImageCurrent("a.x/b:v1", "b.x/b:v1", "same", "sha256:1"))
    assert lab.recorder.live() == []
    run = lab.end()
    assert [(image.outcome, image.digest) for image in run.images] == [
        ("needed", "sha256:new"),
        ("unchanged", "sha256:1"),
    ]
    assert (run.outcome, run.counts.needed, run.counts.images) == ("needed", 1, 2)


def test_an_image_that_only_lacked_what_belongs_to_it_changes_nothing() -> None:
    lab = Lab()
    lab.tell(ImageRefreshing(*ENDS, forced=False, digest_tags=True, referrers=True, digest="sha256:1"))
    lab.tell(ImageCopied(*ENDS, "sha256:1"))
    (image,) = lab.end().images
    assert (image.outcome, image.before, image.digest) == ("copied", "sha256:1", "sha256:1")


def test_what_fails_is_kept_with_its_reason_even_if_it_was_never_begun() -> None:
    lab = Lab()
    lab.tell(ImageNeeded(*ENDS, "sha256:new"), ImageFailed("Failed to copy image", *ENDS, "no room", 4))
    lab.tell(ImageFailed("Failed getting source tags", "a.x/other", "b.x/other", "it is gone", 1))
    run = lab.end()
    assert [(image.target, image.error, image.attempts) for image in run.images] == [
        ("b.x/app:v1", "no room", 4),
        ("b.x/other", "it is gone", 1),
    ]
    assert (run.outcome, run.counts.failed, lab.recorder.live()) == ("failed", 2, [])


def test_what_is_skipped_goes_by_its_name_at_the_target() -> None:
    lab = Lab()
    lab.tell(ImageSkipped("a.x/app:v1", "application/x", ()), image=ENDS[1])
    assert [(image.target, image.outcome) for image in lab.end().images] == [(ENDS[1], "skipped")]


def test_of_many_unchanged_images_some_are_listed_and_all_are_counted() -> None:
    lab = Lab(most_unchanged=2)
    for number in range(5):
        lab.tell(ImageCurrent(f"a.x/app:{number}", f"b.x/app:{number}", "same"))
    lab.tell(ImageFailed("Failed to copy image", *ENDS, "no", 1))
    run = lab.end()
    assert (len(run.images), run.counts.unchanged, run.images[-1].outcome) == (3, 5, "failed")


def test_an_image_under_way_shows_its_blobs_and_how_far_it_is() -> None:
    lab = Lab()
    lab.tell(ImageNeeded(*ENDS, "sha256:new"), CopyPlanned(*ENDS, blobs=2, size=300))
    lab.tell(BlobDone("b.x/app", "sha256:1", 100, "present"))
    lab.tell(BlobProgress("a.x/app", ("b.x/app", "c.x/app"), "sha256:2", 50, 200))
    (image,) = lab.recorder.live()
    assert (image.size, image.done, image.target, image.entry) == (300, 150, ENDS[1], "one")
    assert image.blobs == (LiveBlob("sha256:2", "a.x/app", ("b.x/app", "c.x/app"), 50, 200),)
    lab.tell(BlobRetried("a.x/app", "b.x/app", "sha256:2", 1, "it broke"))
    (image,) = lab.recorder.live()
    assert (image.done, image.blobs) == (100, ())


def test_of_many_images_those_come_first_that_move_and_no_more_are_made_ready_than_are_wanted() -> None:
    lab = Lab()
    for name in ("waits", "looks", "moves"):
        lab.tell(ImageNeeded(f"a.x/{name}:v1", f"b.x/{name}:v1", "sha256:new"))
    lab.tell(ImagePostponed("a.x/waits:v1", "b.x/waits:v1", 60, "too many requests"))
    lab.tell(BlobProgress("a.x/moves", ("b.x/moves",), "sha256:2", 50, 200))
    shown, total = lab.recorder.foremost(2)
    assert ([image.target for image in shown], total) == (["b.x/moves:v1", "b.x/looks:v1"], 3)
    assert lab.recorder.foremost(9, entry="another") == ([], 0)
    assert len(lab.recorder.foremost(9, entry="one", run=shown[0].run)[0]) == 3


def test_an_image_that_waits_says_until_when_and_why_and_for_no_longer_than_it_does() -> None:
    lab = Lab()
    lab.tell(ImagePostponed(*ENDS, 60, "too many requests"))
    (image,) = lab.recorder.live()
    assert image.until is not None
    assert ((image.until - lab.clock.now()).total_seconds(), image.why) == (60, "too many requests")
    lab.tell(ImageNeeded(*ENDS, "sha256:new"), CopyPlanned(*ENDS, 1, 10))
    (image,) = lab.recorder.live()
    assert (image.until, image.why) == (None, "")


@pytest.mark.parametrize("end", [":v1", "@sha256:1"])
def test_a_repository_whose_name_begins_as_another_s_is_another(end: str) -> None:
    lab = Lab()
    lab.tell(ImageNeeded(f"a.x/app{end}", f"b.x/app{end}", "sha256:new"))
    lab.tell(BlobDone("b.x/ap", "sha256:1", 100, "copied"))
    lab.tell(BlobDone("b.x/app", "sha256:2", 7, "copied"))
    lab.tell(ImageCopied(f"a.x/app{end}", f"b.x/app{end}", "sha256:new"))
    run = lab.end()
    assert (run.images[0].moved, run.counts.moved) == (7, 107)


def test_bytes_are_credited_to_the_image_they_were_moved_for_if_it_is_known() -> None:
    lab = Lab()
    for tag in ("v1", "v2"):
        lab.tell(ImageNeeded(f"a.x/app:{tag}", f"b.x/app:{tag}", "sha256:new"))
    lab.tell(BlobDone("b.x/app", "sha256:1", 100, "copied"), image="b.x/app:v2")
    for tag in ("v1", "v2"):
        lab.tell(ImageCopied(f"a.x/app:{tag}", f"b.x/app:{tag}", "sha256:new"))
    assert [image.moved for image in lab.end().images] == [0, 100]


def test_a_blob_under_way_is_no_other_image_s_of_the_repository_where_it_is_known_whose() -> None:
    lab = Lab()
    for tag in ("v1", "v2"):
        lab.tell(ImageNeeded(f"a.x/app:{tag}", f"b.x/app:{tag}"), CopyPlanned("a.x/app", f"b.x/app:{tag}", 2, 200))
    lab.tell(BlobProgress("a.x/app", ("b.x/app",), "sha256:1", 50, 100), image="b.x/app:v1")
    assert [image.done for image in lab.recorder.live()] == [50, 0]
    lab.tell(BlobDone("b.x/app", "sha256:1", 100, "copied"), image="b.x/app:v1")
    assert [image.done for image in lab.recorder.live()] == [100, 0]


def test_a_run_that_goes_on_is_told_apart_from_those_that_ended() -> None:
    lab = Lab()
    lab.tell(ImageCurrent(*ENDS, "same"))
    (run,) = lab.recorder.running()
    assert (run.outcome, run.counts.unchanged, lab.kept) == ("running", 1, [])
    assert lab.recorder.under_way() == {run.entry: run.id}
    lab.tell(ImageNeeded("a.x/b:v1", "b.x/b:v1", "sha256:new"))
    assert lab.end(cut=True).outcome == "cut"
    assert (lab.recorder.running(), lab.recorder.live()) == ([], [])


def test_what_belongs_to_no_run_is_passed_over() -> None:
    kept: list[RunRecord] = []
    tell = Telling([recorder := Recorder(kept.append)], FakeClock())
    tell(ImageCurrent(*ENDS, "same"))
    tell(RunFinished("", copied=0, unchanged=0, skipped=0, failed=0, moved=0, spared=0, seconds=0))
    assert (kept, recorder.running()) == ([], [])


def test_names_of_runs_sort_as_they_began_also_within_one_second_and_behind_those_of_former_versions() -> None:
    began = [
        a_fact(RunStarted("a", "changed"), at=NOON + timedelta(milliseconds=9 * number), run=f"r{number}")
        for number in range(12)
    ]
    names = [f"{NOON:%Y%m%dT%H%M%S}-r9", *map(run_name, began)]
    assert names == sorted(names)
