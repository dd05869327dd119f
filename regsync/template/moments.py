"""Moments and zones as Go's `time` has them: to the nanosecond, each told in a zone, in any year."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC as UTC_ZONE
from datetime import date as Date  # noqa: N812  # a function of Go's is called date here
from datetime import datetime, timedelta
from typing import Final, NamedTuple

SECOND: Final = 1_000_000_000
DAY: Final = 86400
ZERO: Final = -62135596800  # the first second of the year 1, Go's zero time, in seconds of Unix
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC_ZONE)
_SHIFT: Final = Date(2000, 1, 1)
_SHIFT_DAYS: Final = 10957  # from 1970 to there
_YEARS: Final = 400  # after which the calendar repeats itself
_CYCLE: Final = 146097  # days of those


class Civil(NamedTuple):
    """What calendars and clocks show; Sunday is 0, the first of January 1."""

    year: int
    month: int
    day: int
    hour: int
    minute: int
    second: int
    weekday: int
    yearday: int


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone: for a second of Unix, the seconds east of Greenwich and the abbreviation."""

    name: str
    at: Callable[[int], tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time: seconds of Unix and the nanoseconds behind them."""

    second: int
    nano: int
    zone: Zone

    @property
    def offset(self) -> int:
        """Return how many seconds east of Greenwich its zone is then."""
        return self.zone.at(self.second)[0]

    @property
    def abbreviation(self) -> str:
        """Return what its zone is called then."""
        return self.zone.at(self.second)[1]

    @property
    def civil(self) -> Civil:
        """Return what is shown then in its zone."""
        days, rest = divmod(self.second + self.offset, DAY)
        cycles, days = divmod(days - _SHIFT_DAYS, _CYCLE)
        day = _SHIFT + timedelta(days=days)
        minutes, second = divmod(rest, 60)
        hour, minute = divmod(minutes, 60)
        year = day.year + _YEARS * cycles
        return Civil(year, day.month, day.day, hour, minute, second, day.isoweekday() % 7, day.timetuple().tm_yday)

    @property
    def nanoseconds(self) -> int:
        """Return the nanoseconds of Unix."""
        return self.second * SECOND + self.nano

    def plus(self, nanoseconds: int) -> Moment:
        """Return the moment so much later."""
        second, nano = divmod(self.nanoseconds + nanoseconds, SECOND)
        return replace(self, second=second, nano=nano)

    def within(self, zone: Zone) -> Moment:
        """Return the same moment as told in another zone."""
        return replace(self, zone=zone)


def fixed(name: str, offset: int) -> Zone:
    """Return the zone that is always so many seconds east of Greenwich."""
    return Zone(name, lambda _: (offset, name))


def _here(second: int) -> tuple[int, str]:
    try:
        local = time.localtime(second)
    except (OverflowError, OSError, ValueError):
        return 0, "UTC"
    return local.tm_gmtoff, local.tm_zone


def local_name() -> str:
    """Return what Go calls the machine's zone: what TZ says, if it says anything."""
    told = os.environ.get("TZ")
    return "Local" if told is None else told.removeprefix(":") or "UTC"


def local_offset(abbreviation: str, second: int) -> int | None:
    """Return the offset of an abbreviation in the machine's zone, at this second if it has it then; else None."""
    offset, name = _here(second)
    if name == abbreviation:
        return offset
    return {time.tzname[1]: -time.altzone, time.tzname[0]: -time.timezone}.get(abbreviation)


UTC: Final = fixed("UTC", 0)
LOCAL: Final = Zone("Local", _here)


def moment_of(when: datetime, zone: Zone = LOCAL) -> Moment:
    """Return an aware time as a moment that is told in the machine's zone, or in another."""
    passed = when - _EPOCH
    return Moment(passed.days * DAY + passed.seconds, passed.microseconds * 1000, zone)


def date(year: int, month: int, day: int, *, second: int = 0, nano: int = 0, zone: Zone = UTC) -> Moment:
    """Return the moment at which clocks in this zone show so many seconds of a day; all may be beyond their limits."""
    years, month = divmod(month - 1, 12)
    cycles, years = divmod(year + years, _YEARS)
    first = (Date(2000 + years, month + 1, 1) - _SHIFT).days + (cycles - 5) * _CYCLE + _SHIFT_DAYS
    unix = (first + day - 1) * DAY + second
    offset = zone.at(unix)[0]
    if offset:  # that of the moment itself, which around a change of the clocks is another one
        offset = zone.at(unix - offset)[0]
    return Moment(unix - offset, nano, zone)
