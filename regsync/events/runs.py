"""What a run did, or the daemon around it, and what becomes of the daemon and of its configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run over one entry, or over all of them (`entry` empty), begins; `scope` is what it looks for."""

    entry: str
    scope: Literal["changed", "missing", "check"]


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run over one entry, or over all (`entry` empty), came to its end or was `cut` off; sizes are in bytes."""

    entry: str
    copied: int
    unchanged: int
    skipped: int
    failed: int
    moved: int
    spared: int
    seconds: float
    cut: bool = False


@dataclass(frozen=True, slots=True)
class EntryIgnored:
    """An entry of a daemon that is never due; `expected` is what it lacks."""

    message: str
    source: str
    target: str
    kind: str
    expected: str = ""


@dataclass(frozen=True, slots=True)
class JobQueued:
    """An entry waits for a worker."""

    entry: str
    due: datetime


@dataclass(frozen=True, slots=True)
class JobSkipped:
    """An entry was due while it still waited or ran; `times` is how often in a row that was."""

    entry: str
    due: datetime
    times: int


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A worker took an entry."""

    entry: str
    due: datetime


@dataclass(frozen=True, slots=True)
class JobFinished:
    """An entry's run ended; `crash` is set only by a bug of ours, never by a failed image."""

    entry: str
    failed: int
    crash: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Warned:
    """Something the operator should know that fails nothing; `message` is what people grep for."""

    message: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Complained:
    """The event loop met what nobody waits for, which is a bug of ours or of a library; nothing ends by it.

    `message` is asyncio's; `task` names the one it is about, `crash` is what was raised there, if it knows either.
    """

    message: str
    task: str = ""
    crash: BaseException | None = None


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
