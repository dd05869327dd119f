"""The daemon over its configurations: which one is in force, and how another one takes its place.

Everything about entries, their jobs and due times is asked of, and told to, the one `Service` there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from regsync.aside import aside
from regsync.config.load import Loaded
from regsync.config.model import Server
from regsync.daemon.control import Control
from regsync.daemon.jobs import Job
from regsync.daemon.plan import Plan
from regsync.daemon.runner import Say
from regsync.daemon.server import Daemon, Served
from regsync.errors import ConfigError
from regsync.events import EntryIgnored, Ready, Reloaded, Reloading, ReloadRefused, Warned
from regsync.garbage import look_from_now_on, none_looked_for
from regsync.limits import Slots
from regsync.loading import Source
from regsync.options import Serving
from regsync.registry.registries import Condition
from regsync.running import run_entries
from regsync.setup import Changes, Common, Setup, changes, set_up
from regsync.watching import Watched

_LOOKED_AT_EVERY = 10.0  # seconds
_SETTLED = 1.0  # seconds without a change
_PATIENCE = 10  # times it may have changed meanwhile
NOTHING_TO_DO = "nothing to do: the configuration has no entries under sync"


@dataclass(frozen=True, slots=True)
class Standing:
    """Which configuration is in force (`digest`) since when, and what became of the last attempt to replace it.

    `problems` say why that was refused; there are none if it was not, or if there was no attempt.
    """

    digest: str
    since: datetime
    tried: datetime
    problems: tuple[str, ...] = ()


class Service:
    """Runs the entries of the configuration in force at their times.

    `plan` is the set-up's. `source` is where the next one comes from; None: there will be no other one.
    """

    def __init__(self, setup: Setup, plan: Plan, common: Common, serving: Serving, *, source: Source | None) -> None:
        self.setup = setup
        self.ready = False  # every entry's first visit is under way or waits
        self._common = common
        self._source = source
        self._watched = source if serving.watch else None
        self._connections = setup.connections(common)
        self._ignore_unplanned(plan, setup.entries)
        self._daemon = Daemon(
            plan,
            self._handle,
            common.tell,
            clock=common.clock,
            never=partial(self._ignore, "Schedule never comes due, ignoring"),
            ready=self._note_ready,
            grace=serving.grace,
            abort_on_error=serving.abort_on_error,
        )
        now = common.clock.now()
        self.standing = Standing(setup.loaded.digest, now, now)
        self.stop: Callable[[], None] = self._daemon.stop
        self.stop_now: Callable[[], None] = self._daemon.stop_now
        self._wanted = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()

    async def run(self) -> Served:
        """Work until stopped, and return what came of it; to be called once."""
        async with self._connections, asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow(), name="reload")]
            if self._watched is not None:
                tasks.append(group.create_task(self._watch(self._watched), name="watch"))
            served = await self._daemon.run()
            for task in tasks:
                task.cancel()
        if served.cut:
            self._common.tell(Warned("Stopped before all was done", {"entries": served.cut}))
        return served

    @property
    def alive(self) -> bool:
        """Whether entries become due as they should."""
        return self._daemon.alive

    @property
    def planned(self) -> Collection[str]:
        """The entries that are ever due."""
        return self._daemon.planned

    def overdue_at(self, entry: str, since: datetime) -> datetime | None:
        """Return when an entry is overdue that was last seen equal, or first visited, `since` then; None: never."""
        return self._daemon.overdue_at(entry, since)

    @property
    def control(self) -> Control:
        """Who takes commands for single entries."""
        return self._daemon.control

    async def dues(self, entries: Iterable[str]) -> dict[str, datetime]:
        """Return when each of these is visited next; those are missing that never are."""
        return await self._daemon.dues(entries)

    def slots(self) -> dict[str, Slots]:
        """Return how busy each host is."""
        return self._connections.slots()

    def conditions(self) -> dict[str, Condition]:
        """Return how each registry is."""
        return self._connections.conditions()

    def reload_soon(self) -> None:
        """Have the configuration read again; fit for a signal handler, and asked for many times it is done once."""
        self._wanted.set()

    async def reload(self) -> Standing:
        """Read the configuration again and go on with it if it is fine, else as before; return what is so now.

        Until all of it was read and checked nothing changes, and then everything does in one step.
        """
        async with self._one_at_a_time:
            if self._source is None:
                return self.standing
            self._common.tell(Reloading())
            before = self._source.read
            try:
                with none_looked_for():
                    await self._replace(self._source)
            except ConfigError as error:
                await self._refuse(self._source, before, error.problems)
            except Exception as bug:  # noqa: BLE001 - a file that trips a bug of ours must not stop the mirror
                await self._refuse(self._source, before, [f"a bug in regsync: {type(bug).__name__}: {bug}"])
            return self.standing

    async def _follow(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            await self.reload()

    async def _watch(self, source: Source) -> None:
        while True:
            await self._common.clock.sleep(_LOOKED_AT_EVERY)
            if await aside(source.read.changed):
                await self._settled(source)
                await self.reload()

    async def _settled(self, source: Source) -> None:
        """Return when nobody seems to write any more: half a file may well be a good configuration."""
        found = await aside(source.read.now)
        for _ in range(_PATIENCE):
            await self._common.clock.sleep(_SETTLED)
            before, found = found, await aside(source.read.now)
            if found == before:
                return

    async def _replace(self, source: Source) -> None:
        secrets: list[str] = []
        try:
            loaded: Loaded = await aside(partial(source.load, secrets.append))
        finally:
            for secret in secrets:
                self._common.secrets.keep(secret)
        new = await set_up(loaded, self._common, aside, source.read.note)
        if not new.entries:
            raise ConfigError([NOTHING_TO_DO])
        plan = await aside(new.plan)
        self._take(new, plan, await aside(partial(changes, self.setup.config, new.config)))

    def _take(self, new: Setup, plan: Plan, changed: Changes) -> None:
        """Put a configuration in force; nobody else has a turn before it is."""
        old, self.setup = self.setup, new
        new.apply_to(self._connections, instead_of=old)
        self._daemon.apply(plan)
        now = self._common.clock.now()
        self.standing = Standing(new.loaded.digest, now, now)
        numbers = len(changed.added), len(changed.changed), len(changed.removed)
        self._common.tell(Reloaded(new.loaded.digest, len(new.entries), *numbers))
        for warning in new.told(besides=old):
            self._common.tell(warning)
        if _places(old.config.server) != _places(new.config.server):
            self._common.tell(Warned("Where the server answers changes with its next start", {"key": "server"}))
        if old.config.defaults.state != new.config.defaults.state:
            self._common.tell(Warned("Where runs are kept changes with the next start", {"key": "defaults.state"}))
        self._ignore_unplanned(plan, changed.added | changed.changed)

    async def _refuse(self, source: Source, before: Watched, problems: Sequence[str]) -> None:
        await aside(partial(source.read.join, before))  # what it did not come to read is still worth a look
        standing = self.standing
        self.standing = Standing(standing.digest, standing.since, self._common.clock.now(), tuple(problems))
        self._common.tell(ReloadRefused(tuple(problems)))

    async def _handle(self, job: Job, since: float, say: Say) -> int:
        setup, name = self.setup, job.entry
        tally = await run_entries(
            self._connections.engine,
            [setup.entries[name]],
            job.scope,
            setup=setup,
            common=self._common,
            name=name,
            abort_on_error=False,
            since=since,
            say=say,
        )
        return len(tally.failures)

    def _note_ready(self) -> None:
        self.ready = True
        look_from_now_on()
        self._common.tell(Ready(len(self.setup.entries), self.standing.digest))

    def _ignore_unplanned(self, plan: Plan, names: Container[str]) -> None:
        for name in [name for name in self.setup.entries if name in names and name not in plan.schedules]:
            self._ignore("No schedule or interval found, ignoring", name, "interval or schedule, here or in defaults")

    def _ignore(self, message: str, name: str, expected: str = "") -> None:
        entry = self.setup.entries[name]
        self._common.tell(EntryIgnored(message, entry.source, entry.target, entry.kind, expected))


def _places(server: Server) -> tuple[str, tuple[str, ...]]:
    """Return what is taken at the start; a token is asked for each time it is needed."""
    return server.listen, server.hosts
