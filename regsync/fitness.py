"""Whether entries find what they need on this machine: a directory that takes their layout, the programs of hooks.

It is looked at before anybody is asked anything. An entry that lacks something fails when its turn comes, and the
others go on without it; where all of them lack something there is nothing to begin.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Final

from regsync.errors import ConfigError, Malformed
from regsync.hooks.hook import Exec, Hooks
from regsync.oci.reference import parse_reference
from regsync.sync.entry import SyncEntry

Look = Callable[[str], str]  # at a directory or a program: what is wrong with it, "" for nothing

_LAYOUT: Final = "ocidir://"


def lacks(entries: Collection[SyncEntry], environ: Mapping[str, str]) -> list[str]:
    """Return a line for each thing that entries lack; a `ConfigError` of these lines if none has all it needs."""
    unwritable, unrunnable = cache(_unwritable), cache(lambda program: _unrunnable(program, environ))
    lacking = [[*_lacking(entry, unwritable, unrunnable)] for entry in entries]
    lines = [*dict.fromkeys(line for lines in lacking for line in lines)]
    if lines and all(lacking):
        raise ConfigError(lines)
    return lines


def _lacking(entry: SyncEntry, unwritable: Look, unrunnable: Look) -> Iterator[str]:
    looks = [unwritable(path) for path in _layouts(entry)]
    looks += [unrunnable(program) for program in _programs(entry.hooks)]
    yield from filter(None, looks)


def _layouts(entry: SyncEntry) -> Iterator[str]:
    """Yield the directory an entry writes to, if it is one; a bad name is told when its turn comes."""
    if not entry.target.startswith(_LAYOUT):
        return
    if entry.kind == "registry":  # a prefix
        yield entry.target.removeprefix(_LAYOUT)
    else:
        with suppress(Malformed):
            yield parse_reference(entry.target).name.removeprefix(_LAYOUT)


def _programs(hooks: Hooks | None) -> Iterator[str]:
    said = [getattr(hooks, name) for name in Hooks.__slots__] if hooks else []
    yield from (hook.arguments[0] for hook in said if isinstance(hook, Exec))


def _unwritable(path: str) -> str:
    """Say why no layout can be made here; what is odd in other ways is the layout's to tell.

    Where something lies already it is not said: all that is wanted may be there, or be somebody else's one level down.
    """
    target = Path(os.path.realpath(path))
    folder = next(one for one in (target, *target.parents) if os.path.exists(one))  # noqa: PTH110  # no right to look
    if not folder.is_dir() or _may_write(folder) or (folder == target and _holds_something(folder)):
        return ""
    place = f"{folder}, where layouts are to be written, is"
    if os.statvfs(folder).f_flag & os.ST_RDONLY:
        return f"{place} on a read-only file system: mount a volume there that can be written to"
    user = os.geteuid()
    return f"{place} not writable for user {user}: give it to that user (chown {user}), or run as its owner"


def _may_write(folder: Path) -> bool:
    """Say whether files can be made here, by the user or by capabilities; some containers forbid to ask that."""
    wanted = os.W_OK | os.X_OK
    return os.access(folder, wanted) or os.access(folder, wanted, effective_ids=os.access in os.supports_effective_ids)


def _holds_something(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False


def _unrunnable(program: str, environ: Mapping[str, str]) -> str:
    if shutil.which(program, path=environ.get("PATH")):
        return ""
    why = f"cannot be run by user {os.geteuid()}" if os.path.exists(program) else "is not there"  # noqa: PTH110  # as typed
    return f"the program {program} of a hook {why}: mount one that can be run, or change the hook"
