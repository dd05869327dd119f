"""When an entry is due: every so often (`Every`), or at the times of a cron line (`Cron`).

The grammar is robfig/cron's five-field one, which the Go regsync reads. No Python library has it (7 as Sunday, `?`,
`TZ=`, `@every`, one-value ranges and star fields all differ), so each field is read here into the set of its values,
and croniter, which nobody else imports, iterates over plain comma lists whose meaning nobody disputes.

Zones are ours too. A zone is a row of stretches with one UTC offset each, and within a stretch wall time is UTC plus
that offset. Searching stretch by stretch gives exactly the instants whose wall time matches: a time that a clock change
skips is not due, a time that it repeats is due twice, as in robfig/cron. Only the stretches near the start and near the
match have to be looked at: whatever happens in between moves no wall time by as much as two days.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from regsync.duration import parse_duration
from regsync.errors import Malformed

if TYPE_CHECKING:  # it takes a tenth of the program's start, and most configurations have no cron line
    from croniter import croniter

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)  # any start does: each question names its own
_NEAR = timedelta(days=2)  # more than any clock is ever moved: further off, clock changes do not matter to a due time
_CORRECTION = timedelta(hours=3)  # a clock set back further than this was wrong before; cron(8) draws the line there
_SEARCH_YEARS = 9  # 29 February is eight years apart around 2100
_DESCRIPTORS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


class Schedule(Hashable, Protocol):
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
    _walls: croniter = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from croniter import croniter  # noqa: PLC0415

        plain = _plain(self.expression)
        object.__setattr__(self, "_walls", croniter(plain, _EPOCH, max_years_between_matches=_SEARCH_YEARS))

    def next_after(self, moment: datetime) -> datetime | None:
        """Return the first matching minute after this moment, or None when nine years hold none (30 February)."""
        start = moment.astimezone(UTC).replace(microsecond=0) + _SECOND
        asked = wall = None
        while True:
            offset = self._offset(start)
            if asked is None or wall is None or not asked <= start + offset <= wall:
                asked, wall = start + offset, self._wall_from(start + offset)
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

    def _wall_from(self, wall: datetime) -> datetime | None:
        """Return the first matching wall time not before this one; wall times carry UTC, which has no changes."""
        from croniter import CroniterBadDateError  # noqa: PLC0415

        try:
            found: datetime = self._walls.get_next(datetime, start_time=wall - _SECOND)
        except CroniterBadDateError:
            return None
        return found

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


@dataclass(frozen=True, slots=True)
class _Field:
    """One column of a cron line: its bounds, both inclusive, and the names its values have."""

    name: str
    low: int
    high: int
    names: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Values:
    """What a column lets through; `star` means it was left open, which is more than holding every value."""

    chosen: frozenset[int]
    star: bool
    full: bool

    def __str__(self) -> str:
        return "*" if self.full else ",".join(str(value) for value in sorted(self.chosen))


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


def _plain(expression: str) -> str:
    """Return a cron line of comma lists that means to croniter what the expression means to robfig/cron.

    A day needs to match both day columns when one is a star, and either when none is. A star holds every day, so "both"
    is the other column alone; and of two columns without a star, one that holds every day lets every day through.
    """
    columns = expression.split()
    if len(columns) != len(_FIELDS):
        wanted = ", ".join(column.name for column in _FIELDS)
        raise Malformed(f"schedule {expression!r}: 5 fields were expected ({wanted}), not {len(columns)}")
    minute, hour, day, month, weekday = (_values(text, column) for text, column in zip(columns, _FIELDS, strict=True))
    either = not (day.star or weekday.star)
    if either and (day.full or weekday.full):
        return f"{minute} {hour} * {month} *"
    return f"{minute} {hour} {day} {month} {weekday}"


def _values(text: str, column: _Field) -> _Values:
    """Return what a comma list lets through; empty items are passed over, as robfig/cron does."""
    chosen: set[int] = set()
    star = False
    for item in filter(None, text.split(",")):
        values, open_item = _item(item, column)
        chosen.update(values)
        star = star or open_item
    if not chosen:
        raise Malformed(f"{column.name} {text!r}: no value in the list")
    return _Values(frozenset(chosen), star, len(chosen) == column.high - column.low + 1)


def _item(item: str, column: _Field) -> tuple[range, bool]:
    """Return the values of `*`, `N`, `N-M` or one of these with `/step`, and whether the item is a star."""
    span, *steps = item.split("/")
    if len(steps) > 1:
        raise Malformed(f"{column.name} {item!r}: more than one '/'")
    step = _number(steps[0], column) if steps else 1
    if step == 0:
        raise Malformed(f"{column.name} {item!r}: a step of 0 leads nowhere")
    low, high, star = _span(span, column)
    if steps and not star and "-" not in span:
        high = column.high
    if not column.low <= low <= high <= column.high:
        raise Malformed(f"{column.name} {item!r}: {column.low} to {column.high} was expected, and no range backwards")
    return range(low, high + 1, step), star and step == 1


def _span(span: str, column: _Field) -> tuple[int, int, bool]:
    """Return the ends of `*`, `N` or `N-M`; what follows a star's hyphen is not looked at, as in robfig/cron."""
    first, *others = span.split("-")
    if first in {"*", "?"}:
        return column.low, column.high, True
    if len(others) > 1:
        raise Malformed(f"{column.name} {span!r}: more than one '-'")
    low = _value(first, column)
    return low, _value(others[0], column) if others else low, False


def _value(text: str, column: _Field) -> int:
    named = column.names.get(text.lower())
    return _number(text, column) if named is None else named


def _number(text: str, column: _Field) -> int:
    """Return a whole number in ASCII digits; a plus sign may stand before it."""
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
        raise Malformed(f"{column.name} {text!r}: a whole number was expected")
    return int(digits)
