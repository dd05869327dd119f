"""Composition root: configuration in, objects out. The only module that knows everybody; configuration ends here."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from graphlib import TopologicalSorter
from pathlib import Path

from regsync import __version__
from regsync.clock import Clock
from regsync.config.load import Checks, Loaded, load_config
from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.runner import Runner
from regsync.daemon.schedule import Schedule, parse_schedule
from regsync.daemon.scheduler import Scheduler
from regsync.endpoints import BothKinds
from regsync.events import EntryIgnored, Warned
from regsync.facts import Telling
from regsync.layout.layouts import Layouts
from regsync.limits import Limits
from regsync.observe.report import Tally
from regsync.registry.host import HostSettings
from regsync.registry.http.tls import CERTIFICATES
from regsync.registry.login.dockerconfig import DockerConfig, ask_store, load_docker_config
from regsync.registry.registries import Registries
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.order import PlaceOf, predecessors
from regsync.sync.run import Engine, Run
from regsync.sync.select import check_pattern
from regsync.transfer.mover import TRANSFERS
from regsync.translate import entries_of, hosts_of, place_of, schedules_of, stricter_patterns

_IMAGES = 8  # in flight, unless `parallel` says otherwise
_CAPS = {
    TRANSFERS: 32,  # blobs under way in the whole process: each holds about a MiB
    "ocidir": 16,  # what reads or writes layouts at once
}
_NOWHERE = Path(os.devnull)  # a folder of certificates that holds none
_WORKERS = 64  # entries of a daemon under way at once


def load(path: str, *, allow_unknown_keys: bool) -> Loaded:
    """Read and check a configuration file (`-`: standard input); `ConfigError` lists everything that is wrong."""
    checks = Checks(pattern=check_pattern, schedule=_check_schedule)
    return load_config(path, checks=checks, allow_unknown_keys=allow_unknown_keys)


def _check_schedule(text: str) -> None:
    parse_schedule(text)


class App:
    """One configuration, ready to run."""

    def __init__(self, loaded: Loaded, *, clock: Clock, tell: Telling, environ: Mapping[str, str]) -> None:
        self._config = loaded.config
        self._clock = clock
        self._tell = tell
        self._environ = environ
        self._entries = entries_of(loaded.config)
        for warning in (*loaded.warnings, *stricter_patterns(loaded.config)):
            tell(Warned(warning))

    async def once(self, scope: Scope, *, abort_on_error: bool) -> Tally:
        """Run all entries once and return what it came to."""
        async with self._engine() as engine:
            return await self._run(engine, self._entries, scope, name="", abort_on_error=abort_on_error)

    async def serve(
        self, *, grace: float, abort_on_error: bool, stoppable: Callable[[Callable[[], None], Callable[[], None]], None]
    ) -> int:
        """Run every entry at its times until stopped, and return how many images failed.

        `stoppable` is called with what drains and what stops at once.
        """
        queue = MemoryQueue()
        schedules = schedules_of(self._config)
        scheduler = Scheduler(schedules, queue, clock=self._clock, tell=self._tell)
        entries = {entry.name: entry for entry in self._entries}
        async with self._engine() as engine:
            turns = _Turns([entry for entry in self._entries if entry.name in schedules], engine.place_of)

            async def handle(job: Job) -> int:
                async with turns.after_predecessors(job.entry):
                    if runner.stopping:  # while this one only waited for its turn
                        return 0
                    scope: Scope = "missing" if job.scope == "missing" else "changed"
                    tally = await self._run(engine, [entries[job.entry]], scope, name=job.entry, abort_on_error=False)
                if tally.failures and abort_on_error:
                    runner.stop_now()
                return len(tally.failures)

            self._warn_of_idle(schedules)
            workers = max(1, min(len(entries), _WORKERS))
            runner = Runner(scheduler, queue, handle, self._tell, clock=self._clock, workers=workers, grace=grace)
            stoppable(runner.stop, runner.stop_now)
            now = self._clock.now()
            await runner.run([Job(name, now, "missing") for name in turns.order])
            if runner.cut:
                self._tell(Warned("Stopped before all was done", {"entries": runner.cut}))
        return runner.failed

    def _warn_of_idle(self, schedules: Mapping[str, Schedule]) -> None:
        now = self._clock.now()
        for entry in self._entries:
            schedule = schedules.get(entry.name)
            if schedule is None:
                self._tell(_ignored("No schedule or interval found, ignoring", entry))
            elif schedule.next_after(now) is None:
                self._tell(_ignored("Schedule never comes due, ignoring", entry))

    async def _run(
        self, engine: Engine, entries: Sequence[SyncEntry], scope: Scope, *, name: str, abort_on_error: bool
    ) -> Tally:
        tally = Tally()
        began = self._clock.monotonic()
        with self._tell.run(tally, entry=name):
            await Run(engine, entries, scope=scope, abort_on_error=abort_on_error, tell=self._tell).run()
            self._tell(tally.finished(name, seconds=self._clock.monotonic() - began))
        return tally

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[Engine]:
        defaults = self._config.defaults
        docker = DockerConfig() if defaults.skip_docker_config else load_docker_config(self._environ)
        hosts, warnings = hosts_of(self._config, await ask_store(docker, environ=self._environ))
        for warning in warnings:
            self._tell(Warned(warning))
        limits = Limits(lambda name: _cap_of(name, hosts))
        registries = Registries(
            hosts,
            limits=limits,
            clock=self._clock,
            tell=self._tell,
            user_agent=defaults.user_agent or f"regclient/regsync (python v{__version__})",
            blob_limit=defaults.blob_limit,
            environ=self._environ,
            certificates=_NOWHERE if defaults.skip_docker_config else CERTIFICATES,
        )
        layouts = Layouts(self._clock, tell=self._tell)
        try:
            async with registries:
                images = asyncio.Semaphore(defaults.parallel if defaults.parallel > 0 else _IMAGES)
                endpoints = BothKinds(registries, layouts)
                yield Engine.of(endpoints, limits, self._clock, images, lambda name: place_of(name, hosts))
        finally:
            layouts.close()


def _ignored(message: str, entry: SyncEntry) -> EntryIgnored:
    return EntryIgnored(message, entry.source, entry.target, entry.kind)


def _cap_of(name: str, hosts: Mapping[str, HostSettings]) -> int | None:
    """Return the hard cap of what may be under way at a host at once; None where the limit is to be found out."""
    if name in _CAPS:
        return _CAPS[name]
    return hosts[name].concurrent if name in hosts else None


class _Turns:
    """At the daemon's start, entries that read what others write wait for the first run of those."""

    def __init__(self, entries: Sequence[SyncEntry], place_of: PlaceOf) -> None:
        names = [entry.name for entry in entries]
        before = predecessors(entries, place_of)
        self._before = {name: [names[position] for position in before[at]] for at, name in enumerate(names)}
        self._ended = {name: asyncio.Event() for name in names}
        sorter = TopologicalSorter(self._before)
        self.order: list[str] = list(sorter.static_order())

    @asynccontextmanager
    async def after_predecessors(self, name: str) -> AsyncIterator[None]:
        """Wait for the first runs of those this entry reads from; later ones are not waited for."""
        for predecessor in self._before[name]:
            await self._ended[predecessor].wait()
        try:
            yield
        finally:
            self._ended[name].set()
