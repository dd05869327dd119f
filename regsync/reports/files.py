"""The files a run is described in, written when it has ended, be it by a signal."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from regsync.errors import ConfigError, StorageError
from regsync.facts import Observer
from regsync.record.recorder import Recorder
from regsync.record.values import RunRecord, cleaned
from regsync.reports import report
from regsync.secrets import Secrets

_ALL = sys.maxsize


class Reports:
    """Reports to be written to these paths; `-` is standard output. What is secret is left out of them."""

    def __init__(self, paths: Sequence[str], secrets: Secrets) -> None:
        self._paths = paths
        self._secrets = secrets
        self._ended: list[RunRecord] = []

    def observers(self) -> list[Observer]:
        """Return what has to be told of the run, having made sure that all files can be written: `ConfigError`."""
        for path in self._paths:
            try:
                if path != "-":
                    open(path, "a", encoding="utf-8").close()  # noqa: PTH123  # as typed
            except (OSError, ValueError) as error:
                raise ConfigError([_unwritable(path, error)]) from error
        return [Recorder(self._ended.append, most_unchanged=_ALL)] if self._paths else []

    def write(self) -> None:
        """Write what was told; `StorageError` if that fails after all."""
        for run in self._ended:
            for path in self._paths:
                _write(path, report(cleaned(run, self._secrets.clean), path))


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
    return f"--report {path}: cannot be written: {getattr(error, 'strerror', None) or error}"
