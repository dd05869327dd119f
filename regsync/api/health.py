"""What the daemon answers: whether it lives, whether it works, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from copy import deepcopy

from aiohttp import web

from regsync.api import operations
from regsync.metrics.board import Board, EntryStats
from regsync.metrics.exposition import CONTENT_TYPE, Readings, exposition
from regsync.metrics.hosts import hosts_now
from regsync.metrics.pulse import Pulse
from regsync.record.recorder import Recorder
from regsync.service import Service
from regsync.setup import Common
from regsync.web.route import Route


class Health:
    """Answers about a service; `dropped` says how many lines of the log were lost."""

    def __init__(
        self,
        service: Service,
        common: Common,
        board: Board,
        recorder: Recorder,
        pulse: Pulse,
        dropped: Callable[[], int],
    ) -> None:
        self._service = service
        self._common = common
        self._board = board
        self._recorder = recorder
        self._pulse = pulse
        self._dropped = dropped

    def routes(self) -> list[Route]:
        """Return who answers what."""
        return [
            Route("/healthz", self.healthz, operations.HEALTH),
            Route("/readyz", self.readyz, operations.READINESS),
            Route("/metrics", self.metrics, operations.METRICS),
        ]

    async def healthz(self, _: web.Request) -> web.Response:
        """Say whether the daemon has to be started anew: its scheduler does not come round any more."""
        if self._service.alive:
            return web.Response(text="ok\n")
        return web.Response(status=503, text="the scheduler does not come round any more\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """Say whether the first visit of every entry is under way, and what became of the last configuration read."""
        if not self._service.ready:
            return web.Response(status=503, text="starting\n")
        standing = self._service.standing
        lines = [f"ok: configuration {standing.digest} since {standing.since:%Y-%m-%dT%H:%M:%SZ}"]
        if standing.problems:
            lines.append(f"the one read at {standing.tried:%Y-%m-%dT%H:%M:%SZ} was refused:")
            lines += standing.problems
        return web.Response(text=self._common.secrets.clean("\n".join(lines)) + "\n")

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Say how everything stands, piece by piece: others copy meanwhile."""
        known, unknown = self._board.entries, EntryStats()
        entries = {name: known.get(name, unknown) for name in self._service.planned}
        answer = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
        await answer.prepare(request)
        for piece in exposition(self._readings(entries)):
            await answer.write(piece)
            await asyncio.sleep(0)
        return answer

    def _readings(self, entries: Mapping[str, EntryStats]) -> Readings:
        service, board = self._service, self._board
        standing = service.standing
        return Readings(
            now=self._common.clock.now(),
            began=board.began,
            entries=entries,
            overdue_at=service.overdue_at,
            known_since=board.known_since,
            running=frozenset(self._recorder.under_way()),
            traffic=deepcopy(board.hosts),
            hosts=hosts_now(service),
            reloads=dict(board.reloads),
            notifications=dict(board.notifications),
            paused=len(service.control.paused),
            digest=standing.digest,
            since=standing.since,
            refused=bool(standing.problems),
            dropped=self._dropped(),
            lag=self._pulse.lag,
        )
