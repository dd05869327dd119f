"""A day of a daemon whose entries run every minute: what it holds does not grow."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

from regsync.app import App
from regsync.events import JobFinished, Ready
from regsync.facts import Fact, Telling
from regsync.loading import Source
from regsync.observe.levels import DEBUG
from regsync.observe.logs import Log
from regsync.observe.output import Output
from regsync.options import Serving
from regsync.secrets import Secrets
from regsync.service import Service
from tests.support.built import image_bytes
from tests.support.clock import FakeClock, settle
from tests.support.fake_registry import FakeRegistry

ENTRIES: Final = 3
MINUTE: Final = 60.0  # seconds
SETTLED: Final = 3  # hours until the thousand events are there that are kept for who comes back
FEW: Final = 400  # objects, of some hundred thousand; one for each run would be ten times as many


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds: memory in blocks of the interpreter and in objects of each type."""

    tasks: int
    descriptors: int
    blocks: int
    kinds: Counter[str]


def held() -> Held:
    gc.collect()
    kinds = Counter(type(each).__qualname__ for each in gc.get_objects())
    descriptors = len(os.listdir("/dev/fd"))  # noqa: PTH208
    return Held(len(asyncio.all_tasks()), descriptors, sys.getallocatedblocks(), kinds)


class Day:
    """A daemon with everything that hears of its runs: the log, the history, the metrics; on a virtual clock."""

    def __init__(self, folder: Path, registry: FakeRegistry) -> None:
        self.folder, self.registry = folder, registry
        self.clock = FakeClock()
        self.hours = 0
        self.finished = asyncio.Queue[JobFinished]()
        self.ready = asyncio.Event()
        self.met: list[Service] = []
        secrets = Secrets()
        log = Log(Output(os.open(os.devnull, os.O_WRONLY)), threshold=DEBUG, secrets=secrets)
        source = Source(str(self._written()), allow_unknown_keys=False)
        self.app = App(
            source.load(lambda _: None),
            clock=self.clock,
            tell=Telling([log, self._note], self.clock),
            environ={},
            secrets=secrets,
            source=source,
        )

    def _written(self) -> Path:
        """Write three entries: from registry to registry, from registry to layout, and one in vain."""
        self._changed()
        host = self.registry.host
        pairs = {
            "image": (f"{host}/src:v1", f"{host}/mirror:v1"),
            "layout": (f"{host}/src:v1", f"ocidir://{self.folder}/out:v1"),
            "vain": (f"{host}/nowhere:v1", f"{host}/mirror:v2"),
        }
        lines = [
            f"- {{name: {name}, source: '{source}', target: '{target}', type: image}}\n"
            for name, (source, target) in pairs.items()
        ]
        path = self.folder / "regsync.yml"
        path.write_text(
            f"creds: [{{registry: '{host}', tls: disabled}}]\nserver: {{listen: 'unix:{self.folder}/socket'}}\n"
            f"defaults: {{interval: 1m, skipDockerConfig: true}}\nsync:\n{''.join(lines)}"
        )
        return path

    def _changed(self) -> None:
        """Have the other one of two images at the source, and nothing noted of what was asked for before."""
        self.registry.seed("src", {"v1": image_bytes(f"{self.hours % 2}".encode())})
        self.registry.journal.clear()

    def _note(self, fact: Fact) -> None:
        if isinstance(fact.event, JobFinished):
            self.finished.put_nowait(fact.event)
        elif isinstance(fact.event, Ready):
            self.ready.set()

    async def visited(self) -> None:
        for _ in range(ENTRIES):
            assert (await self.finished.get()).crash is None

    async def hour(self) -> None:
        """Let an hour pass in which the sources change once, and look at the metrics at its end."""
        self.hours += 1
        self._changed()
        for _ in range(60):
            await self.clock.leap(MINUTE)
            await self.visited()
        connector = aiohttp.UnixConnector(f"{self.folder}/socket")
        async with aiohttp.ClientSession(connector=connector) as session, session.get("http://regsync/metrics") as told:
            assert b"regsync_entry_runs_total" in await told.read()
        await settle()


async def test_a_day_of_runs_every_minute_leaves_no_more_behind_than_three_hours_of_them(
    tmp_path: Path, fake_registry: FakeRegistry
) -> None:
    day = Day(tmp_path, fake_registry)
    serving = asyncio.create_task(day.app.serve(Serving(1, watch=True), meet=day.met.append))
    await day.ready.wait()
    await day.visited()
    for _ in range(SETTLED):
        await day.hour()
    early = held()
    for _ in range(24 - SETTLED):
        await day.hour()
    late = held()
    day.met[0].stop()
    with suppress(asyncio.CancelledError):
        await serving
    assert (late.tasks, late.descriptors) == (early.tasks, early.descriptors)
    more = late.kinds - early.kinds
    assert more.total() < FEW, more
    assert late.blocks - early.blocks < 10 * FEW
