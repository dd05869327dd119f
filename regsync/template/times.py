"""Go's times, durations, months and weekdays: their methods, and how they print."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from regsync.duration import format_nanoseconds
from regsync.errors import BadTemplate
from regsync.template.layouts import DAYS, MONTHS, formatted
from regsync.template.moments import LOCAL, SECOND, UTC, ZERO, Moment, Zone, date, local_name
from regsync.template.values import Duration, Function, Int64, Kind, Month, Struct, Value, Weekday

_PRINTED: Final = "2006-01-02 15:04:05.999999999 -0700 MST"
_RFC3339: Final = "2006-01-02T15:04:05.999999999Z07:00"
_LONGEST: Final = (1 << 63) - 1
_MINUTE: Final = 60 * SECOND
_HOUR: Final = 60 * _MINUTE


def time_of(moment: Moment) -> Struct:
    """Return a moment as templates see it."""
    return Struct(TIME, moment)


def month_text(month: int) -> str:
    """Return the name of a month."""
    return MONTHS[month - 1] if 0 < month <= len(MONTHS) else f"%!Month({month})"


def weekday_text(day: int) -> str:
    """Return the name of a weekday."""
    return DAYS[day] if 0 <= day < len(DAYS) else f"%!Weekday({day})"


def _capped(nanoseconds: int) -> Duration:
    return Duration(max(-_LONGEST - 1, min(_LONGEST, nanoseconds)))


def _rounded(number: int, step: int, *, up: bool) -> int:
    """Return a number of nanoseconds cut to whole steps towards zero, or to the nearest."""
    sign, rest = (-1, -number) if number < 0 else (1, number)
    return sign * ((rest + step // 2) // step if up and step > 1 else rest // step) * step if step > 0 else number


def _in_steps(moment: Moment, step: Duration, *, up: bool) -> Struct:
    """Steps are counted from Go's zero time."""
    passed = moment.nanoseconds - ZERO * SECOND
    if step <= 0:
        return time_of(moment)
    whole = (passed + (step // 2 if up else 0)) // step * step
    return time_of(moment.plus(whole - passed))


def _with_date_added(moment: Moment, years: int, months: int, days: int) -> Struct:
    if max(abs(years), abs(months), abs(days)) > _LONGEST >> 32:
        raise BadTemplate("AddDate: too far away")
    civil = moment.civil
    second = civil.hour * 3600 + civil.minute * 60 + civil.second
    whole = (civil.year + years, civil.month + months, civil.day + days)
    return time_of(date(*whole, second=second, nano=moment.nano, zone=moment.zone))


def _source(moment: Moment) -> str:
    """Return the Go that makes this time."""
    civil = moment.civil
    zones = {"UTC": "time.UTC", "Local": "time.Local"}
    zone = zones.get(moment.zone.name) or f'time.Location("{moment.zone.name}")'
    clock = f"{civil.hour}, {civil.minute}, {civil.second}, {moment.nano}"
    return f"time.Date({civil.year}, time.{month_text(civil.month)}, {civil.day}, {clock}, {zone})"


def _of(get: Callable[[Moment], Value], *takes: str) -> Function:
    return Function(get, takes)


def _compared(compare: Callable[[int, int], Value]) -> Function:
    return Function(lambda one, other: compare(one.nanoseconds, other.of.nanoseconds), ("time.Time",))


def _several(name: str) -> Function:
    """A method that gives several values, which no template can take."""

    def refuse(_: Moment) -> Value:
        raise BadTemplate(f"{name} gives several values, which a template cannot take")

    return Function(refuse)


def _moved(moment: Moment, zone: Struct) -> Struct:
    return time_of(moment.within(zone.of))


def _zone_text(zone: Zone) -> str:
    return local_name() if zone is LOCAL else zone.name


LOCATION: Final = Kind(
    "*time.Location",
    methods={"String": Function(_zone_text)},
    text=_zone_text,
    is_zero=lambda _: False,
)
TIME: Final = Kind(
    "time.Time",
    methods={
        "Format": Function(formatted, ("string",)),
        "Year": _of(lambda moment: moment.civil.year),
        "Month": _of(lambda moment: Month(moment.civil.month)),
        "Day": _of(lambda moment: moment.civil.day),
        "Hour": _of(lambda moment: moment.civil.hour),
        "Minute": _of(lambda moment: moment.civil.minute),
        "Second": _of(lambda moment: moment.civil.second),
        "Nanosecond": _of(lambda moment: moment.nano),
        "YearDay": _of(lambda moment: moment.civil.yearday),
        "Weekday": _of(lambda moment: Weekday(moment.civil.weekday)),
        "Unix": _of(lambda moment: Int64(moment.second)),
        "UnixMilli": _of(lambda moment: Int64(moment.nanoseconds // 1_000_000)),
        "UnixMicro": _of(lambda moment: Int64(moment.nanoseconds // 1_000)),
        "UnixNano": _of(lambda moment: Int64(moment.nanoseconds)),
        "UTC": _of(lambda moment: time_of(moment.within(UTC))),
        "Local": _of(lambda moment: time_of(moment.within(LOCAL))),
        "In": Function(_moved, ("*time.Location",)),
        "Location": _of(lambda moment: Struct(LOCATION, moment.zone)),
        "AddDate": Function(_with_date_added, ("int", "int", "int")),
        "Add": Function(lambda moment, duration: time_of(moment.plus(duration)), ("time.Duration",)),
        "Sub": _compared(lambda one, other: _capped(one - other)),
        "Before": _compared(lambda one, other: one < other),
        "After": _compared(lambda one, other: one > other),
        "Equal": _compared(lambda one, other: one == other),
        "Compare": _compared(lambda one, other: (one > other) - (one < other)),
        "IsZero": _of(lambda moment: moment.second == ZERO and not moment.nano),
        "Truncate": Function(lambda moment, step: _in_steps(moment, step, up=False), ("time.Duration",)),
        "Round": Function(lambda moment, step: _in_steps(moment, step, up=True), ("time.Duration",)),
        "String": _of(lambda moment: formatted(moment, _PRINTED)),
        "GoString": _of(_source),
        **{name: _several(name) for name in ("ISOWeek", "Date", "Clock", "Zone")},
    },
    json=lambda moment: f'"{formatted(moment, _RFC3339)}"',
    text=lambda moment: formatted(moment, _PRINTED),
    source=_source,
    is_zero=lambda moment: moment.second == ZERO and not moment.nano and moment.zone is UTC,
)


def _duration_in(unit: int) -> Function:
    return Function(lambda duration: float(duration // unit) + (duration % unit) / unit)


DURATION: Final = Kind(
    "time.Duration",
    methods={
        "String": Function(format_nanoseconds),
        "Hours": _duration_in(_HOUR),
        "Minutes": _duration_in(_MINUTE),
        "Seconds": _duration_in(SECOND),
        "Milliseconds": Function(lambda duration: Int64(_rounded(duration, 1_000_000, up=False) // 1_000_000)),
        "Microseconds": Function(lambda duration: Int64(_rounded(duration, 1_000, up=False) // 1_000)),
        "Nanoseconds": Function(Int64),
        "Abs": Function(lambda duration: _capped(abs(duration))),
        "Truncate": Function(lambda duration, step: _capped(_rounded(duration, step, up=False)), ("time.Duration",)),
        "Round": Function(lambda duration, step: _capped(_rounded(duration, step, up=True)), ("time.Duration",)),
    },
    text=format_nanoseconds,
)
_NUMBERS: Final[Mapping[type, Kind]] = {
    Duration: DURATION,
    Month: Kind("time.Month", methods={"String": Function(month_text)}, text=month_text),
    Weekday: Kind("time.Weekday", methods={"String": Function(weekday_text)}, text=weekday_text),
}


def kind_of(value: Value) -> Kind | None:
    """Return what has the fields and methods of a value, None for a value without."""
    return value.kind if isinstance(value, Struct) else _NUMBERS.get(type(value))
