"""Runs that end are kept while the daemon works: in a file, or in memory for whoever asks over HTTP."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Final

from regsync.events import Warned
from regsync.record.history import History
from regsync.record.queries import Past, known_since, pasts_of
from regsync.record.recorder import Recorder
from regsync.record.values import RunRecord, cleaned
from regsync.setup import Common

_PATIENCE: Final = 1.0  # seconds a disk gets at the end


class Kept:
    """What is going on (`recorder`) and what came of it (`history`).

    What is said of images holds no secret when it is kept: what is one now may be forgotten when the file is read.
    """

    def __init__(self, history: History, common: Common) -> None:
        self.history = history
        self.recorder = Recorder(self._keep, most_unchanged=0)
        self._clean = common.secrets.clean
        self._tell = common.tell
        self._heard: list[Callable[[RunRecord], None]] = []

    def pass_on_to(self, hear: Callable[[RunRecord], None]) -> None:
        """Give runs that end to this, too."""
        self._heard.append(hear)

    async def pasts(self, entries: Sequence[str]) -> list[Past]:
        """Return what is known of these entries from before; of a file that cannot be read one is told, once."""
        try:
            return await self.history.ask(partial(pasts_of, entries=entries, most=1))
        except sqlite3.Error as error:
            self._tell(Warned(f"the history of runs cannot be read: {error}"))
            return []

    async def known_since(self, entries: Sequence[str]) -> dict[str, datetime]:
        """Return when each of these entries was last seen equal, or first visited, as far as that is known."""
        try:
            return await self.history.ask(partial(known_since, entries=entries))
        except sqlite3.Error as error:
            self._tell(Warned(f"the history of runs cannot be read: {error}"))
            return {}

    def _keep(self, run: RunRecord) -> None:
        for hear in self._heard:
            hear(run)
        self.history.add(cleaned(run, self._clean))


@contextmanager
def kept(path: str, common: Common) -> Iterator[Kept]:
    """Keep runs in this file (empty: in memory) while the block lasts; `ConfigError` if that cannot be."""
    history = History(path, clock=common.clock, tell=common.tell)
    try:
        keeping = Kept(history, common)
        with common.tell.joined(keeping.recorder):
            yield keeping
    finally:
        history.close(patience=_PATIENCE)
