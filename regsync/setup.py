"""What one configuration comes to: entries, registries and due times, and how it differs from another one.

Made in steps that may block, so that a daemon can have them done aside.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from regsync.clock import Clock
from regsync.config.load import Loaded
from regsync.config.model import Config, SyncStep
from regsync.config.templated import Surroundings
from regsync.connections import Connections, place_of
from regsync.daemon.plan import Plan
from regsync.events import Warned
from regsync.facts import Telling
from regsync.hosts import hosts_of, logins_of, manner_of
from regsync.loading import keep_other_secrets, keep_secrets
from regsync.registry.host import HostSettings, Manner
from regsync.registry.http.authorities import places_of_authorities
from regsync.registry.login.dockerconfig import DockerConfig, ask_store, load_docker_config
from regsync.secrets import Secrets
from regsync.sync.entry import SyncEntry
from regsync.sync.order import predecessors
from regsync.sync.run import targets_of
from regsync.translate import delays_of, entries_of, referrers_age_of, schedules_of, steps_of
from regsync.watching import look

T = TypeVar("T")
Note = Callable[[str], None]  # is given the name of what is about to be read
Do = Callable[[Callable[[], Any]], Awaitable[Any]]  # makes a call, wherever


@dataclass(frozen=True, slots=True)
class Common:
    """What all parts of the program are given, whatever the configuration says."""

    clock: Clock
    tell: Telling
    environ: Mapping[str, str]
    secrets: Secrets


@dataclass(frozen=True, slots=True)
class Setup:
    """One configuration as it is used.

    `steps` are the items of `sync` by the names of their `entries`; `sharing` counts the image entries that write
    into each repository; `manner` is how every registry is spoken to; `warnings` are about the registries.
    `trusted` is how the certificates look that are kept for each registry, by its host name, and under no name
    those for all.
    """

    loaded: Loaded
    entries: Mapping[str, SyncEntry]
    steps: Mapping[str, SyncStep]
    sharing: Counter[str]
    hosts: Mapping[str, HostSettings]
    manner: Manner
    warnings: tuple[Warned, ...]
    trusted: Mapping[str, str]

    @property
    def config(self) -> Config:
        """What the file says."""
        return self.loaded.config

    def told(self, besides: Setup | None = None) -> list[Warned]:
        """Return what the operator should know, and did not know from another configuration."""
        known = set() if besides is None else {str(warning) for warning in besides.told()}
        everything = [*map(Warned, self.loaded.warnings), *self.warnings]
        return [warning for warning in everything if str(warning) not in known]

    def plan(self) -> Plan:
        """Return what a daemon is to do. Looks at the disk."""
        schedules = schedules_of(self.config)
        entries = [self.entries[name] for name in schedules]
        before = predecessors(entries, partial(place_of, hosts=self.hosts))
        names = [*schedules]
        leaders = {name: [names[at] for at in before[position]] for position, name in enumerate(names)}
        return Plan.of(schedules, leaders, delays_of(self.config), self.entries.keys() - schedules.keys())

    def connections(self, common: Common) -> Connections:
        """Return the ways to all registries and layouts, to be entered."""
        return Connections(
            self.hosts,
            self.manner,
            images=self.config.defaults.parallel,
            referrers_age=referrers_age_of(self.config),
            clock=common.clock,
            tell=common.tell,
            environ=common.environ,
            secrets=common.secrets,
        )

    def apply_to(self, connections: Connections, *, instead_of: Setup) -> None:
        """Have connections that were made for another configuration go on with this one."""
        known = instead_of.trusted
        renewed = {name for name in {*known, *self.trusted} if known.get(name) != self.trusted.get(name)}
        connections.apply(
            self.hosts,
            self.manner,
            images=self.config.defaults.parallel,
            referrers_age=referrers_age_of(self.config),
            renewed=(lambda _: True) if "" in renewed else renewed.__contains__,
        )


@dataclass(frozen=True, slots=True)
class Changes:
    """The names of entries that are not as they were."""

    added: frozenset[str]
    changed: frozenset[str]
    removed: frozenset[str]


async def set_up(loaded: Loaded, common: Common, do: Do, note: Note) -> Setup:
    """Return what a configuration comes to; `do` makes calls that may take long, `note` hears what is read."""
    entries, steps, sharing, docker = await do(partial(_translated, loaded, common, note))
    found = await ask_store(docker, environ=common.environ)
    hosts, warnings = await do(partial(hosts_of, loaded.config, found))
    keep_secrets(loaded.config.creds, common.secrets)
    keep_other_secrets(loaded.config, common.secrets)
    keep_secrets(logins_of(hosts), common.secrets)
    manner = manner_of(loaded.config, common.environ, store=found.store)
    trusted = await do(partial(_trusted, manner.certificates, common.environ, note))
    return Setup(loaded, entries, steps, sharing, hosts, manner, tuple(warnings), trusted)


def _trusted(folders: Sequence[Path], environ: Mapping[str, str], note: Note) -> dict[str, str]:
    """Return how certificates look: those in a folder for each registry, and the environment's."""
    looks: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        note(str(folder))
        with suppress(OSError):
            for one in sorted(folder.iterdir()):
                looks[one.name].append(look(str(one)))
    for path in places_of_authorities(environ):
        note(str(path))
        looks[""].append(look(str(path)))
    return {name: " ".join(seen) for name, seen in looks.items()}


def _translated(
    loaded: Loaded, common: Common, note: Note
) -> tuple[dict[str, SyncEntry], dict[str, SyncStep], Counter[str], DockerConfig]:
    around = Surroundings(common.environ, common.clock.now, common.secrets.keep)
    entries = {entry.name: entry for entry in entries_of(loaded.config, around)}
    leave_out = loaded.config.defaults.skip_docker_config
    docker = DockerConfig() if leave_out else load_docker_config(common.environ, note)
    return entries, steps_of(loaded.config), targets_of([*entries.values()]), docker


def changes(old: Config, new: Config) -> Changes:
    """Say which entries differ between two configurations; where they stand in the file is no matter."""
    before, after = steps_of(old), steps_of(new)
    kept = before.keys() & after.keys()
    changed = (name for name in kept if vars(before[name]) != vars(after[name]))
    return Changes(frozenset(after.keys() - kept), frozenset(changed), frozenset(before.keys() - kept))
