from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from regsync.events import Event, Ready
from regsync.options import Serving
from regsync.service import Service
from tests.e2e.keys.lab import Lab, row


@asynccontextmanager
async def served(lab: Lab, server: str) -> AsyncIterator[None]:
    """Run the daemon with this section while the block lasts, from the moment it is ready."""
    ready = asyncio.Event()
    services: list[Service] = []

    def heard(event: Event) -> None:
        if isinstance(event, Ready):
            ready.set()

    lab.heard = heard
    entry = "source: 'ocidir://in:v1', target: 'ocidir://out:v1', type: image, interval: 1h"
    app = lab.app(f"server: {{{server}}}\nsync: [{{{entry}}}]\n")
    serving = asyncio.create_task(app.serve(Serving(1), meet=services.append))
    await ready.wait()
    try:
        yield
    finally:
        services[0].stop()
        await serving


@row("server.listen")
async def _(lab: Lab) -> None:
    path = lab.folder / "socket"
    async with (
        served(lab, f"listen: 'unix:{path}'"),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
    ):
        for page, begin in (("healthz", "ok\n"), ("readyz", "ok: configuration "), ("metrics", "# HELP regsync_")):
            async with session.get(f"http://regsync/{page}") as answer:
                assert (answer.status, (await answer.text()).startswith(begin)) == (200, True)
    assert not path.exists()


@row("server.hosts")
async def _(lab: Lab) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with served(lab, f"listen: '127.0.0.1:{port}', hosts: [mirror.example]"), aiohttp.ClientSession() as session:
        for host, status in (("mirror.example", 200), ("other.example", 421)):
            async with session.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": host}) as answer:
                assert answer.status == status
