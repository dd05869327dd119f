"""Pauses are kept with the runs, so that a restart of the server ends none, if there is somebody to end them."""

from __future__ import annotations

import asyncio
import sqlite3
from functools import partial

from regsync.events import Commanded, Reloaded, Warned
from regsync.facts import Fact
from regsync.keeping import Kept
from regsync.record.queries import keep_paused, paused_of
from regsync.service import Service
from regsync.setup import Common


class KeptPauses:
    """An observer that keeps which entries are paused whenever that may have changed."""

    def __init__(self, service: Service, common: Common, keeping: Kept) -> None:
        self._service = service
        self._common = common
        self._keeping = keeping
        self._kept: frozenset[str] = frozenset()
        self._stirred = asyncio.Event()

    def __call__(self, fact: Fact, /) -> None:
        """Take note that there may be another pause, or one less."""
        if isinstance(fact.event, Commanded | Reloaded):
            self._stirred.set()

    async def recall(self) -> None:
        """Pause what was paused when the process before ended; without a token nobody could have it go on."""
        setup, control = self._service.setup, self._service.control
        if not setup.config.server.token:
            return
        try:
            self._kept = frozenset(await self._keeping.history.ask(paused_of))
        except sqlite3.Error as error:
            self._common.tell(Warned(f"which entries are paused cannot be read: {error}"))
        known = sorted(self._kept & setup.entries.keys())
        for entry in known:
            await control.pause(entry)
        if known:
            self._common.tell(Warned("Entries are still paused", {"entries": known}))

    async def follow(self) -> None:
        """Go on for ever."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            paused = self._service.control.paused
            if paused == self._kept:
                continue
            try:
                await self._keeping.history.ask(partial(keep_paused, entries=paused))
                self._kept = paused
            except sqlite3.Error as error:
                self._common.tell(Warned(f"which entries are paused cannot be kept: {error}"))
