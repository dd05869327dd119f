"""How fresh each entry is, for people and programs: as the server says that runs, or else as its state file tells."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from regsync.asking import Server
from regsync.config.load import Loaded
from regsync.config.model import Config
from regsync.daemon.overdue import is_overdue
from regsync.errors import ConfigError, NoAnswer
from regsync.record.objects import stamp
from regsync.record.queries import known_since, pasts_of, paused_of
from regsync.record.state import read_only
from regsync.record.words import human_seconds
from regsync.text import plain
from regsync.translate import schedules_of, steps_of

_HEAD: Final = ("entry", "last run", "succeeded", "equal", "due", "")
_KEEP: Final = "name a file under defaults.state, where the server keeps its runs"
_NO_STATE: Final = f"status: nothing is kept; {_KEEP}, or a server that runs by --url"


@dataclass(frozen=True, slots=True)
class Fresh:
    """What is known of an entry; `overdue`: three due times have passed since it was equal, or was first visited.

    When it is `due` only a server knows that runs.
    """

    name: str
    source: str
    target: str
    type: str
    outcome: str | None
    succeeded: datetime | None
    equal: datetime | None
    due: datetime | None
    paused: bool
    overdue: bool


def status_at(url: str) -> list[Fresh]:
    """Return what the server at this place says of its entries; `ConfigError` if it does not."""
    try:
        return _asked(Server(url))
    except NoAnswer as error:
        raise ConfigError([f"status: {error}"]) from error


def status_of(loaded: Loaded, *, now: datetime, say: Callable[[str], None]) -> list[Fresh]:
    """Return what the server of a configuration says of its entries, or its state file; `ConfigError` if neither does.

    `say` is told why the server does not.
    """
    listen, path = loaded.config.server.listen, loaded.config.defaults.state
    if listen and (server := Server(listen)).known:
        try:
            return _asked(server)
        except NoAnswer as error:
            if not path:
                raise ConfigError([f"status: {error}, and nothing is kept; {_KEEP}"]) from error
            say(f"status: {error}; what follows is from {path}")
    if not path:
        raise ConfigError([_NO_STATE])
    with closing(read_only(path)) as connection:
        try:
            return _found(loaded.config, connection, now)
        except sqlite3.Error as error:
            raise ConfigError([f"{path}: cannot be read as the state of a regsync: {error}"]) from error


def status_table(found: Iterable[Fresh], *, now: datetime) -> str:
    """Return a line for each entry, with how long ago all was well, and in how long it is visited."""
    rows = [_HEAD, *(_row(one, now) for one in found)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def status_document(found: Iterable[Fresh], clean: Callable[[str], str]) -> str:
    """Return the same as one JSON object; `clean` takes secrets out of a text."""
    entries = [
        {
            **asdict(one),
            **{key: clean(getattr(one, key)) for key in ("name", "source", "target")},
            **{key: stamp(getattr(one, key)) for key in ("succeeded", "equal", "due")},
        }
        for one in found
    ]
    return json.dumps({"entries": entries}, indent=2) + "\n"


def _found(config: Config, connection: sqlite3.Connection, now: datetime) -> list[Fresh]:
    steps, schedules = steps_of(config), schedules_of(config)
    found = []
    since, paused = known_since(connection, steps), paused_of(connection)
    for past in pasts_of(connection, sorted(steps), most=1):
        step = steps[past.entry]
        overdue = is_overdue(schedules.get(past.entry), since.get(past.entry), now)
        ends = past.entry, step.source, step.target, step.type
        found.append(Fresh(*ends, past.outcome, past.succeeded, past.equal, None, past.entry in paused, overdue))
    return found


def _asked(server: Server) -> list[Fresh]:
    try:
        return [_told(entry) for entry in server.entries()]
    except (KeyError, TypeError, ValueError) as error:
        raise NoAnswer(f"the server at {plain(server.place)} is of another version than this regsync") from error


def _told(entry: Mapping[str, Any]) -> Fresh:
    """Return what an entry of the API says; fields that are missing or of another kind raise as Python does."""
    return Fresh(
        name=_text(entry["name"]),
        source=_text(entry["source"]),
        target=_text(entry["target"]),
        type=_text(entry["type"]),
        outcome=None if entry["outcome"] is None else _text(entry["outcome"]),
        succeeded=_moment(entry["succeeded"]),
        equal=_moment(entry["equal"]),
        due=_moment(entry["due"]),
        paused=entry["paused"] is True,
        overdue=entry["overdue"] is True,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return plain(value)


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def _row(one: Fresh, now: datetime) -> tuple[str, ...]:
    ages = [_age(moment, now) for moment in (one.succeeded, one.equal)]
    said = [word for word, so in (("paused", one.paused), ("overdue", one.overdue)) if so]
    due = "-" if one.due is None else f"in {human_seconds(max(0.0, (one.due - now).total_seconds()))}"
    return (plain(one.name), one.outcome or "-", *ages, due, ", ".join(said))


def _age(moment: datetime | None, now: datetime) -> str:
    return "-" if moment is None else f"{human_seconds(max(0.0, (now - moment).total_seconds()))} ago"
