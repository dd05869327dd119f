"""Runs that ended become rows, many at a time.

Thousands may end within seconds while the loop has much to do. After each statement, whoever writes gets the
interpreter back only when the loop has had it for five milliseconds; so a statement has many rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any, Final

from regsync.record.rows import IMAGE_COLUMNS, RUN_COLUMNS, image_row, run_row
from regsync.record.values import RunRecord

_ROWS: Final = 50  # in one statement: older builds of SQLite take no more than 999 values
_PRUNE: Final = """
WITH e (name) AS (VALUES {}) DELETE FROM runs WHERE id IN (SELECT r.id FROM e CROSS JOIN runs r ON r.entry = e.name
AND r.id <= (SELECT id FROM runs WHERE entry = e.name ORDER BY id DESC LIMIT 1 OFFSET ?))
"""


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
