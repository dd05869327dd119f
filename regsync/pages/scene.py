"""What every page needs: the daemon at this moment, as values that may be shown, and a page made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final, TypeVar

from aiohttp import web

from regsync import __version__
from regsync.aside import aside
from regsync.keeping import Kept
from regsync.metrics.board import Board
from regsync.pages.freshness import Freshness
from regsync.pages.known import Directory, Known
from regsync.pages.plots import RUNS, plot
from regsync.pages.rates import Rates
from regsync.pages.render import HEADERS, render
from regsync.pages.survey import Survey, Surveyor
from regsync.pages.views import Ends, Row, Transfer, fit, transfer
from regsync.record.queries import Past, pasts_of
from regsync.service import Service
from regsync.setup import Common

T = TypeVar("T")
_STEP: Final = 10  # things that are made ready in one turn of the loop
_TRANSFERS: Final = 50


@dataclass(frozen=True, slots=True)
class Sources:
    """Who knows what goes on."""

    service: Service
    common: Common
    keeping: Kept
    board: Board
    rates: Rates


class Scene:
    """The daemon as pages show it."""

    def __init__(self, sources: Sources) -> None:
        self.service = sources.service
        self.keeping = sources.keeping
        self.board = sources.board
        self.clean = sources.common.secrets.clean
        self._clock = sources.common.clock
        self._rates = sources.rates
        self._known: Directory | None = None
        self._surveyor = Surveyor(self.board)

    def now(self) -> datetime:
        """Return the moment it is."""
        return self._clock.now()

    async def directory(self) -> Directory:
        """Return the entries of the configuration in force."""
        setup = self.service.setup
        if self._known is None or self._known.setup is not setup:
            self._known = await aside(partial(Directory.of, setup))
            self._surveyor.keep_only(self._known.entries)
        return self._known

    async def survey(self, entries: Iterable[Known]) -> Survey:
        """Return how these entries are now."""
        running, paused = self.keeping.recorder.under_way(), self.service.control.paused
        return await self._surveyor.survey(entries, running=running, paused=paused, now=self.now())

    async def rows(self, entries: Sequence[Known], how: Mapping[str, Freshness]) -> list[Row]:
        """Return these entries with their last runs."""
        by_name = {known.name: known for known in entries}
        dues, running = await self.service.dues(by_name), self.keeping.recorder.under_way()
        paused = self.service.control.paused

        def shown(past: Past) -> Row:
            known = by_name[past.entry]
            return Row(
                ends=Ends.of(known.name, known.source, known.target, self.clean),
                kind=known.kind,
                rhythm=known.rhythm,
                freshness=how[known.name],
                succeeded=past.succeeded,
                equal=past.equal,
                due=dues.get(known.name),
                running=running.get(known.name, ""),
                paused=known.name in paused,
                last=past.runs[0] if past.runs else None,
                plot=plot(past.runs),
            )

        pasts = await self.keeping.history.ask(partial(pasts_of, entries=[*by_name], most=RUNS))
        return await self.each(shown, pasts)

    async def transfers(self, *, entry: str = "", run: str = "") -> tuple[list[Transfer], int]:
        """Return images under way, those that move first, and how many more there are; be it only of one of these."""
        live, total = self.keeping.recorder.foremost(_TRANSFERS, entry=entry, run=run)
        shown = await self.each(lambda one: transfer(one, self._rates.of(one), self.clean), live)
        return shown, total - len(live)

    async def each(self, make: Callable[[Any], T], found: Iterable[Any]) -> list[T]:
        """Return what is made of each of these, others having their turn meanwhile."""
        made: list[T] = []
        for number, one in enumerate(found, start=1):
            made.append(make(one))
            if not number % _STEP:
                await asyncio.sleep(0)
        return made

    async def page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        """Return the answer with a page."""
        standing = self.service.standing
        told = {
            "now": self.now(),
            "ready": self.service.ready,
            "standing": standing,
            "problems": [fit(problem, self.clean) for problem in standing.problems],
            "version": __version__,
            "controls": bool(self.service.setup.config.server.token),
        }
        body = await aside(partial(render, template, **told, **values))
        return web.Response(status=status, body=body, content_type="text/html", charset="utf-8", headers=HEADERS)
