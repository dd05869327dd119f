from __future__ import annotations

import pytest

from regsync.events import BlobDone, ImageCopied, ImageCurrent, ImageFailed, ImageNeeded, ImageSkipped, ManifestPushed
from regsync.observe.ending import ending, failure_lines
from regsync.record.tally import Tally
from regsync.record.values import Counts, ImageRecord, RunRecord
from regsync.record.words import human_bytes
from tests.support.facts import NOON, a_fact


def a_tally() -> Tally:
    tally = Tally()
    for event in (
        ImageNeeded("a", "b"),
        ImageCopied("a", "b", "sha256:1"),
        ImageCurrent("a", "b", "same"),
        ImageCurrent("a", "b", "present"),
        ImageSkipped("a", "application/x", ()),
        ImageFailed("Failed to copy image", "a.x/app:v1", "b.x/app:v1", "blob sha256:1: no", 4),
        BlobDone("b", "sha256:1", 100, "copied"),
        BlobDone("b", "sha256:2", 1000, "adopted"),
        BlobDone("b", "sha256:3", 5000, "present"),
        ManifestPushed("b", "sha256:4", "v1", 11),
    ):
        tally(a_fact(event))
    return tally


def test_a_run_is_counted_from_its_events() -> None:
    done = a_tally().finished("", seconds=1.5)
    assert (done.copied, done.unchanged, done.skipped, done.failed) == (1, 2, 1, 1)
    assert (done.moved, done.spared) == (111, 1000)


def test_a_failure_is_one_line_with_its_place_and_its_tries() -> None:
    assert failure_lines(a_tally().failures) == ["a.x/app:v1 -> b.x/app:v1: blob sha256:1: no (tried 4 times)"]


def an_image(target: str, error: str = "") -> ImageRecord:
    return ImageRecord("", "a.x/app:v1", target, "failed" if error else "copied", NOON, error=error, attempts=4)


def test_the_end_is_one_sentence_and_failures_by_cause_with_the_images_of_each() -> None:
    images = (
        an_image("b.x/app:v1", "b.x: away"),
        an_image("c.x/app:v1", "c.x: no"),
        an_image("b.x/app:v2", "b.x: away"),
    )
    run = RunRecord("r", "", "changed", NOON, NOON, 0.1, Counts(copied=5, failed=3, moved=1024), images)
    assert list(ending(run)) == [
        "5 images copied, 3 failed, 1.0 KiB in 0.1 s",
        "2 failed: b.x: away (tried 4 times)",
        "  a.x/app:v1 -> b.x/app:v1",
        "  a.x/app:v1 -> b.x/app:v2",
        "1 failed: c.x: no (tried 4 times)",
        "  a.x/app:v1 -> c.x/app:v1",
    ]


def test_of_a_cause_with_many_images_twenty_are_named_and_the_others_counted() -> None:
    images = tuple(an_image(f"b.x/app:v{number}", "away") for number in range(25))
    lines = list(ending(RunRecord("r", "", "changed", NOON, NOON, 0.1, Counts(failed=25), images)))
    assert (len(lines), lines[-1]) == (23, "  and 5 more")


def test_a_run_that_was_cut_off_says_that_not_all_was_done() -> None:
    assert list(ending(RunRecord("r", "", "changed", NOON, NOON, 0.1, cut=True))) == [
        "No images, in 0.1 s; not all was done"
    ]


def test_what_a_registry_says_steers_no_terminal() -> None:
    run = RunRecord("r", "", "changed", NOON, NOON, 0.1, images=(an_image("b.x/\x1b[2Japp", "\x1b]0;title\x07"),))
    assert "\x1b" not in "".join(ending(run))


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), (5 << 40, "5.0 TiB")]
)
def test_bytes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert human_bytes(count) == text
