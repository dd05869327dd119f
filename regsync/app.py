"""Composition root: configuration in, entries and schedules out, one call to run. Configuration ends here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from regsync.aside import aside
from regsync.beside import going_on
from regsync.clock import Clock
from regsync.config.load import Loaded
from regsync.daemon.server import Served
from regsync.errors import ConfigError
from regsync.events import Warned
from regsync.facts import Telling
from regsync.fitness import lacks
from regsync.garbage import look_from_now_on
from regsync.listen import Address
from regsync.loading import Source, keep_other_secrets, keep_proxy_secrets, keep_secrets
from regsync.notifying import notifying
from regsync.options import Serving
from regsync.record.tally import Tally
from regsync.running import run_entries
from regsync.secrets import Secrets
from regsync.service import NOTHING_TO_DO, Service
from regsync.setup import Common, Do, Setup, T, set_up
from regsync.sync.entry import Scope
from regsync.sync.survey import Looking

if TYPE_CHECKING:
    from regsync.keeping import Kept

_LAST_WORDS: Final = 10.0  # seconds those have who are to be told what a run came to
_LAST_WORDS_OF_A_DAEMON: Final = 1.0


class App:
    """One configuration, ready to run; a daemon gets its next one from the source, if there is one."""

    def __init__(
        self,
        loaded: Loaded,
        *,
        clock: Clock,
        tell: Telling,
        environ: Mapping[str, str],
        secrets: Secrets,
        source: Source | None = None,
    ) -> None:
        self._loaded = loaded
        self._source = source
        self._common = Common(clock, tell, environ, secrets)
        keep_secrets(loaded.config.creds, secrets)
        keep_other_secrets(loaded.config, secrets)
        keep_proxy_secrets(environ, secrets)

    async def once(self, scope: Scope, *, abort_on_error: bool, looking: Looking | None = None) -> Tally:
        """Run all entries once and return what it came to; `looking` is what a check is to find out besides."""
        setup = await self._setup(_at_once)
        look_from_now_on()
        if not setup.entries:
            self._common.tell(Warned(NOTHING_TO_DO))
        if scope != "check":
            self._tell_lacks(lacks(setup.entries.values(), self._common.environ))
        async with setup.connections(self._common) as connections, notifying(lambda: setup, self._common) as notifier:
            tally = await run_entries(
                connections.engine,
                [*setup.entries.values()],
                scope,
                setup=setup,
                common=self._common,
                name="",
                abort_on_error=abort_on_error,
                looking=looking,
            )
            await notifier.sent(_LAST_WORDS)
            return tally

    async def serve(
        self, serving: Serving, *, meet: Callable[[Service], None], dropped: Callable[[], int] = lambda: 0
    ) -> Served:
        """Run every entry at its times until stopped, and return what came of it.

        `meet` is given who does it before it begins; `dropped` counts lines of the log that were lost.
        """
        setup = await self._setup(aside)
        if not setup.entries:
            raise ConfigError([NOTHING_TO_DO])
        self._tell_lacks(await aside(partial(lacks, setup.entries.values(), self._common.environ)))
        service = Service(setup, await aside(setup.plan), self._common, serving, source=self._source)
        meet(service)
        server = self._loaded.config.server
        listen, state = serving.listen or server.listen, self._loaded.config.defaults.state
        if not (listen or state):
            return await self._served(service, None)
        # Nobody else pays for these libraries, and reading them takes a tenth of a second: beside the loop.
        await aside(partial(import_module, "regsync.serving" if listen else "regsync.keeping"))
        from regsync.keeping import kept  # noqa: PLC0415

        with kept(state, self._common) as keeping:
            if not listen:
                return await self._served(service, keeping)
            from regsync.serving import shown  # noqa: PLC0415

            address = Address.parse(listen)
            async with shown(service, self._common, keeping, address=address, names=server.hosts, dropped=dropped):
                return await self._served(service, keeping)

    async def _served(self, service: Service, keeping: Kept | None) -> Served:
        """Run the daemon, and tell those who want to know."""
        async with notifying(lambda: service.setup, self._common, keeping=keeping) as notifier:
            async with going_on(self._common.tell, partial(notifier.watch, service, keeping)):
                served = await service.run()
            if not served.cut:
                await notifier.sent(_LAST_WORDS_OF_A_DAEMON)
            return served

    def _tell_lacks(self, lines: Sequence[str]) -> None:
        """Tell what some entries lack; the others are mirrored all the same."""
        for line in lines:
            self._common.tell(Warned("Some entries cannot be mirrored", {"err": line}))

    async def _setup(self, do: Do) -> Setup:
        note = (lambda _: None) if self._source is None else self._source.read.note
        setup = await set_up(self._loaded, self._common, do, note)
        for warning in setup.told():
            self._common.tell(warning)
        return setup


async def _at_once(call: Callable[[], T]) -> T:
    return call()
