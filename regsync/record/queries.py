"""Questions to the tables of a state file, and which entries are paused; each takes the open connection."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from regsync.record.rows import IMAGE_COLUMNS, RUN_COLUMNS, image_of, moment, run_of
from regsync.record.values import ImageRecord, RunOutcome, RunRecord

LATELY: Final = timedelta(hours=24)  # for so long people and programs are told what failed and what changed

# Columns are our own names and values are bound, so nothing below is put together from what anybody else wrote.
_RUN: Final = f"SELECT {RUN_COLUMNS} FROM runs WHERE id = ?"  # noqa: S608
_IMAGES: Final = f"SELECT {IMAGE_COLUMNS} FROM images WHERE run = ? ORDER BY rowid"  # noqa: S608
_RUNS: Final = f"SELECT {RUN_COLUMNS} FROM runs WHERE entry = ? AND id < ? ORDER BY id DESC LIMIT ?"  # noqa: S608
_NOTED: Final = f"SELECT run, {IMAGE_COLUMNS} FROM images WHERE at >= ? AND {{}} ORDER BY at DESC LIMIT ?"  # noqa: S608
_FAILURES: Final = _NOTED.format("outcome = 'failed'")
_CHANGES: Final = _NOTED.format("outcome = 'copied' AND before <> digest")
_EQUAL: Final = """
SELECT began FROM runs WHERE entry = ? AND failed = 0 AND cut = 0 AND scope = 'changed' ORDER BY id DESC LIMIT 1
"""
_DONE: Final = "SELECT ended FROM runs WHERE entry = ? AND failed = 0 AND cut = 0 ORDER BY id DESC LIMIT 1"
_FIRST: Final = "SELECT began FROM runs WHERE entry = ? ORDER BY id LIMIT 1"
_END: Final = "\U0010ffff"  # sorts behind every name of a run


@dataclass(frozen=True, slots=True)
class Noted:
    """An image of a run that ended; `run` is the run's name."""

    run: str
    image: ImageRecord


@dataclass(frozen=True, slots=True)
class Past:
    """What is known of an entry from before: its last runs, the last one first, and when all was well.

    `succeeded` is when a run last ended without failure, `equal` when one began that then found or made source and
    target equal: what `missing` finds there by name says nothing of that.
    """

    entry: str
    runs: tuple[RunRecord, ...] = ()
    succeeded: datetime | None = None
    equal: datetime | None = None

    @property
    def outcome(self) -> RunOutcome | None:
        """What the last run came to, None if there was none."""
        return self.runs[0].outcome if self.runs else None


def one_run(connection: sqlite3.Connection, name: str) -> RunRecord | None:
    """Return the run of this name with its images; None if it is not kept."""
    row = connection.execute(_RUN, (name,)).fetchone()
    return None if row is None else run_of(row, tuple(map(image_of, connection.execute(_IMAGES, (name,)))))


def runs_of(connection: sqlite3.Connection, entry: str, *, before: str = "", most: int = 50) -> list[RunRecord]:
    """Return the last runs of an entry without their images, the last one first, or those before that one."""
    return [run_of(row) for row in connection.execute(_RUNS, (entry, before or _END, most))]


def pasts_of(connection: sqlite3.Connection, entries: Sequence[str], *, most: int = 50) -> list[Past]:
    """Return what is known of these entries, with at most so many runs of each."""
    return [_past(connection, entry, most) for entry in entries]


def first_of(connection: sqlite3.Connection, entry: str) -> datetime | None:
    """Return when the first run of an entry that is kept began."""
    return _moment_in(connection, _FIRST, entry)


def known_since(connection: sqlite3.Connection, entries: Iterable[str]) -> dict[str, datetime]:
    """Return when each of these entries was last seen equal, or else first visited; of others nothing is known."""
    moments = {one: _moment_in(connection, _EQUAL, one) or first_of(connection, one) for one in entries}
    return {entry: moment for entry, moment in moments.items() if moment is not None}


def failures(connection: sqlite3.Connection, *, since: datetime, most: int = 100) -> list[Noted]:
    """Return what failed since then, the last one first."""
    return _noted(connection, _FAILURES, since, most)


def changes(connection: sqlite3.Connection, *, since: datetime, most: int = 100) -> list[Noted]:
    """Return the images whose name at the target was given to another one since then, the last one first."""
    return _noted(connection, _CHANGES, since, most)


def paused_of(connection: sqlite3.Connection) -> list[str]:
    """Return the entries that were paused when that was last kept."""
    return [entry for (entry,) in connection.execute("SELECT entry FROM paused")]


def keep_paused(connection: sqlite3.Connection, entries: Iterable[str]) -> None:
    """Keep that these entries are paused, and no others."""
    connection.execute("BEGIN")
    with connection:  # which commits, or rolls back
        connection.execute("DELETE FROM paused")
        connection.executemany("INSERT INTO paused (entry) VALUES (?)", [(entry,) for entry in entries])


def _past(connection: sqlite3.Connection, entry: str, most: int) -> Past:
    return Past(
        entry,
        tuple(runs_of(connection, entry, most=most)),
        _moment_in(connection, _DONE, entry),
        _moment_in(connection, _EQUAL, entry),
    )


def _moment_in(connection: sqlite3.Connection, query: str, entry: str) -> datetime | None:
    found = connection.execute(query, (entry,)).fetchone()
    return None if found is None else moment(found[0])


def _noted(connection: sqlite3.Connection, query: str, since: datetime, most: int) -> list[Noted]:
    return [_of_row(row) for row in connection.execute(query, (since.timestamp(), most))]


def _of_row(row: tuple[Any, ...]) -> Noted:
    run, *image = row
    return Noted(run, image_of(tuple(image)))
