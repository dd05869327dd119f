from __future__ import annotations

import pytest

from regsync.events import BlobDone, ImageCopied, ImageCurrent, ImageFailed, ImageNeeded, ImageSkipped, ManifestPushed
from regsync.observe.ending import failure_lines, table
from regsync.record.tally import Tally
from regsync.record.words import human_bytes
from tests.support.facts import a_fact


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


def test_the_table_has_every_count() -> None:
    drawn = table(a_tally())
    for word in ("copied", "unchanged", "skipped", "failed", "111 B", "1000 B"):
        assert word in drawn


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1 << 20, "1.0 MiB"), (5 << 40, "5.0 TiB")]
)
def test_bytes_are_written_as_people_read_them(count: int, text: str) -> None:
    assert human_bytes(count) == text
