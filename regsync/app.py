"""Composition root: configuration in, entries and schedules out, one call to run. Configuration ends here."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from regsync.clock import Clock, SystemClock
from regsync.config.hooks import secrets_in, webhooks_of
from regsync.config.load import Checks, Loaded, load_config
from regsync.config.model import Config, Cred
from regsync.config.templated import Surroundings
from regsync.connections import Connections
from regsync.daemon.jobs import Job
from regsync.daemon.runner import Say
from regsync.daemon.schedule import parse_schedule
from regsync.daemon.server import Served, Stoppable, serve
from regsync.errors import ConfigError
from regsync.events import EntryIgnored, RunStarted, Warned
from regsync.facts import Telling
from regsync.hosts import hosts_of, logins_of, manner_of
from regsync.record.tally import Tally
from regsync.registry.host import HostSettings
from regsync.registry.http.proxies import proxy_logins
from regsync.registry.login.dockerconfig import DockerConfig, ask_store, load_docker_config
from regsync.registry.login.name import check_registry_name
from regsync.secrets import Secrets
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.order import predecessors
from regsync.sync.patterns import check_pattern
from regsync.sync.run import Engine, Run, targets_of
from regsync.sync.semver import check_range
from regsync.sync.units import MOST
from regsync.translate import entries_of, referrers_age_of, schedules_of

_NOTHING_TO_DO = "nothing to do: the configuration has no entries under sync"


def load(
    path: str,
    *,
    allow_unknown_keys: bool,
    skip_invalid_entries: bool = False,
    traps: list[str] | None = None,
    secrets: Secrets | None = None,
) -> Loaded:
    """Read and check a configuration file (`-`: standard input); `ConfigError` lists everything that is wrong.

    `traps` takes a line for whatever regclient's regsync ignores or reads otherwise than it looks. What its templates
    learn that must not be shown is noted among the secrets, be the file of use or not.
    """
    kept = Secrets() if secrets is None else secrets
    checks = Checks(
        pattern=check_pattern, semver_range=check_range, schedule=_check_schedule, registry=check_registry_name
    )
    return load_config(
        path,
        checks=checks,
        allow_unknown_keys=allow_unknown_keys,
        skip_invalid_entries=skip_invalid_entries,
        traps=traps,
        surroundings=Surroundings(os.environ, SystemClock().now, kept.keep),
    )


def _check_schedule(text: str) -> None:
    parse_schedule(text)


def keep_secrets(logins: Iterable[Cred | HostSettings], secrets: Secrets) -> None:
    """Take note of what is secret in these."""
    for login in logins:
        secrets.keep(login.password, user=login.user)
        secrets.keep(login.token)
        secrets.keep(login.client_key)


def keep_hook_secrets(config: Config, secrets: Secrets) -> None:
    """Take note of what may be secret in the URLs of hooks."""
    for url in webhooks_of(config):
        for secret, user in secrets_in(url):
            secrets.keep(secret, user=user)


def keep_proxy_secrets(environ: Mapping[str, str], secrets: Secrets) -> None:
    """Take note of the logins in the URLs of proxies; a user without a password is a token."""
    for user, password in proxy_logins(environ):
        secrets.keep(password or user, user=user if password else "")


class App:
    """One configuration, ready to run."""

    def __init__(
        self, loaded: Loaded, *, clock: Clock, tell: Telling, environ: Mapping[str, str], secrets: Secrets
    ) -> None:
        self._config = loaded.config
        self._secrets = secrets
        keep_secrets(loaded.config.creds, secrets)
        keep_hook_secrets(loaded.config, secrets)
        keep_proxy_secrets(environ, secrets)
        self._clock = clock
        self._tell = tell
        self._environ = environ
        around = Surroundings(environ, clock.now, secrets.keep)
        self._entries = {entry.name: entry for entry in entries_of(loaded.config, around)}
        self._sharing = targets_of([*self._entries.values()])
        for warning in loaded.warnings:
            tell(Warned(warning))

    async def once(self, scope: Scope, *, abort_on_error: bool) -> Tally:
        """Run all entries once and return what it came to."""
        if not self._entries:
            self._tell(Warned(_NOTHING_TO_DO))
        async with self._engine() as engine:
            return await self._run(engine, [*self._entries.values()], scope, name="", abort_on_error=abort_on_error)

    async def serve(self, *, grace: float, abort_on_error: bool, stoppable: Stoppable) -> Served:
        """Run every entry at its times until stopped, and return what came of it; `grace` is in seconds."""
        if not self._entries:
            raise ConfigError([_NOTHING_TO_DO])
        schedules = schedules_of(self._config)
        for entry in self._entries.values():
            if entry.name not in schedules:
                self._ignore("No schedule or interval found, ignoring", entry.name)
        async with self._engine() as engine:

            async def handle(job: Job, since: float, say: Say) -> int:
                scope: Scope = "missing" if job.scope == "missing" else "changed"
                entries = [self._entries[job.entry]]
                tally = await self._run(
                    engine, entries, scope, name=job.entry, abort_on_error=False, since=since, say=say
                )
                return len(tally.failures)

            served = await serve(
                schedules,
                self._before(engine, [self._entries[name] for name in schedules]),
                handle,
                self._tell,
                clock=self._clock,
                never=lambda name: self._ignore("Schedule never comes due, ignoring", name),
                grace=grace,
                abort_on_error=abort_on_error,
                stoppable=stoppable,
            )
            if served.cut:
                self._tell(Warned("Stopped before all was done", {"entries": served.cut}))
        return served

    def _before(self, engine: Engine, entries: Sequence[SyncEntry]) -> dict[str, list[str]]:
        """Return for each entry the names of those it reads from."""
        before = predecessors(entries, engine.place_of)
        return {entry.name: [entries[at].name for at in before[position]] for position, entry in enumerate(entries)}

    def _ignore(self, message: str, name: str) -> None:
        entry = self._entries[name]
        self._tell(EntryIgnored(message, entry.source, entry.target, entry.kind))

    async def _run(
        self,
        engine: Engine,
        entries: Sequence[SyncEntry],
        scope: Scope,
        *,
        name: str,
        abort_on_error: bool,
        since: float | None = None,
        say: Say | None = None,
    ) -> Tally:
        tally, cut = Tally(), True
        began = self._clock.monotonic()
        run = Run(
            engine,
            entries,
            scope=scope,
            abort_on_error=abort_on_error,
            tell=self._tell,
            since=since,
            sharing=self._sharing,
            workers=self._config.defaults.parallel if abort_on_error else MOST,
            say=say,
        )
        with self._tell.run(tally, entry=name):
            self._tell(RunStarted(name, scope))
            try:
                await run.run()
                cut = False
            finally:
                self._tell(tally.finished(name, seconds=self._clock.monotonic() - began, cut=cut))
        return tally

    @asynccontextmanager
    async def _engine(self) -> AsyncIterator[Engine]:
        config = self._config
        docker = DockerConfig() if config.defaults.skip_docker_config else load_docker_config(self._environ)
        hosts, warnings = hosts_of(config, await ask_store(docker, environ=self._environ))
        keep_secrets(logins_of(hosts), self._secrets)
        for warning in warnings:
            self._tell(warning)
        async with Connections(
            hosts,
            manner_of(config, self._environ),
            images=config.defaults.parallel,
            referrers_age=referrers_age_of(config),
            clock=self._clock,
            tell=self._tell,
            environ=self._environ,
            secrets=self._secrets,
        ) as connections:
            yield connections.engine
