"""What surrounds a run: the log, the event loop, signals, and the exit code it all comes to."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from regsync.app import App, load
from regsync.clock import SystemClock
from regsync.config.dump import dump_config
from regsync.errors import ConfigError, Malformed, RegsyncError
from regsync.facts import Telling
from regsync.observe.logs import Log, parse_verbosity
from regsync.observe.report import failure_lines, table
from regsync.options import DRIFT, FAILED, FINE, INTERRUPTED, USAGE, Options
from regsync.sync.entry import Scope

_GARBAGE = 10_000  # objects made and not dropped between two looks for garbage; little of ours is in circles


def run_once(options: Options, *, scope: Scope, abort_on_error: bool, drift_fails: bool) -> int:
    """Run every entry once in this scope and return the exit code."""

    async def run(app: App) -> int:
        _cancel_by_signal()
        tally = await app.once(scope, abort_on_error=abort_on_error)
        if sys.stderr.isatty():
            sys.stderr.write(table(tally))
        for line in failure_lines(tally.failures):
            sys.stderr.write(f"{line}\n")
        if tally.failures:
            return FAILED
        return DRIFT if drift_fails and tally.needed else FINE

    return _with_app(options, run)


def run_server(options: Options, *, grace: float, abort_on_error: bool) -> int:
    """Run the daemon until it is stopped and return the exit code; `grace` is in seconds."""

    async def run(app: App) -> int:
        served = await app.serve(grace=grace, abort_on_error=abort_on_error, stoppable=_stop_by_signal)
        return FAILED if served.failed else FINE

    return _with_app(options, run)


def print_config(options: Options, *, show_secrets: bool, only_check: bool) -> int:
    """Print the configuration as it is understood, or only whether it is fine."""
    try:
        _threshold(options)
        loaded = load(_config_file(options), allow_unknown_keys=options.allow_unknown_keys)
    except ConfigError as error:
        return _refuse(error)
    for warning in loaded.warnings:
        sys.stderr.write(f"{warning}\n")
    if not only_check:
        sys.stdout.write(dump_config(loaded.config, show_secrets=show_secrets))
    return FINE


def _with_app(options: Options, run: Callable[[App], Awaitable[int]]) -> int:
    """Load the configuration, build the program around it and run it on an event loop of its own."""

    async def whole() -> int:
        return await run(App(loaded, clock=clock, tell=Telling([log], clock), environ=os.environ))

    clock = SystemClock()
    try:
        log = _log(options)
        loaded = load(_config_file(options), allow_unknown_keys=options.allow_unknown_keys)
        _look_for_garbage()
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(whole())
    except ConfigError as error:
        return _refuse(error)
    except RegsyncError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    except asyncio.CancelledError:
        sys.stderr.write("interrupted; what was copied is complete, the rest is as it was\n")
        return INTERRUPTED


def _look_for_garbage() -> None:
    """Switch on again what `cli` switched off: what was made so far stays to the end and is never looked at."""
    gc.freeze()
    gc.set_threshold(_GARBAGE, *gc.get_threshold()[1:])
    gc.enable()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop, which moves bytes at less cost, where it exists; else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def _log(options: Options) -> Log:
    return Log(sys.stderr, threshold=_threshold(options), as_json="json" in options.log_options)


def _threshold(options: Options) -> int:
    """Return how bad what is logged must be; `ConfigError` for an option of the log that is not known."""
    unknown = [option for option in options.log_options if option != "json"]
    try:
        threshold = parse_verbosity(options.verbosity)
    except Malformed as error:
        raise ConfigError([str(error)]) from error
    if unknown:
        raise ConfigError([f"unknown log option {unknown[0]}: expected json"])
    return threshold


def _config_file(options: Options) -> str:
    if not options.config:
        raise ConfigError(['required flag "config" not set: name a file with -c FILE, or - for standard input'])
    return options.config


def _refuse(error: ConfigError) -> int:
    for problem in error.problems:
        sys.stderr.write(f"{problem}\n")
    return USAGE


def _cancel_by_signal() -> None:
    """Cancel the running task at the first signal, and leave at once at the second."""
    task = asyncio.current_task()
    if task is not None:
        _stop_by_signal(task.cancel, lambda: os._exit(INTERRUPTED))


def _stop_by_signal(drain: Callable[[], object], stop_now: Callable[[], object]) -> None:
    """Call `drain` at the first SIGINT or SIGTERM and `stop_now` at every further one."""
    loop = asyncio.get_running_loop()
    stops = iter([drain])

    def stop() -> None:
        next(stops, stop_now)()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
