"""One run over entries, from its first word to its last."""

from __future__ import annotations

from collections.abc import Sequence

from regsync.daemon.runner import Say
from regsync.events import RunStarted
from regsync.record.tally import Tally
from regsync.setup import Common, Setup
from regsync.sync.engine import Engine
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.run import Run
from regsync.sync.survey import Looking
from regsync.sync.units import MOST


async def run_entries(
    engine: Engine,
    entries: Sequence[SyncEntry],
    scope: Scope,
    *,
    setup: Setup,
    common: Common,
    name: str,
    abort_on_error: bool,
    since: float | None = None,
    say: Say | None = None,
    looking: Looking | None = None,
) -> Tally:
    """Run these entries of a configuration and return what it came to; `name` is the entry's, empty for all of them."""
    tally, cut = Tally(), True
    began = common.clock.monotonic()
    run = Run(
        engine,
        entries,
        scope=scope,
        abort_on_error=abort_on_error,
        tell=common.tell,
        since=since,
        sharing=setup.sharing,
        workers=setup.config.defaults.parallel if abort_on_error else MOST,
        say=say,
        looking=looking,
    )
    with common.tell.run(tally, entry=name):
        common.tell(RunStarted(name, scope))
        try:
            await run.run()
            cut = False
        finally:
            common.tell(tally.finished(name, seconds=common.clock.monotonic() - began, cut=cut))
    return tally
