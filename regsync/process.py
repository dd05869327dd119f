"""What surrounds a run: the log, the event loop, signals, and the exit code it all comes to."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from regsync.app import App
from regsync.clock import SystemClock
from regsync.config.dump import dump_config
from regsync.config.load import Loaded
from regsync.errors import ConfigError, Malformed, RegsyncError
from regsync.events import Event, JobFinished
from regsync.facts import Observer, Telling
from regsync.loading import Source, keep_secrets, keep_url_secrets
from regsync.observe.ending import failure_lines
from regsync.observe.levels import ERROR, parse_verbosity
from regsync.observe.lines import LONGEST
from regsync.observe.logs import Log
from regsync.observe.output import Output
from regsync.observe.screen import Screen, told_otherwise
from regsync.observe.systemd import Systemd
from regsync.options import DRIFT, FAILED, FINE, INTERRUPTED, USAGE, Manner, Options, Serving
from regsync.program import reap_orphans
from regsync.record.tally import Tally
from regsync.reports.files import Reports
from regsync.secrets import Secrets
from regsync.service import Service
from regsync.signals import HangUps, cancel_by_signal, reap_by_signal, stop_by_signal
from regsync.sync.survey import Looking

_LOOKED_AT = 1 << 16  # characters of a line that are looked at to cut it
_LAST_WORDS = 0.2  # seconds without a reader, when told to end at once


class _Around:
    """Standard error, and what must not appear on it."""

    def __init__(self, options: Options) -> None:
        self.secrets = Secrets()
        self.output = Output(sys.stderr.fileno())
        self._as_json = options.log_options[-1:] == ("json",)

    def screen(self, *, progress: bool) -> Screen | None:
        """Return the terminal, if there is one and it is for people."""
        if self._as_json or not sys.stderr.isatty():
            return None
        return Screen(self.output, sys.stderr.fileno(), environ=os.environ, secrets=self.secrets, progress=progress)

    def log(self, threshold: int, but: tuple[type[Event], ...] = ()) -> Log:
        """Return the log that says what is as bad as that, or worse, and of no such kind."""
        return Log(self.output, threshold=threshold, as_json=self._as_json, secrets=self.secrets, but=but)

    def say(self, text: str) -> None:
        """Say something that is no line of the log, behind all that is."""
        for line in text.splitlines():
            self.output.say(self.secrets.clean(line[:_LOOKED_AT])[:LONGEST])

    def leave(self, code: int) -> None:
        """End the process now, whatever its threads do; what was said before is written if somebody reads."""
        self.output.show("")
        self.output.flush(idle=_LAST_WORDS)
        os._exit(code)


def run_once(options: Options, manner: Manner) -> int:
    """Run every entry once in this manner and return the exit code."""
    around = _Around(options)
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
        observers = reports.observers() + (screen.observers() if screen else [])
        but = told_otherwise(manner, _threshold(options), terminal=screen is not None)
        try:
            return _with_app(options, around, run, observers, but)
        finally:  # also of a run that is interrupted
            around.output.flush()  # before what is on the same terminal, maybe
            reports.write()

    return _ending(around, work)


async def _shown(work: Awaitable[Tally], around: _Around, screen: Screen | None, *, summed: bool) -> Tally:
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
    around = _Around(options)
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

    return _ending(around, lambda: _with_app(options, around, run, [systemd]))


def print_config(options: Options, *, show_secrets: bool, only_check: bool) -> int:
    """Print the configuration as it is understood, or only whether it is fine and what another regsync makes of it."""
    around = _Around(options)
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
    return code


def print_status(options: Options, *, as_json: bool) -> int:
    """Print how fresh each entry is, and return 1 if one of them is overdue."""
    from regsync.status import status_document, status_of, status_table  # noqa: PLC0415  # a library of its own

    around = _Around(options)
    shown: list[str] = []

    def work() -> int:
        loaded = _only_loaded(options, around)
        now, clean = SystemClock().now(), around.secrets.clean
        found = status_of(loaded, now=now)
        shown.append(status_document(found, clean) if as_json else clean(status_table(found, now=now)))
        overdue = any(one.overdue for one in found)
        return FAILED if _say_left_out(around, loaded.left_out) or overdue else FINE

    code = _ending(around, work)
    sys.stdout.writelines(shown)
    return code


def _only_loaded(options: Options, around: _Around, traps: list[str] | None = None) -> Loaded:
    """Load the configuration for somebody who runs nothing; what is odd about it is said."""
    _threshold(options)
    loaded = _source(options).load(around.secrets.keep, traps)
    keep_secrets(loaded.config.creds, around.secrets)
    keep_url_secrets(loaded.config, around.secrets)
    for warning in loaded.warnings:
        around.say(warning)
    return loaded


def _say_left_out(around: _Around, count: int) -> bool:
    """Say how many entries were left out, and whether any was."""
    if count:
        around.say(f"entries left out: {count}; each is in a warning that says why")
    return bool(count)


def _with_app(
    options: Options,
    around: _Around,
    run: Callable[[App, int], Awaitable[int]],
    observers: Sequence[Observer],
    but: tuple[type[Event], ...] = (),
) -> int:
    """Load the configuration, build the program around it and run it on an event loop of its own."""
    clock = SystemClock()
    tell = Telling([around.log(_threshold(options), but), *observers], clock)
    source = _source(options)
    loaded = source.load(around.secrets.keep)

    async def whole() -> int:
        app = App(loaded, clock=clock, tell=tell, environ=os.environ, secrets=around.secrets, source=source)
        return await run(app, loaded.left_out)

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(whole())


def _ending(around: _Around, work: Callable[[], int]) -> int:
    """Do this and return its exit code; what ended it early, be it a bug of ours, is said on one line."""
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


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop, which moves bytes at less cost, where it exists; else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _threshold(options: Options) -> int:
    """Return how bad what is logged must be; `ConfigError` for an option of the log that is not known."""
    unknown = [option for option in options.log_options if option not in {"json", "text"}]
    try:
        threshold = parse_verbosity(options.verbosity)
    except Malformed as error:
        raise ConfigError([str(error)]) from error
    if unknown:
        raise ConfigError([f"unknown log option {unknown[0]}: expected json or text"])
    return threshold


def _source(options: Options) -> Source:
    if not options.config:
        raise ConfigError(['required flag "config" not set: name a file with -c FILE, or - for standard input'])
    return Source(
        options.config,
        allow_unknown_keys=options.allow_unknown_keys,
        skip_invalid_entries=options.skip_invalid_entries,
    )
