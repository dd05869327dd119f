"""What a process has around its work: standard error and what must not appear on it, the log, an event loop."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from regsync.errors import ConfigError, Malformed
from regsync.events import Complained, Event, Tell
from regsync.observe.levels import parse_verbosity
from regsync.observe.lines import LONGEST, Line, json_line, text_line
from regsync.observe.logs import Log
from regsync.observe.output import Output
from regsync.observe.screen import Screen
from regsync.options import Options
from regsync.secrets import Secrets

T = TypeVar("T")
_LOOKED_AT = 1 << 16  # characters of a line that are looked at to cut it
_LAST_WORDS = 0.2  # seconds without a reader, when told to end at once


class Around:
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

    def log(self, threshold: int, but: tuple[type[Event], ...] = (), written: Line | None = None) -> Log:
        """Return the log that says what is as bad as that, or worse, and of no such kind."""
        written = written or (json_line if self._as_json else text_line)
        return Log(self.output, threshold=threshold, secrets=self.secrets, written=written, but=but)

    def say(self, text: str) -> None:
        """Say something that is no line of the log, behind all that is."""
        for line in text.splitlines():
            self.output.say(self.secrets.clean(line[:_LOOKED_AT])[:LONGEST])

    def leave(self, code: int) -> None:
        """End the process now, whatever its threads do; what was said before is written if somebody reads."""
        self.output.show("")
        self.output.flush(idle=_LAST_WORDS)
        os._exit(code)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's event loop, which moves bytes at less cost, where it exists; else None for Python's own."""
    try:
        import uvloop  # noqa: PLC0415  # not there on every platform
    except ImportError:
        return None
    return uvloop.new_event_loop


def on_loop(main: Coroutine[Any, Any, T], tell: Tell) -> T:
    """Run this on an event loop of its own; what that complains of is told, where asyncio would print tracebacks."""

    def complain(_: asyncio.AbstractEventLoop, about: dict[str, Any]) -> None:
        task = about.get("task") or about.get("future")
        name = task.get_name() if isinstance(task, asyncio.Task) else ""
        tell(Complained(about["message"], name, about.get("exception")))

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.get_loop().set_exception_handler(complain)
        return runner.run(main)


def threshold_of(options: Options) -> int:
    """Return how bad what is logged must be; `ConfigError` for an option of the log that is not known."""
    unknown = [option for option in options.log_options if option not in {"json", "text"}]
    try:
        threshold = parse_verbosity(options.verbosity)
    except Malformed as error:
        raise ConfigError([str(error)]) from error
    if unknown:
        raise ConfigError([f"unknown log option {unknown[0]}: expected json or text"])
    return threshold
