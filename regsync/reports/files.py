"""The files a run is described in, written when it has ended, be it by a signal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from regsync.errors import ConfigError, StorageError
from regsync.facts import Observer
from regsync.options import Shown
from regsync.record.differences import Comparison
from regsync.record.recorder import Recorder
from regsync.record.values import RunRecord, cleaned
from regsync.reports import document, report
from regsync.reports.table import table
from regsync.secrets import Secrets

_ALL = sys.maxsize


class Reports:
    """Reports to be written to these paths; `-` is standard output. What is secret is left out of them.

    `compares`: they say what would change. `shown` is what of that standard output gets, unless a report goes there.
    """

    def __init__(
        self, paths: Sequence[str], secrets: Secrets, *, compares: bool = False, shown: Shown = "nothing"
    ) -> None:
        self._paths = paths
        self._secrets = secrets
        self._shown: Shown = "nothing" if "-" in paths else shown
        self._comparison = Comparison() if compares else None
        self._most_unchanged = _ALL if shown == "nothing" else 0
        self._ended: list[RunRecord] = []

    def observers(self) -> list[Observer]:
        """Return what has to be told of the run, having made sure that all files can be written: `ConfigError`."""
        for path in self._paths:
            try:
                if path != "-":
                    open(path, "a", encoding="utf-8").close()  # noqa: PTH123  # as typed
            except (OSError, ValueError) as error:
                raise ConfigError([_unwritable(path, error)]) from error
        if not self._paths and self._shown == "nothing":
            return []
        recorder = Recorder(self._ended.append, most_unchanged=self._most_unchanged)
        return [recorder, self._comparison] if self._comparison is not None else [recorder]

    def write(self) -> None:
        """Write what was told; `StorageError` if that fails after all."""
        found = None if self._comparison is None else self._comparison.found().cleaned(self._secrets.clean)
        for run in self._ended:
            clean = cleaned(run, self._secrets.clean)
            for path in self._paths:
                _write(path, report(clean, path, found))
            if self._shown == "json":
                _write("-", document(clean, found))
            elif self._shown == "table" and found is not None:
                colours = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
                _write("-", table(clean, found, colours=colours))


def _write(path: str, text: str) -> None:
    if path == "-":
        sys.stdout.write(text)
        return
    try:
        with open(path, "w", encoding="utf-8", errors="backslashreplace") as file:  # noqa: PTH123
            file.write(text)
    except OSError as error:
        raise StorageError(_unwritable(path, error)) from error


def _unwritable(path: str, error: Exception) -> str:
    why = getattr(error, "strerror", None) or error
    return f"--report {path}: cannot be written: {why}; name a file that user {os.geteuid()} can write"
