"""What lasts while configurations come and go: connections, logins, limits, what hosts have taught us, and layouts.

It knows registries by their settings, whoever wrote those down, and no entries: whatever wants to reach an image, be it
a run over entries or a look at one, finds an `Engine` here.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import TracebackType
from typing import Self

from regsync.clock import Clock
from regsync.endpoints import BothKinds
from regsync.events import Tell
from regsync.hooks.runner import HookRunner
from regsync.layout.layouts import Layouts
from regsync.limits import Limits, Slots
from regsync.registry.host import HostSettings, Manner
from regsync.registry.registries import Condition, Registries
from regsync.secrets import Secrets
from regsync.sync.answers import Age
from regsync.sync.engine import Engine
from regsync.sync.lookups import Lookups
from regsync.transfer.mover import TRANSFERS, Shared
from regsync.transfer.seen import Seen

_CAPS = {
    TRANSFERS: 32,  # blobs under way in the whole process: each holds about a MiB
    "ocidir": 16,  # what reads or writes layouts at once
}


class Connections:
    """Every way out of the process, to be entered before its `engine` is used.

    `images` is how many may be copied at once, `referrers_age` how long lists of referrers are good; `environ` is where
    proxies, credential helpers and hooks come from; what is learnt that nobody may see is made known to `secrets`.
    """

    def __init__(
        self,
        hosts: Mapping[str, HostSettings],
        manner: Manner,
        *,
        images: int,
        referrers_age: Age | None = None,
        clock: Clock,
        tell: Tell,
        environ: Mapping[str, str],
        secrets: Secrets,
    ) -> None:
        self._hosts = hosts
        self._clock = clock
        self._limits = Limits(self._cap_of)
        self._age = referrers_age
        self._shared = Shared(self._limits, clock, Seen(clock))
        self._lookups = Lookups(clock, self._shared.seen, referrers_age=referrers_age)
        self._registries = Registries(
            hosts, manner, limits=self._limits, clock=clock, tell=tell, environ=environ, secrets=secrets
        )
        self._layouts = Layouts(clock, tell=tell)
        self._endpoints = BothKinds(self._registries, self._layouts)
        self._run_hook = HookRunner(self._registries.post, clock=clock, environ=environ, secrets=secrets, tell=tell)
        self._parallel, self._images = images, asyncio.Semaphore(images)
        self.engine = self._build()

    async def __aenter__(self) -> Self:
        await self._registries.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._registries.__aexit__(kind, error, trace)
        finally:
            self._layouts.close()

    def apply(
        self,
        hosts: Mapping[str, HostSettings],
        manner: Manner,
        *,
        images: int,
        referrers_age: Age | None = None,
        renewed: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Take new settings; `engine` is another one afterwards.

        A host whose settings are equal keeps its connections, logins, slots and pace. One with other settings, or of
        which nothing is said any more, begins anew; whatever is under way ends on what it began with, and its slots
        count on. Another manner costs every host its connections and no host its slots, and so do other certificates:
        `renewed` says of a host name whether it has some.
        """
        self._hosts = hosts
        changed = self._registries.apply(hosts, manner, renewed)
        for name in changed:
            self._limits.begin_anew(name)
        if changed:  # what was seen under a name may have been another server's
            self._shared = replace(self._shared, seen=Seen(self._clock), loners=set())
        if changed or referrers_age != self._age:
            self._age = referrers_age
            self._lookups = Lookups(self._clock, self._shared.seen, referrers_age=referrers_age)
        if images != self._parallel:
            self._parallel, self._images = images, asyncio.Semaphore(images)
        self.engine = self._build()

    def slots(self) -> dict[str, Slots]:
        """Return how busy each host is; those of layouts and of transfers in all are hosts, too."""
        return self._limits.slots()

    def conditions(self) -> dict[str, Condition]:
        """Return how each registry that was spoken to is."""
        return self._registries.conditions()

    def _build(self) -> Engine:
        hosts = self._hosts
        return Engine(
            self._endpoints,
            self._lookups,
            self._shared,
            self._images,
            lambda name: place_of(name, hosts),
            run_hook=self._run_hook,
        )

    def _cap_of(self, name: str) -> int | None:
        """Return the hard cap of what may be under way at a host; None where the limit is to be found out."""
        if name in _CAPS:
            return _CAPS[name]
        return self._hosts[name].concurrent if name in self._hosts else None


def place_of(name: str, hosts: Mapping[str, HostSettings]) -> str:
    """Return where a repository really is: several names may share one server, and several paths one directory."""
    scheme, found, path = name.partition("://")
    if found:
        return f"{scheme}://{os.path.realpath(path)}"
    registry, _, repository = name.partition("/")
    host = hosts.get(registry)
    if host is None:
        return name
    return "/".join(part for part in (host.hostname, host.path_prefix, repository) if part)
