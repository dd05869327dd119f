"""The SQLite file runs are kept in: opened, locked against another daemon, set aside when it is damaged.

A file that cannot be read is never a reason not to mirror: it gets another name and a new one is begun. One that a
newer regsync made is left alone, since whoever goes back for a day wants to come forward again.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final

from regsync.errors import ConfigError
from regsync.record.rows import TABLES, VERSION

_BUSY: Final = 5.0  # seconds; nobody but a reader is ever in the way
_SIDES: Final = ("", "-wal", "-shm")
DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


class State:
    """An open state file. `path` empty: kept in memory and gone with the process."""

    def __init__(self, path: str, *, now: datetime, warn: Callable[[str], object]) -> None:
        """Open the file; `ConfigError` if it cannot be written, is another daemon's or a newer regsync's."""
        self._path = path
        self._warn = warn
        self._lock = _locked(path) if path else None
        try:
            self.connection = _opened(path)
        except sqlite3.Error as error:
            self.begin_anew(error, now=now)

    def begin_anew(self, error: sqlite3.Error, *, now: datetime) -> None:
        """Set the damaged file aside and begin another one; `ConfigError` where that cannot be."""
        if not self._path or not is_damage(error):
            raise _unusable(self._path, error) from error
        aside = f"{self._path}.damaged-{now:%Y%m%dT%H%M%S}"
        try:
            for side in _SIDES:
                if os.path.lexists(self._path + side):
                    Path(self._path + side).rename(aside + side)
            self.connection = _opened(self._path)
        except (OSError, sqlite3.Error) as trouble:
            raise _unusable(self._path, trouble) from trouble
        self._warn(f"the state file {self._path} is damaged ({error}): set aside as {aside}, history begins anew")

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def is_damage(error: sqlite3.Error) -> bool:
    """Say whether an error is about what the file holds, and not about the disk it is on."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


def read_only(path: str) -> sqlite3.Connection:
    """Open a state file that somebody else may be writing; `ConfigError` if it is none."""
    try:
        connection = sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, timeout=_BUSY)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("SELECT 1 FROM runs LIMIT 1")
    except sqlite3.Error as error:
        raise ConfigError([f"{path}: cannot be read as the state of a regsync: {error}"]) from error
    _check(version, path)
    return connection


def _check(version: int, path: str) -> None:
    if version > VERSION:
        raise ConfigError([f"{path} is the state of a newer regsync and is left alone; name another file"])


def _opened(path: str) -> sqlite3.Connection:
    with ExitStack() as until_it_is_open:
        connection = sqlite3.connect(path or ":memory:", timeout=_BUSY, isolation_level=None, check_same_thread=False)
        until_it_is_open.callback(connection.close)
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        _check(version, path)
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.executescript(TABLES)
        until_it_is_open.pop_all()
        return connection


def _locked(path: str) -> int:
    """Return the open lock beside the state file, which the process holds to its end."""
    try:
        descriptor = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _unusable(path, error) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        other = f"defaults.state: {path} belongs to a regsync server that runs; give each a file of its own"
        raise ConfigError([other]) from error
    return descriptor


def _unusable(path: str, error: Exception) -> ConfigError:
    why = error.strerror if isinstance(error, OSError) else str(error)
    remedy = f"name a file in a directory that user {os.geteuid()} can write to"
    return ConfigError([f"defaults.state: {path} cannot be used ({why}); {remedy}"])
