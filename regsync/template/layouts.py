"""Go's layouts, which show how one moment (2 January 2006, 15:04:05) would be written: taken apart and filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from regsync.template.moments import Civil, Moment

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
_PART: Final = re.compile(
    r"January|Jan(?![a-z])|Monday|Mon(?![a-z])|MST|002|0[1-6]|15|1|2006|2|__2|_2(?!006)|3|4|5|PM|pm"
    r"|[-Z]07:00:00|[-Z]070000|[-Z]07:00|[-Z]0700|[-Z]07|[.,](?:0+|9+)(?![0-9])"
)


@lru_cache(maxsize=64)
def parts(layout: str) -> tuple[tuple[str, str], ...]:
    """Return the parts of a layout that stand for something, each behind the text before it; the rest comes last."""
    found: list[tuple[str, str]] = []
    at = 0
    for part in _PART.finditer(layout):
        found.append((layout[at : part.start()], part[0]))
        at = part.end()
    return (*found, (layout[at:], ""))


def formatted(moment: Moment, layout: str) -> str:
    """Return a moment written as the layout shows."""
    civil = moment.civil
    written: list[str] = []
    for before, part in parts(layout):
        written.append(before)
        if part:
            fill = _FILLED.get(part)
            written.append(fill(civil) if fill else _other(part, moment))
    return "".join(written)


def _other(part: str, moment: Moment) -> str:
    """Return a part that a civil time does not know: of a second, or of the zone."""
    if part[0] in ".,":
        digits = f"{moment.nano:09}"[: len(part) - 1].ljust(len(part) - 1, "0")
        if part[1] == "9":
            digits = digits.rstrip("0")
            return part[0] + digits if digits else ""
        return part[0] + digits
    if part == "MST":
        return moment.abbreviation or zone_offset(moment.offset, "-0700")
    return zone_offset(moment.offset, part)


def zone_offset(offset: int, part: str) -> str:
    """Return seconds east of Greenwich as one of the layouts for zones says."""
    if part[0] == "Z" and not offset:
        return "Z"
    minutes, seconds = divmod(abs(offset), 60)
    hours, minutes = divmod(minutes, 60)
    colon = ":" if ":" in part else ""
    words = [f"{hours:02}", f"{minutes:02}", f"{seconds:02}"][: len(part.replace(":", "")) // 2]
    return ("-" if offset < 0 else "+") + colon.join(words)


def _hour(civil: Civil) -> int:
    return civil.hour % 12 or 12


_FILLED: Final[Mapping[str, Callable[[Civil], str]]] = {
    "2006": lambda civil: f"{civil.year:04}",
    "06": lambda civil: f"{civil.year % 100:02}",
    "01": lambda civil: f"{civil.month:02}",
    "1": lambda civil: str(civil.month),
    "Jan": lambda civil: MONTHS[civil.month - 1][:3],
    "January": lambda civil: MONTHS[civil.month - 1],
    "02": lambda civil: f"{civil.day:02}",
    "_2": lambda civil: f"{civil.day:2}",
    "2": lambda civil: str(civil.day),
    "002": lambda civil: f"{civil.yearday:03}",
    "__2": lambda civil: f"{civil.yearday:3}",
    "Mon": lambda civil: DAYS[civil.weekday][:3],
    "Monday": lambda civil: DAYS[civil.weekday],
    "15": lambda civil: f"{civil.hour:02}",
    "03": lambda civil: f"{_hour(civil):02}",
    "3": lambda civil: str(_hour(civil)),
    "04": lambda civil: f"{civil.minute:02}",
    "4": lambda civil: str(civil.minute),
    "05": lambda civil: f"{civil.second:02}",
    "5": lambda civil: str(civil.second),
    "PM": lambda civil: "PM" if civil.hour >= 12 else "AM",
    "pm": lambda civil: "pm" if civil.hour >= 12 else "am",
}
