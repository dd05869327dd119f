"""Records as rows of SQLite, and back. Moments are seconds since the epoch, which sort.

Runs that ended are added many at a time: thousands may end within seconds while the loop has much to do. After each
statement, whoever writes gets the interpreter back only when the loop has had it for five milliseconds; so a statement
has many rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from itertools import chain
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
_ROWS: Final = 50  # in one statement: older builds of SQLite take no more than 999 values
_PRUNE: Final = """
WITH e (name) AS (VALUES {}) DELETE FROM runs WHERE id IN (SELECT r.id FROM e CROSS JOIN runs r ON r.entry = e.name
AND r.id <= (SELECT id FROM runs WHERE entry = e.name ORDER BY id DESC LIMIT 1 OFFSET ?))
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


def add_runs(connection: sqlite3.Connection, runs: Sequence[RunRecord], *, most: int) -> None:
    """Add all of these, or none, and leave at most so many of each of their entries; some hundred runs at once."""
    names, entries = {run.id for run in runs}, {run.entry for run in runs}
    images = [image_row(run, image) for run in runs for image in run.images if image.outcome != "unchanged"]
    connection.execute("BEGIN")
    with connection:  # which commits, or rolls back
        connection.execute(f"DELETE FROM images WHERE run IN {_marks(len(names))}", [*names])  # noqa: S608
        _add(connection, f"INSERT OR REPLACE INTO runs ({RUN_COLUMNS})", [run_row(run) for run in runs])
        _add(connection, f"INSERT INTO images (run, {IMAGE_COLUMNS})", images)
        connection.execute(_PRUNE.format(", ".join(["(?)"] * len(entries))), [*entries, most])


def _add(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]]) -> None:
    for first in range(0, len(rows), _ROWS):
        some = rows[first : first + _ROWS]
        marks = ", ".join([_marks(len(some[0]))] * len(some))
        connection.execute(f"{into} VALUES {marks}", [*chain.from_iterable(some)])


def _marks(count: int) -> str:
    """Return what stands in a statement for so many values."""
    return f"({', '.join('?' * count)})"
