"""What can be said on the command line, and what the program says back: values that cost nothing to import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

FINE: Final = 0
FAILED: Final = 1  # some image failed
USAGE: Final = 2  # configuration or command line
DRIFT: Final = 3  # `check --exit-code` or `diff` found something to copy
INTERRUPTED: Final = 130

Shown = Literal["nothing", "table", "json"]


@dataclass(frozen=True, slots=True)
class Manner:
    """How everything is run once: what for, and what is said of it.

    `scope` is what is copied: what `changed`, only what is `missing`, or nothing (`check`). `drift_fails`: something to
    copy is an exit code of its own. `reports` are files the run is described in; `-` is standard output.
    `progress`: on a terminal, how far it is is shown meanwhile. `compares`: a check says what would change, of what is
    `missing` only; `shown` is what of that is printed.
    """

    scope: Literal["changed", "missing", "check"]
    abort_on_error: bool = False
    drift_fails: bool = False
    reports: tuple[str, ...] = ()
    progress: bool = True
    compares: bool = False
    missing: bool = False
    shown: Shown = "nothing"


@dataclass(frozen=True, slots=True)
class Serving:
    """How the daemon runs.

    `grace` is how many seconds what is under way has to end when it is stopped. `watch`: its files are looked at and
    read again when they have changed. `listen` is where it answers HTTP, if not where the configuration says.
    """

    grace: float
    abort_on_error: bool = False
    watch: bool = False
    listen: str = ""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What `init` was told; what is empty is asked for on a terminal.

    `tags` and `repositories` are patterns, ranges or words for a choice, `every` a duration, a cron line or `never`.
    `offline`: neither end is looked at. `output` is the file to write, `-` standard output; with `force` it may exist.
    """

    source: str = ""
    target: str = ""
    tags: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()
    every: str = ""
    offline: bool = False
    output: str = "regsync.yml"
    force: bool = False


@dataclass(slots=True)
class Options:
    """What can be said before or after the command."""

    config: str = ""
    verbosity: str = "info"
    log_options: tuple[str, ...] = ()
    allow_unknown_keys: bool = False
    skip_invalid_entries: bool = False

    def add(self, given: Mapping[str, Any]) -> None:
        """Take over what was said at one of the two places; the later word counts."""
        self.config = given["config"] or self.config
        self.verbosity = given["verbosity"] or self.verbosity
        self.log_options += given["logopt"]
        self.allow_unknown_keys = self.allow_unknown_keys or bool(given["allow_unknown_keys"])
        self.skip_invalid_entries = self.skip_invalid_entries or bool(given["skip_invalid_entries"])
