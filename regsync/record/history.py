"""What runs came to, kept: the last ones of each entry with their images, for the page, the API and `status`."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import Final, TypeVar

from regsync.clock import Clock
from regsync.errors import ConfigError
from regsync.events import Tell, Warned
from regsync.record.rows import add_runs
from regsync.record.state import State, is_damage
from regsync.record.values import RunRecord
from regsync.record.worker import Worker

T = TypeVar("T")
_WAITING: Final = 10_000  # runs that wait for the disk
_QUESTIONS: Final = 1000  # that wait for it
_AT_ONCE: Final = 50  # runs that are written in one transaction
_IN_MEMORY: Final = 50  # runs of an entry where there is no file: as many as are drawn
_IN_MEMORY_IN_ALL: Final = 100_000  # of some 350 bytes: of ten thousand entries ten each
_IN_A_FILE: Final = 1000


class History:
    """The runs that ended, kept at `path` (empty: in memory), at most so many of each entry, in memory also in all.

    A disk that is full, slow or broken costs history and never a copy; that it does is told once, until it works again.
    """

    def __init__(self, path: str, *, clock: Clock, tell: Tell, most: int = 0) -> None:
        """Open it; `ConfigError` if that cannot be."""
        self._clock = clock
        self._tell = tell
        self._most = most or (_IN_A_FILE if path else _IN_MEMORY)
        self._most_in_all = inf if path else _IN_MEMORY_IN_ALL
        self._entries: set[str] = set()  # of which a run was kept
        self._warnings: deque[str] = deque()  # of the thread; told where observers may be called
        self._failing = False
        self._crowded = False
        self._state = State(path, now=clock.now(), warn=self._warnings.append)
        self._runs: deque[RunRecord] = deque()  # that are to be kept
        self._worker = Worker("history", most=_QUESTIONS, clock=clock)
        self._pass_on()

    def add(self, run: RunRecord) -> None:
        """Keep a run that has ended; this never waits."""
        if len(self._runs) < _WAITING:
            self._runs.append(run)
            self._crowded = self._crowded and len(self._runs) > _WAITING // 2
            if len(self._runs) == 1:
                self._worker.begin(self._keep_waiting)  # if there is no room, questions see to it
        elif not self._crowded:
            self._crowded = True
            self._warnings.append("the disk of defaults.state does not keep up: runs are missing from the history")
        self._pass_on()

    async def ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        """Return what a question of `queries` finds in what was added before."""
        try:
            return await self._worker.ask(partial(self._answered, question))
        finally:
            self._pass_on()

    def close(self, *, patience: float) -> None:
        """Write what was added and let go of the file, within so many seconds."""
        self._worker.begin(self._close)
        self._worker.close(patience=patience)
        self._pass_on()

    def _pass_on(self) -> None:
        while self._warnings:
            self._tell(Warned(self._warnings.popleft()))

    def _answered(self, question: Callable[[sqlite3.Connection], T]) -> T:
        self._keep_waiting()
        return question(self._state.connection)

    def _close(self) -> None:
        self._keep_waiting()
        self._state.close()

    def _keep_waiting(self) -> None:
        while self._runs:
            self._keep([self._runs.popleft() for _ in range(min(len(self._runs), _AT_ONCE))])

    def _keep(self, runs: Sequence[RunRecord]) -> None:
        self._entries.update(run.entry for run in runs)
        most = int(min(self._most, max(1.0, self._most_in_all / len(self._entries))))
        try:
            try:
                add_runs(self._state.connection, runs, most=most)
            except sqlite3.Error as error:
                if not (is_damage(error) and self._begun_anew(error)):
                    raise
                add_runs(self._state.connection, runs, most=most)
        except (sqlite3.Error, ValueError, OverflowError) as error:  # the latter of what SQLite cannot hold
            if len(runs) > 1:  # the others are none the worse for one
                for run in runs:
                    self._keep([run])
                return
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
