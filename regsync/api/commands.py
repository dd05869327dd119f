"""What the daemon is told over HTTP: to run an entry now, to cancel its run, to pause it and to let it go on.

A page of somebody else in a browser is refused before its token is looked at, so that it cannot use up the tries of
whoever looks at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Literal
from urllib.parse import urlsplit

from aiohttp import web

from regsync.api import operations
from regsync.daemon.jobs import QueueClosed
from regsync.events import Commanded
from regsync.service import Service
from regsync.setup import Common
from regsync.web.parameters import Refused, answer, no_parameters
from regsync.web.route import Route
from regsync.web.token import SOCKET, Door

Command = Literal["run", "cancel", "pause", "resume"]
_BODY: Final = 64 << 10  # bytes that nobody reads
_WHO: Final = "API"
_Result = tuple[int, str]
_NO_CHANGE: Final = ("already paused", "not paused")


class Commands:
    """Takes commands for a service."""

    def __init__(self, service: Service, common: Common) -> None:
        self._service = service
        self._common = common
        self._door = Door(lambda: service.setup.config.server.token, clock=common.clock, tell=common.tell)

    def routes(self) -> list[Route]:
        """Return who takes what; these go before whoever answers for entries whose names may have slashes."""
        commands: dict[Command, Callable[[str], Awaitable[_Result]]] = {
            "run": self._run,
            "cancel": self._cancel,
            "pause": self._pause,
            "resume": self._resume,
        }
        routes = []
        for command, do in commands.items():
            path = f"/api/v1/entries/{{name:.+}}/{command}"
            taking = partial(self._take, command, do)
            routes.append(Route(path, taking, operations.COMMANDS[command], method="POST"))
            routes.append(Route(path, _post_only, method="*"))
        return routes

    async def _take(
        self, command: Command, do: Callable[[str], Awaitable[_Result]], request: web.Request
    ) -> web.Response:
        client = request.remote or SOCKET
        try:
            _refuse_foreign(request)
            self._door.admit(request.headers.get("Authorization", ""), client)
            doing = asyncio.create_task(self._do(command, do, self._entry_in(request), client))
            return await asyncio.shield(doing)  # done and told of, whether or not somebody waits for the answer
        except Refused as refusal:
            return answer({"error": f"{refusal}"}, status=refusal.status, headers=refusal.headers)

    async def _do(
        self, command: Command, do: Callable[[str], Awaitable[_Result]], name: str, client: str
    ) -> web.Response:
        status, result = await do(name)
        paused = name in self._service.control.paused
        if result not in _NO_CHANGE:
            self._common.tell(Commanded(command, name, _WHO, client, paused))
        said = {"entry": self._common.secrets.clean(name), "result": result, "paused": paused}
        return answer(said, status=status)

    def _entry_in(self, request: web.Request) -> str:
        """Return the entry that a command is for; what stands in its body is no matter, within reason."""
        no_parameters(request.query)
        if (request.content_length or 0) > _BODY:
            raise Refused(413, "expected no body")
        if self._service.control.stopping:
            raise _stopping()
        name = request.match_info["name"]
        if name not in self._service.setup.entries:
            raise Refused(404, "there is no entry of this name")
        return name

    async def _run(self, entry: str) -> _Result:
        try:
            before = await self._service.control.run(entry)
        except QueueClosed:
            raise _stopping() from None
        if before != "idle":
            raise Refused(409, f"already {before}")
        return 202, "queued"

    async def _cancel(self, entry: str) -> _Result:
        before = await self._service.control.cancel(entry)
        if before == "idle":
            raise Refused(409, "no run of this entry goes on or waits")
        return 202, "cancelled"

    async def _pause(self, entry: str) -> _Result:
        return 200, "paused" if await self._service.control.pause(entry) else "already paused"

    async def _resume(self, entry: str) -> _Result:
        return 200, "resumed" if self._service.control.resume(entry) else "not paused"


def _stopping() -> Refused:
    return Refused(503, "the server is being stopped")


async def _post_only(request: web.Request) -> web.Response:
    raise web.HTTPMethodNotAllowed(request.method, ["POST"])


def _refuse_foreign(request: web.Request) -> None:
    """Refuse what a page from elsewhere has a browser send (`Origin`, RFC 6454)."""
    for origin in request.headers.getall("Origin", []):
        if not _is_own(origin, request.host):
            raise Refused(403, "a page from another place may not tell anything here")


def _is_own(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.netloc.lower() == host.lower()
