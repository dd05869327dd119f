"""Cron lines: robfig/cron's five fields, which the Go regsync reads, as the sets of values they let through.

No Python library has its grammar (7 as Sunday, `?`, one-value ranges and star fields all differ), and none finds
29 February quickly. Wall times only: what they are in UTC is decided in `schedule.py`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from regsync.errors import Malformed

_DAY = timedelta(days=1)
_ALMOST_A_MINUTE = timedelta(seconds=59, microseconds=999_999)
_SEARCH_YEARS = 9  # 29 February is eight years apart around 2100


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


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


@dataclass(frozen=True, slots=True)
class CronLine:
    """The minutes, hours, days and months a line lets through; `either` of the two columns for days suffices, or both.

    Minutes and hours are in order.
    """

    minutes: Sequence[int]
    hours: Sequence[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def first_from(self, wall: datetime) -> datetime | None:
        """Return the first matching minute not before this wall time; None when nine years hold none (30 February)."""
        wall = (wall + _ALMOST_A_MINUTE).replace(second=0, microsecond=0)
        day = wall.date()
        if self._has(day) and (found := self._time_from(wall)) is not None:
            return found
        last = day.year + _SEARCH_YEARS
        while (day := self._day_after(day)).year <= last:
            if self._has(day):
                return datetime(day.year, day.month, day.day, self.hours[0], self.minutes[0], tzinfo=wall.tzinfo)
        return None

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return of_month or of_week if self.either else of_month and of_week

    def _day_after(self, day: date) -> date:
        """Return the next day, or the first of the next month where nothing more can be due in this one."""
        if day.month in self.months:
            return day + _DAY
        return date(day.year + 1, 1, 1) if day.month == 12 else date(day.year, day.month + 1, 1)

    def _time_from(self, wall: datetime) -> datetime | None:
        for hour in self.hours[bisect_left(self.hours, wall.hour) :]:
            earliest = wall.minute if hour == wall.hour else 0
            at = bisect_left(self.minutes, earliest)
            if at < len(self.minutes):
                return wall.replace(hour=hour, minute=self.minutes[at])
        return None


def parse_line(expression: str) -> CronLine:
    """Read a line of five fields as robfig/cron does; `Malformed` says what is wrong with it.

    A day needs to match both day columns when one is a star, and either when none is. A star holds every day, so "both"
    is the other column alone.
    """
    columns = expression.split()
    if len(columns) != len(_FIELDS):
        wanted = ", ".join(column.name for column in _FIELDS)
        raise Malformed(f"schedule {expression!r}: 5 fields were expected ({wanted}), not {len(columns)}")
    minute, hour, day, month, weekday = (_values(text, column) for text, column in zip(columns, _FIELDS, strict=True))
    return CronLine(
        sorted(minute.chosen),
        sorted(hour.chosen),
        day.chosen,
        month.chosen,
        weekday.chosen,
        either=not (day.star or weekday.star),
    )


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
    return _Values(frozenset(chosen), star)


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
