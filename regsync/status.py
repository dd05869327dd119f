"""How fresh each entry is, as a state file tells it: for people and programs, whether or not a server runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from regsync.config.load import Loaded
from regsync.config.model import Config, SyncStep
from regsync.daemon.overdue import is_overdue
from regsync.errors import ConfigError
from regsync.record.objects import past_object
from regsync.record.queries import Past, known_since, pasts_of
from regsync.record.state import read_only
from regsync.record.words import human_seconds
from regsync.text import plain
from regsync.translate import schedules_of, steps_of

_HEAD: Final = ("entry", "last run", "succeeded", "equal", "")
_NO_STATE: Final = "status: nothing is kept; name a file under defaults.state, where the server keeps its runs"


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is known of an entry; `overdue`: three due times have passed since it was equal, or was first visited."""

    step: SyncStep
    past: Past
    overdue: bool


def status_of(loaded: Loaded, *, now: datetime) -> list[Fresh]:
    """Return what the state file of a configuration knows of its entries; `ConfigError` if it cannot be read."""
    config, path = loaded.config, loaded.config.defaults.state
    if not path:
        raise ConfigError([_NO_STATE])
    with closing(read_only(path)) as connection:
        try:
            return _found(config, connection, now)
        except sqlite3.Error as error:
            raise ConfigError([f"{path}: cannot be read as the state of a regsync: {error}"]) from error


def status_table(found: Iterable[Fresh], *, now: datetime) -> str:
    """Return a line for each entry, with how long ago all was well."""
    rows = [_HEAD, *(_row(one, now) for one in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def status_document(found: Iterable[Fresh], clean: Callable[[str], str]) -> str:
    """Return the same as one JSON object; `clean` takes secrets out of a text."""
    entries = [
        {
            "name": clean(one.past.entry),
            "source": clean(one.step.source),
            "target": clean(one.step.target),
            "type": one.step.type,
            **past_object(one.past),
            "overdue": one.overdue,
        }
        for one in found
    ]
    return json.dumps({"entries": entries}, indent=2) + "\n"


def _found(config: Config, connection: sqlite3.Connection, now: datetime) -> list[Fresh]:
    steps, schedules = steps_of(config), schedules_of(config)
    found = []
    since = known_since(connection, steps)
    for past in pasts_of(connection, [*steps], most=1):
        overdue = is_overdue(schedules.get(past.entry), since.get(past.entry), now)
        found.append(Fresh(steps[past.entry], past, overdue))
    return found


def _row(one: Fresh, now: datetime) -> tuple[str, ...]:
    past = one.past
    ages = [_age(moment, now) for moment in (past.succeeded, past.equal)]
    return (plain(past.entry), past.outcome or "-", *ages, "overdue" if one.overdue else "")


def _age(moment: datetime | None, now: datetime) -> str:
    return "-" if moment is None else f"{human_seconds(max(0.0, (now - moment).total_seconds()))} ago"
