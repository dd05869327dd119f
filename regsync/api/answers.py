"""What the daemon is asked for by programs: entries, their runs, images in flight, failures and changes, as JSON.

Nothing can be changed here. Lists are bounded, and what registries said is cleaned in small steps, so that no question
holds those who copy.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from heapq import nsmallest
from typing import Final, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler

from regsync.api import operations
from regsync.api.clean import cleaned, without_secrets
from regsync.api.openapi import document
from regsync.duration import format_duration
from regsync.keeping import Kept
from regsync.metrics.board import Board, HostStats
from regsync.metrics.hosts import HostNow, host_object, hosts_now
from regsync.record.objects import Object, image_object, live_object, past_object, run_object, stamp
from regsync.record.queries import LATELY, Noted, changes, failures, one_run, pasts_of, runs_of
from regsync.record.values import RunRecord
from regsync.service import Service
from regsync.setup import Common
from regsync.web.operation import Operation
from regsync.web.parameters import Page, Refused, answer, no_parameters, page_of
from regsync.web.route import Route

T = TypeVar("T")
_ELSEWHERE: Final = HostNow()  # a host that has no slots of its own: another name of one that has
_STEP: Final = 20  # objects that are cleaned in one turn of the loop
_FEW: Final = 5  # cron lines that are reckoned with in one
_Question = Callable[[web.Request], Awaitable[Object]]


class Api:
    """Answers about a service, what is kept of its runs, and what is going on."""

    def __init__(self, service: Service, common: Common, keeping: Kept, board: Board) -> None:
        self._service = service
        self._common = common
        self._keeping = keeping
        self._board = board

    def routes(self) -> list[Route]:
        """Return who answers what."""
        return [
            self._route("/entries", self._entries, operations.ENTRIES),
            self._route("/entries/{name:.+}/runs", self._runs, operations.RUNS),
            self._route("/entries/{name:.+}", self._entry, operations.ENTRY),
            self._route("/hosts", self._hosts, operations.HOSTS),
            self._route("/runs/{id}", self._run, operations.RUN),
            self._route("/images", self._images, operations.IMAGES),
            self._route("/failures", partial(self._noted, "failures", failures), operations.FAILURES),
            self._route("/changes", partial(self._noted, "changes", changes), operations.CHANGES),
        ]

    def rest(self, routes: Iterable[Route]) -> list[Route]:
        """Return who answers with the document of these routes, and what has none."""

        async def documented(request: web.Request) -> Object:
            no_parameters(request.query)
            return described

        own = self._route("/openapi.json", documented, operations.DOCUMENT)
        described = document([*routes, own])
        return [own, self._route("/{other:.*}", _nothing)]

    def _route(self, path: str, question: _Question, operation: Operation | None = None) -> Route:
        return Route(f"/api/v1{path}", self._answering(question), operation)

    def _answering(self, question: _Question) -> Handler:
        async def answering(request: web.Request) -> web.Response:
            try:
                return answer(await question(request))
            except Refused as refusal:
                error, status = f"{refusal}", refusal.status
            except sqlite3.Error as trouble:
                error, status = f"the history of runs cannot be read: {trouble}", 503
            return answer({"error": self._common.secrets.clean(error)}, status=status)

        return answering

    async def _entries(self, request: web.Request) -> Object:
        page = page_of(request.query, "after")
        names = nsmallest(page.limit + 1, (name for name in self._service.setup.entries if name > page.mark))
        return {
            "entries": await self._described(names[: page.limit]),
            "next": self._next(names, page),
        }

    async def _entry(self, request: web.Request) -> Object:
        no_parameters(request.query)
        (found,) = await self._described([self._known(request)])
        return found

    async def _described(self, names: list[str]) -> list[Object]:
        """Return what there is to say of each of these entries; whatever they are now holds for all of it."""
        setup, control = self._service.setup, self._service.control
        running, dues = self._keeping.recorder.under_way(), await self._service.dues(names)
        found: list[Object] = []
        pasts = await self._keeping.history.ask(partial(pasts_of, entries=names, most=1))
        for past in pasts:
            entry, step = setup.entries[past.entry], setup.steps[past.entry]
            described = {
                "name": entry.name,
                "source": entry.source,
                "target": entry.target,
                "type": entry.kind,
                "schedule": step.schedule,
                "interval": format_duration(step.interval) if step.interval and not step.schedule else "",
                "due": stamp(dues.get(entry.name)),
                "paused": entry.name in control.paused,
                "waiting": control.state(entry.name) == "waiting",
                "running": running.get(entry.name),
            }
            found.append({**described, **past_object(past)})
        for number, (past, one) in enumerate(zip(pasts, found, strict=True), 1):
            one["overdue"] = self._is_overdue(past.entry)
            if not number % _FEW:
                await asyncio.sleep(0)
        return await self._clean(found)

    def _is_overdue(self, name: str) -> bool:
        moment = self._service.overdue_at(name, self._board.known_since(name))
        return moment is not None and moment < self._common.clock.now()

    def _known(self, request: web.Request) -> str:
        """Return the name of an entry in a path."""
        name = request.match_info["name"]
        if name not in self._service.setup.entries:
            raise Refused(404, "there is no entry of this name")
        return name

    async def _hosts(self, request: web.Request) -> Object:
        page = page_of(request.query, "after")
        now, traffic = hosts_now(self._service), self._board.hosts
        names = nsmallest(page.limit + 1, (name for name in now.keys() | traffic.keys() if name > page.mark))
        shown = (
            host_object(name, now.get(name, _ELSEWHERE), traffic.get(name, HostStats())) for name in names[: page.limit]
        )
        return {"hosts": await self._clean(shown), "next": self._next(names, page)}

    async def _runs(self, request: web.Request) -> Object:
        page, name = page_of(request.query, "before"), self._known(request)
        question = partial(runs_of, entry=name, before=page.mark, most=page.limit + 1)
        runs = await self._keeping.history.ask(question)
        found = await self._clean(map(run_object, runs[: page.limit]))
        return {"runs": found, "next": _next([run.id for run in runs], page)}

    async def _run(self, request: web.Request) -> Object:
        no_parameters(request.query)
        name = request.match_info["id"]
        run = self._keeping.recorder.run(name) or await self._keeping.history.ask(partial(one_run, name=name))
        if run is None:
            raise Refused(404, "there is no run of this name, or not any more")
        return await self._with_images(run)

    async def _with_images(self, run: RunRecord) -> Object:
        (told,) = await self._clean([run_object(run)])
        return {**told, "images": await self._clean(map(image_object, run.images))}

    async def _images(self, request: web.Request) -> Object:
        page = page_of(request.query)
        live, total = self._keeping.recorder.foremost(page.limit)
        return {"images": await self._clean(map(live_object, live)), "total": total}

    async def _noted(self, key: str, question: Callable[..., list[Noted]], request: web.Request) -> Object:
        page = page_of(request.query)
        since = self._common.clock.now() - LATELY
        noted = await self._keeping.history.ask(partial(question, since=since, most=page.limit))
        return {key: await self._clean({"run": one.run, **image_object(one.image)} for one in noted)}

    def _next(self, names: list[str], page: Page) -> object:
        return cleaned(_next(names, page), self._common.secrets.clean)

    async def _clean(self, found: Iterable[Object]) -> list[Object]:
        """Return these without secrets."""
        shown: list[Object] = []
        for number, one in enumerate(found, 1):
            shown.append(without_secrets(one, self._common.secrets.clean))
            if not number % _STEP:
                await asyncio.sleep(0)
        return shown


def _next(names: list[str], page: Page) -> str | None:
    """Return the last name on a page that others follow; one more than fits was looked for."""
    return names[page.limit - 1] if len(names) > page.limit else None


async def _nothing(_: web.Request) -> Object:
    raise Refused(404, "there is nothing of this name; docs/reference/api.md lists what there is")
