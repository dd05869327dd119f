"""What runs came to, kept: the last ones of each entry with their images, for the page, the API and `status`."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from regsync.clock import Clock
from regsync.errors import ConfigError
from regsync.events import Tell, Warned
from regsync.record.rows import ADD_IMAGE, ADD_RUN, image_row, run_row
from regsync.record.state import State, is_damage
from regsync.record.values import RunRecord
from regsync.record.worker import Worker

T = TypeVar("T")
_WAITING: Final = 1000  # runs and questions that wait for the disk
_IN_MEMORY: Final = 50  # runs of an entry where there is no file: as many as are drawn
_IN_A_FILE: Final = 1000
_PRUNE: Final = """
DELETE FROM runs WHERE entry = ? AND id <= (SELECT id FROM runs WHERE entry = ? ORDER BY id DESC LIMIT 1 OFFSET ?)
"""


class History:
    """The runs that ended, kept at `path` (empty: in memory), at most so many of each entry.

    A disk that is full, slow or broken costs history and never a copy; that it does is told once, until it works again.
    """

    def __init__(self, path: str, *, clock: Clock, tell: Tell, most: int = 0) -> None:
        """Open it; `ConfigError` if that cannot be."""
        self._clock = clock
        self._tell = tell
        self._most = most or (_IN_A_FILE if path else _IN_MEMORY)
        self._warnings: deque[str] = deque()  # of the thread; told where observers may be called
        self._failing = False
        self._crowded = False
        self._state = State(path, now=clock.now(), warn=self._warnings.append)
        self._worker = Worker("history", most=_WAITING, clock=clock)
        self._pass_on()

    def add(self, run: RunRecord) -> None:
        """Keep a run that has ended; this never waits."""
        kept = self._worker.begin(partial(self._keep, run))
        if not kept and not self._crowded:
            self._warnings.append("the disk of defaults.state does not keep up: runs are missing from the history")
        self._crowded = not kept
        self._pass_on()

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a question of `queries` finds in what was added before."""
        try:
            return await self._worker.ask(lambda: question(self._state.connection))
        finally:
            self._pass_on()

    def close(self, *, patience: float) -> None:
        """Write what was added and let go of the file, within so many seconds."""
        self._worker.begin(self._state.close)
        self._worker.close(patience=patience)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._warnings:
            self._tell(Warned(self._warnings.popleft()))

    def _keep(self, run: RunRecord) -> None:
        try:
            try:
                self._insert(run)
            except sqlite3.Error as error:
                if not (is_damage(error) and self._begun_anew(error)):
                    raise
                self._insert(run)
        except (sqlite3.Error, ValueError, OverflowError) as error:  # the latter of what SQLite cannot hold
            if not self._failing:
                self._warnings.append(f"the history of runs cannot be kept: {error}")
            self._failing = True
        else:
            self._failing = False

    def _begun_anew(self, error: sqlite3.Error) -> bool:
        """Say whether another file could be begun in the place of one that is damaged."""
        try:
            self._state.begin_anew(error, now=self._clock.now())
        except ConfigError:
            return False
        return True

    def _insert(self, run: RunRecord) -> None:
        connection = self._state.connection
        connection.execute("BEGIN")
        with connection:  # which commits, or rolls back
            connection.execute("DELETE FROM images WHERE run = ?", (run.id,))
            connection.execute(ADD_RUN, run_row(run))
            listed = (image for image in run.images if image.outcome != "unchanged")
            connection.executemany(ADD_IMAGE, [image_row(run, image) for image in listed])
            connection.execute(_PRUNE, (run.entry, run.entry, self._most))
