"""Runs as the tests of notifications need them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from regsync.record.values import Counts, ImageRecord, RunRecord, Scope

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
OLD, NEW = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


def minutes(number: float) -> datetime:
    """Return the moment so many minutes after noon."""
    return NOON + timedelta(minutes=number)


def failed(error: str, tag: str = "v1", entry: str = "one") -> ImageRecord:
    return ImageRecord(entry, f"a.example/x:{tag}", f"b.example/x:{tag}", "failed", NOON, error=error)


def copied(tag: str = "v1", before: str = OLD, after: str = NEW, entry: str = "one") -> ImageRecord:
    return ImageRecord(entry, f"a.example/x:{tag}", f"b.example/x:{tag}", "copied", NOON, before, after)


def a_run(
    *images: ImageRecord, at: float = 0, entry: str = "one", scope: Scope = "changed", cut: bool = False
) -> RunRecord:
    """Return a run that ended so many minutes after noon."""
    failures = sum(image.outcome == "failed" for image in images)
    counts = Counts(copied=len(images) - failures, unchanged=1, failed=failures)
    ended = minutes(at)
    return RunRecord(f"run-{at:g}", entry, scope, ended - timedelta(seconds=2), ended, 2.0, counts, images, cut)
