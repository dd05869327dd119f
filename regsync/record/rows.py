"""Records as rows of SQLite, and back. Moments are seconds since the epoch, which sort."""

from __future__ import annotations

from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import Any, Final

from regsync.record.values import Counts, ImageRecord, RunRecord

VERSION: Final = 1  # of the tables, kept in the file
_COUNTS: Final = tuple(field.name for field in fields(Counts))
_IMAGE: Final = tuple(field.name for field in fields(ImageRecord))
RUN_COLUMNS: Final = ", ".join(("id", "entry", "scope", "began", "ended", "seconds", "cut", *_COUNTS))
IMAGE_COLUMNS: Final = ", ".join(_IMAGE)
TABLES: Final = f"""
CREATE TABLE IF NOT EXISTS runs (
  id TEXT PRIMARY KEY, entry TEXT NOT NULL, scope TEXT NOT NULL, began REAL NOT NULL, ended REAL, seconds REAL NOT NULL,
  cut INTEGER NOT NULL, {", ".join(f"{name} INTEGER NOT NULL" for name in _COUNTS)}
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS runs_of_entries ON runs (entry, id);
CREATE TABLE IF NOT EXISTS images (
  run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE, entry TEXT NOT NULL, source TEXT NOT NULL,
  target TEXT NOT NULL, outcome TEXT NOT NULL, at REAL NOT NULL, before TEXT NOT NULL, digest TEXT NOT NULL,
  moved INTEGER NOT NULL, spared INTEGER NOT NULL, seconds REAL NOT NULL, message TEXT NOT NULL, error TEXT NOT NULL,
  attempts INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS paused (entry TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS images_of_runs ON images (run);
CREATE INDEX IF NOT EXISTS failures ON images (at) WHERE outcome = 'failed';
CREATE INDEX IF NOT EXISTS changes ON images (at) WHERE outcome = 'copied' AND before <> digest;
PRAGMA user_version = {VERSION};
"""


def run_row(run: RunRecord) -> tuple[Any, ...]:
    """Return the row of a run that has ended."""
    ended = None if run.ended is None else run.ended.timestamp()
    told = (run.id, run.entry, run.scope, run.began.timestamp(), ended, run.seconds, run.cut)
    return (*told, *astuple(run.counts))


def image_row(run: RunRecord, image: ImageRecord) -> tuple[Any, ...]:
    """Return the row of an image of this run."""
    values = (getattr(image, name) for name in _IMAGE)
    return (run.id, *(value.timestamp() if isinstance(value, datetime) else value for value in values))


def run_of(row: tuple[Any, ...], images: tuple[ImageRecord, ...] = ()) -> RunRecord:
    """Return the run of a row of `RUN_COLUMNS`."""
    name, entry, scope, began, ended, seconds, cut, *counts = row
    end = None if ended is None else moment(ended)
    return RunRecord(name, entry, scope, moment(began), end, seconds, Counts(*counts), images, bool(cut))


def image_of(row: tuple[Any, ...]) -> ImageRecord:
    """Return the image of a row of `IMAGE_COLUMNS`."""
    told = dict(zip(_IMAGE, row, strict=True))
    return ImageRecord(**{**told, "at": moment(told["at"])})


def moment(seconds: float) -> datetime:
    """Return the moment so many seconds after the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
