"""When an entry is due: every so often (`Every`), or at the times of a cron line (`Cron`).

A zone is a row of stretches with one UTC offset each, and within a stretch wall time is UTC plus that offset. Searching
stretch by stretch gives exactly the instants whose wall time matches: a time that a clock change skips is not due, a
time that it repeats is due twice, as in robfig/cron. Only the stretches near the start and near the match have to be
looked at: whatever happens in between moves no wall time by as much as two days.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from regsync.daemon.cronline import CronLine, parse_line
from regsync.duration import parse_duration
from regsync.errors import Malformed

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_NEAR = timedelta(days=2)  # more than any clock is ever moved: further off, clock changes do not matter to a due time
_CORRECTION = timedelta(hours=3)  # a clock set back further than this was wrong before; cron(8) draws the line there
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Schedule(Protocol):
    """A row of due times; moments are aware and in UTC."""

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first due time after this moment; None when there is none."""
        ...

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        """Return what becomes of a due time still to come when the wall clock was moved by `jump`, to `now`."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Due once per so many seconds of elapsed time: whole seconds, at least one, on whole seconds."""

    seconds: float

    @property
    def step(self) -> timedelta:
        """Return the pause between two due times."""
        return timedelta(seconds=max(1, int(self.seconds)))

    def next_after(self, moment: datetime) -> datetime:
        """Return the whole second one interval after this moment."""
        return moment.replace(microsecond=0) + self.step

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime:
        """Return the due time as the moved clock shows it: what is left to wait stays the same."""
        return min((due + jump).replace(microsecond=0), self.next_after(now))


@dataclass(frozen=True, slots=True)
class Cron:
    """Due when the wall clock of a zone (None: this machine's) matches a five-field cron line."""

    expression: str
    zone: tzinfo | None
    _line: CronLine = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_line", parse_line(self.expression))

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first matching minute after this moment, or None when nine years hold none (30 February)."""
        start = moment.astimezone(UTC).replace(microsecond=0) + _SECOND
        asked = wall = None
        while True:
            offset = self._offset(start)
            if asked is None or wall is None or not asked <= start + offset <= wall:
                asked, wall = start + offset, self._line.first_from(start + offset)
            if wall is None:
                return None
            due = wall - offset
            change = self._offset_change(start, min(due, start + _NEAR))
            if change is not None:
                start = change
            elif due <= start + _NEAR:
                return due
            else:
                start = due - _NEAR

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        """Return the same due time, since dates do not move, unless the clock had been far ahead of the truth."""
        return due if jump > -_CORRECTION else self.next_after(now)

    def _offset(self, moment: datetime) -> timedelta:
        return moment.astimezone(self.zone).replace(tzinfo=UTC) - moment

    def _offset_change(self, start: datetime, end: datetime) -> datetime | None:
        """Return the first second in (start, end] with another offset than at `start`; no stretch is under a day."""
        offset, before = self._offset(start), start
        while before < end:
            after = min(before + _DAY, end)
            if self._offset(after) != offset:
                while after - before > _SECOND:
                    middle = before + (after - before) // (2 * _SECOND) * _SECOND
                    before, after = (middle, after) if self._offset(middle) == offset else (before, middle)
                return after
            before = after
        return None


@lru_cache(maxsize=1 << 14)
def parse_schedule(text: str) -> Schedule:
    """Read a `schedule` of the configuration: a cron line, `@daily` and its kind, or `@every 90s`, after `TZ=Zone `.

    The same line gives the same object: it is read when the file is checked and when it is used, in many entries.
    """
    zone: tzinfo | None = None
    line = text
    if text.startswith(("TZ=", "CRON_TZ=")):
        prefix, _, line = text.partition(" ")
        zone, line = _zone(prefix.partition("=")[2]), line.strip()
    if not line.strip():
        raise Malformed(f"schedule {text!r}: a cron line such as '15 * * * *' was expected")
    if line.startswith("@every "):
        return Every(parse_duration(line.removeprefix("@every ")))
    if line.startswith("@"):
        if line not in _DESCRIPTORS:
            raise Malformed(f"schedule {text!r}: not one of {', '.join(_DESCRIPTORS)}, '@every <duration>'")
        line = _DESCRIPTORS[line]
    return Cron(line, zone)


def _zone(name: str) -> tzinfo | None:
    """Return the zone of this name in the way of Go: empty is UTC, `Local` this machine's (None)."""
    if name in {"", "UTC"}:
        return UTC
    if name == "Local":
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise Malformed(f"unknown time zone {name!r}: a name such as Europe/Berlin was expected") from error
