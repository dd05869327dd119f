"""What surrounds a run: the log, the event loop, signals, and the exit code it all comes to."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from regsync.app import App
from regsync.around import Around, on_loop, threshold_of
from regsync.clock import SystemClock
from regsync.config.dump import dump_config
from regsync.config.load import Loaded
from regsync.errors import ConfigError, RegsyncError
from regsync.events import JobFinished, RequestRetried
from regsync.facts import Observer, Telling
from regsync.loading import Source, keep_other_secrets, keep_proxy_secrets, keep_secrets
from regsync.observe.ending import failure_lines
from regsync.observe.levels import ERROR, INFO
from regsync.observe.screen import Screen, told_otherwise
from regsync.observe.systemd import Systemd
from regsync.options import DRIFT, FAILED, FINE, INTERRUPTED, USAGE, Manner, Options, Serving, Wishes
from regsync.program import reap_orphans
from regsync.record.tally import Tally
from regsync.reports.files import Reports
from regsync.service import Service
from regsync.setup import Common
from regsync.shielding import shield
from regsync.signals import HangUps, cancel_by_signal, reap_by_signal, stop_by_signal
from regsync.sync.survey import Looking

_USUAL: Final = "regsync.yml"
_OF_THE_OTHER: Final = "; listed above is what regclient's regsync, for which such files are written too, makes of it"


def run_once(options: Options, manner: Manner) -> int:
    """Run every entry once in this manner and return the exit code."""
    around = Around(options)
    reports = Reports(manner.reports, around.secrets, compares=manner.compares, shown=manner.shown)
    looking = Looking(manner.missing) if manner.compares else None
    screen = around.screen(progress=manner.progress)

    async def run(app: App, left_out: int) -> int:
        cancel_by_signal(partial(around.leave, INTERRUPTED))
        work = app.once(manner.scope, abort_on_error=manner.abort_on_error, looking=looking)
        tally = await _shown(work, around, screen, summed=manner.shown == "nothing")
        if tally.failures or _say_left_out(around, left_out):
            return FAILED
        return DRIFT if manner.drift_fails and tally.needed else FINE

    def work() -> int:
        threshold = threshold_of(options)
        but = told_otherwise(manner, threshold, terminal=screen is not None)
        log = around.log(threshold, but, screen.line(threshold) if screen else None)
        try:
            return _with_app(options, around, run, [log, *reports.observers(), *(screen.observers() if screen else ())])
        finally:  # also of a run that is interrupted
            around.output.flush()  # before what is on the same terminal, maybe
            reports.write()

    return _ending(around, work)


async def _shown(work: Awaitable[Tally], around: Around, screen: Screen | None, *, summed: bool) -> Tally:
    """Do this while people are shown how far it is, and say what it came to: to them in words, be it interrupted.

    Without `summed` only what failed: the rest is printed.
    """
    if screen is None:
        tally = await work
        for line in failure_lines(tally.failures):
            around.say(line)
        return tally
    try:
        async with screen.drawn(SystemClock()):
            return await work
    finally:
        for line in screen.ending(summed=summed):
            around.say(line)


def run_server(options: Options, serving: Serving) -> int:
    """Run the daemon until it is stopped and return the exit code."""
    around = Around(options)
    hang_ups, systemd = HangUps(), Systemd(os.environ, SystemClock())

    async def run(app: App, _left_out: int) -> int:
        def meet(service: Service) -> None:
            reap_by_signal(reap_orphans)
            stop_by_signal(service.stop, service.stop_now, partial(around.leave, FAILED), grace=serving.grace)
            hang_ups.lead_to(service.reload_soon)

        living = asyncio.create_task(systemd.live(), name="watchdog")
        try:
            served = await app.serve(serving, meet=meet, dropped=lambda: around.output.dropped)
        finally:
            living.cancel()
        return FAILED if served.cut or served.aborted else FINE

    return _ending(around, lambda: _with_app(options, around, run, [around.log(threshold_of(options)), systemd]))


def print_config(options: Options, *, show_secrets: bool, only_check: bool) -> int:
    """Print the configuration as it is understood, or only whether it is fine and what another regsync makes of it."""
    around = Around(options)
    shown: list[str] = []
    traps: list[str] | None = [] if only_check else None

    def work() -> int:
        loaded = _only_loaded(options, around, traps)
        if not only_check:
            shown.append(
                dump_config(loaded.config, show_secrets=show_secrets, made=loaded.made, clean=around.secrets.clean)
            )
        return FAILED if _say_left_out(around, loaded.left_out) else FINE

    code = _ending(around, work)
    shown += [around.secrets.clean(f"{line}\n") for line in traps or ()]
    sys.stdout.writelines(shown)
    if only_check and code == FINE and sys.stderr.isatty():  # what speaks of another program may look like complaints
        sys.stdout.flush()
        around.say(f"{options.config} is fine{_OF_THE_OTHER if traps else ''}")
        around.output.flush()
    return code


def print_status(options: Options, *, as_json: bool, url: str) -> int:
    """Print how fresh each entry is, and return 1 if one of them is overdue; a `url` is asked and needs no file."""
    from regsync.status import status_at, status_document, status_of, status_table  # noqa: PLC0415  # its own library

    around = Around(options)
    shown: list[str] = []

    def work() -> int:
        threshold_of(options)
        loaded = _only_loaded(options, around) if options.config or not url else None
        now, clean = SystemClock().now(), around.secrets.clean
        found = status_at(url) if loaded is None or url else status_of(loaded, now=now, say=around.say)
        shown.append(status_document(found, clean) if as_json else clean(status_table(found, now=now)))
        overdue = any(one.overdue for one in found)
        return FAILED if _say_left_out(around, loaded.left_out if loaded else 0) or overdue else FINE

    code = _ending(around, work)
    sys.stdout.writelines(shown)
    return code


def check_health(pid: int, understood: Callable[[list[str]], tuple[Options, Mapping[str, Any]] | None]) -> int:
    """Return 1 if this process is a server that is to answer HTTP and does not; its command line is `understood`."""
    from regsync.checkup import arguments_of, is_well  # noqa: PLC0415

    found = understood(arguments_of(pid))
    if found is None:
        return FINE  # a run ends by itself, and its container with it
    options, given = found
    around = Around(options)

    def work() -> int:
        if options.config in {"", "-"} or is_well(_source(options), given["listen"] or ""):
            return FINE
        around.say("the server does not answer at /healthz")
        return FAILED

    return _ending(around, work)


def write_config(wishes: Wishes, options: Options) -> int:
    """Ask for what is not wished for yet, look at both ends, and write a configuration."""
    from regsync.init.command import Begin  # noqa: PLC0415

    around = Around(options)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # what was begun to be written is removed

    def say(line: str) -> None:
        around.say(line)
        around.output.flush()

    def work() -> int:
        if options.config:
            raise ConfigError(["init reads no configuration; name the file to write with -o FILE"])
        clock, threshold = SystemClock(), threshold_of(options)
        log = around.log(threshold, (RequestRetried,) if threshold >= INFO else ())  # what came of it is said
        common = Common(clock, Telling([log], clock), os.environ, around.secrets)
        keep_proxy_secrets(os.environ, around.secrets)
        run = partial(on_loop, tell=common.tell)
        Begin(wishes, common, run=run, say=say, terminal=sys.stdin.isatty() and sys.stderr.isatty())()
        return FINE

    return _ending(around, work)


def _only_loaded(options: Options, around: Around, traps: list[str] | None = None) -> Loaded:
    """Load the configuration for somebody who runs nothing; what is odd about it is said."""
    threshold_of(options)
    loaded = _source(options).load(around.secrets.keep, traps)
    keep_secrets(loaded.config.creds, around.secrets)
    keep_other_secrets(loaded.config, around.secrets)
    for warning in loaded.warnings:
        around.say(warning)
    return loaded


def _say_left_out(around: Around, count: int) -> bool:
    """Say how many entries were left out, and whether any was."""
    if count:
        around.say(f"entries left out: {count}; each is in a warning that says why")
    return bool(count)


def _with_app(
    options: Options,
    around: Around,
    run: Callable[[App, int], Awaitable[int]],
    observers: Sequence[Observer],
) -> int:
    """Load the configuration, build the program around it and run it on an event loop of its own."""
    clock = SystemClock()
    tell = Telling(observers, clock)
    source = _source(options)
    loaded = source.load(around.secrets.keep)

    async def whole() -> int:
        app = App(loaded, clock=clock, tell=tell, environ=os.environ, secrets=around.secrets, source=source)
        return await run(app, loaded.left_out)

    return on_loop(whole(), tell)


def _ending(around: Around, work: Callable[[], int]) -> int:
    """Do this and return its exit code; what ended it early, be it a bug of ours, is said on one line."""
    shield()
    try:
        return work()
    except ConfigError as error:
        for problem in error.problems:
            around.say(problem)
        return USAGE
    except RegsyncError as error:
        around.say(str(error))
        return FAILED
    except asyncio.CancelledError:
        around.say("interrupted; what was copied is complete, the rest is as it was")
        return INTERRUPTED
    except Exception as bug:  # noqa: BLE001 - nobody is above us, and a traceback may show what is secret
        Telling([around.log(ERROR)], SystemClock())(JobFinished("", 1, bug))
        return FAILED
    finally:
        around.output.flush()


def _named_how() -> str:
    if Path(_USUAL).is_file():
        return f"there is a {_USUAL} here, which -c {_USUAL} takes"
    return "name a file with -c FILE, or - for standard input; `regsync init` writes a first one"


def _source(options: Options) -> Source:
    if not options.config:
        raise ConfigError([f'required flag "config" not set: {_named_how()}'])
    return Source(
        options.config,
        allow_unknown_keys=options.allow_unknown_keys,
        skip_invalid_entries=options.skip_invalid_entries,
    )
