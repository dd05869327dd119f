"""What is known of entries from before they were there, be it at the start or since another configuration has them."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

from regsync.events import Reloaded
from regsync.facts import Fact
from regsync.keeping import Kept
from regsync.metrics.board import Board
from regsync.service import Service

_AT_ONCE: Final = 500  # entries


class Memory:
    """An observer that gives the board the past of entries it does not know; those that are no more it forgets."""

    def __init__(self, service: Service, board: Board, keeping: Kept) -> None:
        self._service = service
        self._board = board
        self._keeping = keeping
        self._unknown: set[str] = set()
        self._stirred = asyncio.Event()
        self._look(board.began)

    def __call__(self, fact: Fact, /) -> None:
        """Take note of entries that come with another configuration, before the first of them has run."""
        if isinstance(fact.event, Reloaded):
            self._board.keep_only(self._service.planned)
            self._look(fact.at)
            self._stirred.set()

    async def recall(self) -> None:
        """Tell the board what became of those it does not know."""
        asked, self._unknown = self._unknown, set()
        if not asked:
            return
        pasts = await self._keeping.pasts([*asked])
        never = [past.entry for past in pasts if past.runs and past.equal is None]
        if never:
            self._board.first |= await self._keeping.known_since(never)
        for number, past in enumerate(pasts, start=1):
            self._board.remember(past)
            if not number % _AT_ONCE:  # others copy meanwhile
                await asyncio.sleep(0)

    async def follow(self) -> None:
        """Go on for ever."""
        while True:
            await self._stirred.wait()
            self._stirred.clear()
            await self.recall()

    def _look(self, now: datetime) -> None:
        board = self._board
        self._unknown.update(name for name in self._service.planned if name not in board.entries)
        board.first = {**dict.fromkeys(self._unknown, now), **board.first}  # nobody is late before it is there
