from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import aiohttp

from regsync.events import Event, JobFinished, Ready
from regsync.options import Serving
from regsync.record.queries import runs_of
from regsync.record.state import read_only
from regsync.service import Service
from tests.e2e.keys.lab import Lab, row
from tests.support.clock import FakeClock
from tests.support.listener import listening


@asynccontextmanager
async def served(lab: Lab, server: str = "", *, defaults: str = "", until: type[Event] = Ready) -> AsyncIterator[None]:
    """Run the daemon with these sections while the block lasts, from the moment it is ready (or something else)."""
    ready = asyncio.Event()
    services: list[Service] = []

    def heard(event: Event) -> None:
        if isinstance(event, until):
            ready.set()

    lab.heard = heard
    if server:
        lab.clock = FakeClock()  # whoever says nothing for so many seconds is hung up on, and none pass
    entry = "name: one, source: 'ocidir://in:v1', target: 'ocidir://out:v1', type: image, interval: 1h"
    app = lab.app(f"server: {{{server}}}\ndefaults: {{{defaults}}}\nsync: [{{{entry}}}]\n")
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


@row("defaults.state")
async def _(lab: Lab) -> None:
    path = lab.folder / "state.db"
    for runs in (1, 2):
        async with served(lab, defaults=f"state: '{path}'", until=JobFinished):
            pass
        with closing(read_only(str(path))) as database:
            assert [run.outcome for run in runs_of(database, "one")] == ["failed"] * runs


@row("defaults.notify.on", "defaults.notify.url")
async def _(lab: Lab) -> None:
    with listening(200) as failures, listening(200) as changes:
        urls = (f"on: [failure], url: 'http://{failures.host}'", f"on: [changed], url: 'http://{changes.host}'")
        entry = "source: 'ocidir://in:v1', target: 'ocidir://out:v1', type: image"
        await lab.once(f"defaults: {{notify: [{{{urls[0]}}}, {{{urls[1]}}}]}}\nsync: [{{{entry}}}]\n")
    assert ([body["event"] for body in failures.bodies], changes.bodies) == (["failure"], [])


@row("server.hosts")
async def _(lab: Lab) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with served(lab, f"listen: '127.0.0.1:{port}', hosts: [mirror.example]"), aiohttp.ClientSession() as session:
        for host, status in (("mirror.example", 200), ("other.example", 421)):
            async with session.get(f"http://127.0.0.1:{port}/healthz", headers={"Host": host}) as answer:
                assert answer.status == status


@row("server.token")
async def _(lab: Lab) -> None:
    path = lab.folder / "socket"
    async with (
        served(lab, f"listen: 'unix:{path}', token: 0123456789abcdef"),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
    ):
        for token, status in (("0123456789abcdef", 200), ("0123456789abcdeX", 401)):
            login = {"Authorization": f"Bearer {token}"}
            async with session.post("http://regsync/api/v1/entries/one/pause", headers=login) as answer:
                assert answer.status == status
