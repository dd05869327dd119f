"""The pages for people: all entries and what goes on, one entry, one run. They are complete without a script.

Whatever takes long for many entries is done in small steps or aside, so that no visitor holds those who copy; and no
page grows without bounds, whatever others call their images.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from regsync.aside import aside
from regsync.pages.front import front
from regsync.pages.plots import RUNS
from regsync.pages.render import HEADERS, statics
from regsync.pages.scene import Scene, Sources
from regsync.pages.views import Ends, item, troubles
from regsync.pages.wanted import Wanted, number, pages_for
from regsync.record.queries import one_run, runs_of
from regsync.record.values import RunRecord
from regsync.record.words import summary
from regsync.web.route import Route

_IMAGES: Final = 150  # of a run, on a page
_FAILURES: Final = 100
_FOREVER: Final = "max-age=31536000, immutable"
_Page = Callable[[web.Request], Awaitable[web.Response]]


class Pages:
    """Shows what there is to see."""

    def __init__(self, sources: Sources) -> None:
        self._scene = Scene(sources)

    def routes(self) -> list[Route]:
        """Return who answers which path."""
        pages: dict[str, _Page] = {"/": self._front, "/entries/{name:.+}": self._entry, "/runs/{id}": self._run}
        found = [Route(path, self._answering(page)) for path, page in pages.items()]
        return [*found, Route("/static/{name}", self._static)]

    def _answering(self, page: _Page) -> Handler:
        async def answering(request: web.Request) -> web.Response:
            try:
                return await page(request)
            except sqlite3.Error as trouble:
                said = self._scene.clean(f"{trouble}")
                sentence = f"It says: {said}. Copies go on; look at the file that defaults.state names."
                return await self._message(503, "The history of runs cannot be read", sentence)

        return answering

    async def _message(self, status: int, heading: str, sentence: str) -> web.Response:
        return await self._scene.page("message.html", status=status, heading=heading, sentence=sentence)

    async def _front(self, request: web.Request) -> web.Response:
        return await self._scene.page("index.html", **await front(self._scene, Wanted.of(request.query)))

    async def _entry(self, request: web.Request) -> web.Response:
        scene, name = self._scene, request.match_info["name"]
        known = (await scene.directory()).entries.get(name)
        if known is None:
            sentence = "It may have been taken out of the configuration, or be called otherwise now."
            return await self._message(404, "There is no entry of this name", sentence)
        found = await scene.survey([known])
        (row,) = await scene.rows([known], found.how)
        before = request.query.get("before", "")
        runs = await scene.keeping.history.ask(partial(runs_of, entry=name, before=before, most=RUNS + 1))
        transfers, more = await scene.transfers(entry=name)
        return await scene.page(
            "entry.html",
            row=row,
            runs=runs[:RUNS],
            earlier=runs[RUNS - 1].id if len(runs) > RUNS else "",
            before=bool(before),
            transfers=transfers,
            more_transfers=more,
        )

    async def _run(self, request: web.Request) -> web.Response:
        scene, name = self._scene, request.match_info["id"]
        run = scene.keeping.recorder.run(name) or await scene.keeping.history.ask(partial(one_run, name=name))
        if run is None:
            sentence = "The last runs of each entry are kept, and this one is not among them any more."
            return await self._message(404, "There is no run of this name", sentence)
        transfers, more = await scene.transfers(run=name)
        told = await self._told_of(run, number(request.query))
        return await scene.page("run.html", run=run, transfers=transfers, more_transfers=more, **told)

    async def _told_of(self, run: RunRecord, page: int) -> dict[str, Any]:
        """Return a page of the images of a run, and why images of it failed."""
        scene = self._scene
        pages = pages_for(len(run.images), _IMAGES)
        first = (min(page, pages) - 1) * _IMAGES
        images = await scene.each(partial(item, run.id, clean=scene.clean), run.images[first : first + _IMAGES])
        failed = [image for image in run.images if image.outcome == "failed"]
        shown = await scene.each(partial(item, run.id, clean=scene.clean), failed[:_FAILURES])
        return {
            "ends": Ends.of(run.entry, "", "", scene.clean),
            "summary": summary(run),
            "images": images,
            "page": min(page, pages),
            "pages": pages,
            "first": first + 1,
            "last": first + len(images),
            "total": len(run.images),
            "troubles": await aside(partial(troubles, shown)),
            "failures": len(shown),
            "failures_cut": len(failed) > len(shown),
        }

    async def _static(self, request: web.Request) -> web.Response:
        found = statics().get(request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound
        headers = {**HEADERS, "Cache-Control": _FOREVER if request.query_string else "no-cache"}
        return web.Response(body=found.body, content_type=found.kind, headers=headers)
