"""The file a configuration is written to: all of it or nothing, and never over another one unasked."""

from __future__ import annotations

import errno
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from regsync.errors import ConfigError

_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


def check_place(path: str, *, force: bool) -> None:
    """Raise `ConfigError` where this file cannot be written, before anybody is asked anything."""
    if path == "-":
        return
    if not force and os.path.lexists(path):
        raise ConfigError([_taken(path)])
    folder = Path(path).parent
    if not (folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)):
        raise ConfigError([f"{path}: cannot be written; {'no permission' if folder.is_dir() else 'no such folder'}"])


def write(path: str, text: str, *, force: bool) -> None:
    """Write the file, or standard output for `-`."""
    if path == "-":
        sys.stdout.write(text)
        return
    target = Path(os.path.realpath(path) if force else path)
    passing = target.with_name(f".{target.name}.{secrets.token_hex(6)}")
    try:
        with passing.open("x", encoding="utf-8") as file:
            file.write(text)
        _put(passing, target, force=force)
    except FileExistsError as error:
        raise ConfigError([_taken(path)]) from error
    except OSError as error:
        raise ConfigError([f"{path}: cannot be written: {error.strerror or error}"]) from error
    finally:
        passing.unlink(missing_ok=True)


def _put(passing: Path, target: Path, *, force: bool) -> None:
    """Give a whole file its name; a link, unlike a renaming, replaces nothing."""
    if not force:
        try:
            target.hardlink_to(passing)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if os.path.lexists(target):
                raise FileExistsError from error
        else:
            return
    passing.replace(target)


def _taken(path: str) -> str:
    return f"{path} exists and is left as it is; name another file with -o, or say --force to replace it"
