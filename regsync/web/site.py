"""The HTTP server: where it listens, whom it answers, and what it serves.

It is bound before anything is copied, so that a port in use is an error of the start. Names in `Host` that are not this
machine's addresses are refused, or a page somewhere could have a browser read what is served here under its own name
(DNS rebinding); nothing is ever allowed to other origins. So many connections are served at once and no more.
"""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager, suppress
from functools import partial
from ipaddress import ip_address
from typing import Final, cast

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from regsync.beside import going_on
from regsync.clock import Clock
from regsync.errors import ConfigError
from regsync.events import Tell
from regsync.listen import Address
from regsync.web.callers import MOST, Caller, Callers, attended
from regsync.web.route import Route
from regsync.web.trouble import bugs_alone, said_plainly

_LINGERING: Final = 1.0  # seconds a body is still read that was refused
_BODY: Final = 64 << 10
_NEVER: Final = 1e6  # seconds
_CLOSING: Final = 2.0  # seconds
_SAFE: Final = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


@asynccontextmanager
async def site(
    address: Address, names: Collection[str], routes: Iterable[Route], *, tell: Tell, clock: Clock
) -> AsyncIterator[None]:
    """Serve these while the block lasts; `ConfigError` if nobody can listen there.

    `names` are those it may be asked for by, besides addresses and `localhost`.
    """
    known = {name.lower() for name in (*names, "localhost", address.host)}
    guards = [] if address.path else [_guard(known)]
    app = web.Application(middlewares=[said_plainly(tell), attended, *guards], client_max_size=_BODY)
    app.on_response_prepare.append(_be_safe)
    for route in routes:
        app.router.add_route(route.method, route.path, route.handler)
        if route.method == "GET":
            app.router.add_head(route.path, route.handler)
    runner = web.AppRunner(
        app,
        handle_signals=False,
        handler_cancellation=True,  # nobody works for who is gone
        access_log=None,
        logger=bugs_alone(tell),
        auto_decompress=False,
        keepalive_timeout=_NEVER,  # `callers` are looked after by our clock
        lingering_time=_LINGERING,
        shutdown_timeout=_CLOSING,
    )
    await runner.setup()
    callers = Callers(clock)
    async with going_on(tell, callers.watch):
        try:
            server = await _listening(address, runner, callers)
            try:
                yield
            finally:
                server.close()
                if address.path:
                    with suppress(OSError):
                        os.unlink(address.path)  # noqa: PTH108
        finally:
            await runner.cleanup()


async def _listening(address: Address, runner: web.AppRunner, callers: Callers) -> asyncio.Server:
    protocol = partial(Caller, callers, cast("web.Server", runner.server))
    loop = asyncio.get_running_loop()
    try:
        if address.path:
            _clear_stale(address.path)
            server = await loop.create_unix_server(protocol, address.path, backlog=MOST)
            os.chmod(address.path, 0o660)  # noqa: PTH101
            return server
        return await loop.create_server(protocol, address.host or None, address.port, backlog=MOST)
    except OSError as error:
        raise ConfigError([f"server.listen: cannot listen on {address}: {_why(error)}"]) from error


def _clear_stale(path: str) -> None:
    """Remove a socket nobody listens at any more; `OSError`: what is there is in use, or is no socket."""
    with suppress(FileNotFoundError, ConnectionRefusedError), socket.socket(socket.AF_UNIX) as probe:
        probe.connect(path)
        raise OSError(None, "another process listens there")
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise OSError(None, "something is there that is no socket")
        os.unlink(path)  # noqa: PTH108


def _why(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror or str(error)


def _guard(names: Collection[str]) -> Middleware:
    @web.middleware
    async def guarded(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_ours(request.host, names):
            raise web.HTTPMisdirectedRequest(text="not known by this name: add it to server.hosts or ask by address")
        return await handler(request)

    return guarded


async def _be_safe(_: web.Request, answer: web.StreamResponse) -> None:
    for name, value in _SAFE.items():
        answer.headers.setdefault(name, value)
    answer.headers["Server"] = "regsync"  # the library would say its version and Python's


def _is_ours(host: str, names: Collection[str]) -> bool:
    """Say whether a `Host` names this machine: an address, or one of its names."""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    name = name.removeprefix("[").removesuffix("]").lower()
    if name in names:
        return True
    with suppress(ValueError):
        ip_address(name)
        return True
    return False
