"""What becomes of the daemon and of its configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class Ready:
    """The daemon has begun: every entry's first visit is under way or waits; `digest` is the configuration's."""

    entries: int
    digest: str


@dataclass(frozen=True, slots=True)
class Reloading:
    """The configuration is read again."""


@dataclass(frozen=True, slots=True)
class Reloaded:
    """Another configuration is in force; the numbers are entries of it, and of the one before (`removed`)."""

    digest: str
    entries: int
    added: int
    changed: int
    removed: int


@dataclass(frozen=True, slots=True)
class ReloadRefused:
    """What was read cannot be used, for these reasons; the configuration before stays in force."""

    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stopping:
    """A signal asked the daemon to stop; `grace` seconds are left to those who work."""

    grace: float


@dataclass(frozen=True, slots=True)
class Notified:
    """What became of a message about something (`event`) for a receiver, as it may be shown."""

    receiver: str
    event: str
    outcome: Literal["sent", "failed", "dropped"]


@dataclass(frozen=True, slots=True)
class Commanded:
    """Somebody (`who`, at `client`) had the daemon do something with an entry, which is `paused` now or is not."""

    command: Literal["run", "cancel", "pause", "resume"]
    entry: str
    who: str
    client: str
    paused: bool


@dataclass(frozen=True, slots=True)
class PassedOver:
    """An entry that is paused was due; told the first time of each pause."""

    entry: str
    due: datetime
