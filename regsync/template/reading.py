"""Times read by a layout of Go's, as `time.Parse` does."""

from __future__ import annotations

import re
from typing import Final

from regsync.errors import BadTemplate
from regsync.template.layouts import DAYS, MONTHS, parts
from regsync.template.moments import LOCAL, SECOND, UTC, Moment, Zone, date, fixed, local_offset

_NUMBERS: Final = {
    "2006": ("year", "([0-9]{4})"), "06": ("short year", "([0-9]{2})"), "01": ("month", "([0-9]{2})"),
    "1": ("month", "([0-9]{1,2})"), "02": ("day", "([0-9]{2})"), "2": ("day", "([0-9]{1,2})"),
    "_2": ("day", " ?([0-9]{1,2})"), "002": ("yearday", "([0-9]{3})"), "__2": ("yearday", " {0,2}([0-9]{1,3})"),
    "15": ("hour", "([0-9]{1,2})"), "03": ("half hour", "([0-9]{2})"), "3": ("half hour", "([0-9]{1,2})"),
    "04": ("minute", "([0-9]{2})"), "4": ("minute", "([0-9]{1,2})"), "05": ("second", "([0-9]{2})"),
    "5": ("second", "([0-9]{1,2})"),
}  # fmt: skip
_LIMITS: Final = {"month": (1, 12), "hour": (0, 23), "half hour": (0, 12), "minute": (0, 59), "second": (0, 59)}
_NAMES: Final = {"January": MONTHS, "Jan": MONTHS, "Monday": DAYS, "Mon": DAYS}
_ZONE: Final = re.compile(
    r"UTC|ChST|MeST|GMT(?:[+-](?:1[0-9]|2[0-3]|[0-9])(?![0-9]))?|[+-](?:[01][0-9]|2[0-3])|[A-Z]{4}T(?![A-Z])"
    r"|(?:[A-Z]{3}T|WITA)(?![A-Z])|[A-Z]{3}(?![A-Z])"
)
_FRACTION: Final = re.compile("[.,]([0-9]+)")
_SECONDS: Final = frozenset({"05", "5"})
_SHORT: Final = 3  # characters of a short name
_CENTURY: Final = 69  # two digits of a year from here on belong to the last century


def parsed(layout: str, text: str) -> Moment:
    """Return the moment that a text tells in this layout; what it does not tell is as in the year 0, in UTC."""
    reading = _Reading(text)
    told = parts(layout)
    for (before, part), (_, following) in zip(told, [*told[1:], ("", "")], strict=True):
        reading.skip(before)
        if part:
            reading.take(part, following)
    if reading.rest:
        raise _refused()
    return reading.moment()


class _Reading:
    """What was read so far, and the rest of the text."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self._told: dict[str, int] = {}
        self._afternoon: bool | None = None
        self._zone: Zone | None = None
        self._zone_name = ""

    def skip(self, before: str) -> None:
        """Go past the text between two parts, in which spaces stand for any number of them."""
        for word in re.findall(" +|[^ ]+", before):
            if word[0] == " ":
                if self.rest and self.rest[0] != " ":
                    raise _refused()
                self.rest = self.rest.lstrip(" ")
            elif self.rest.startswith(word):
                self.rest = self.rest[len(word) :]
            else:
                raise _refused()

    def take(self, part: str, following: str) -> None:
        """Read what one part of the layout stands for; a second may have a fraction that the layout does not show."""
        if part in _NUMBERS:
            self._take_number(*_NUMBERS[part])
            if part in _SECONDS and following[:1] not in {".", ","} and _FRACTION.match(self.rest):
                self._take_fraction(0)
        elif part in _NAMES:
            self._take_name(part)
        elif part[0] in ".,":
            self._take_fraction(len(part) - 1 if part[1] == "0" else 0)
        elif part in {"PM", "pm"}:
            self._afternoon = self._matched(part.replace("P", "[AP]").replace("p", "[ap]"))[0] in "Pp"
        elif part == "MST":
            self._zone_name = self._matched(_ZONE.pattern)
            self._zone = UTC if self._zone_name == "UTC" else self._zone
        else:
            self._take_offset(part)

    def _matched(self, pattern: str) -> str:
        match = re.match(pattern, self.rest)
        if match is None:
            raise _refused()
        self.rest = self.rest[match.end() :]
        return match[match.re.groups]

    def _take_number(self, name: str, pattern: str) -> None:
        number = int(self._matched(pattern))
        low, high = _LIMITS.get(name, (0, number))
        if not low <= number <= high:
            raise _refused()
        if name == "short year":
            name, number = "year", number + (1900 if number >= _CENTURY else 2000)
        self._told["hour" if name == "half hour" else name] = number

    def _take_name(self, part: str) -> None:
        names = _NAMES[part]
        for number, name in enumerate(names, start=1):
            word = name[:_SHORT] if len(part) == _SHORT else name
            if self.rest[: len(word)].lower() == word.lower():
                self.rest = self.rest[len(word) :]
                if names is MONTHS:
                    self._told["month"] = number
                return
        raise _refused()

    def _take_fraction(self, digits: int) -> None:
        """Read the part of a second, of so many digits; of any number, or none, for 0."""
        match = _FRACTION.match(self.rest)
        if digits and (match is None or len(match[1]) < digits):
            raise _refused()
        if match is not None:
            told = match[1][: digits or None]
            self._told["nano"] = int(told[:9].ljust(9, "0"))
            self.rest = self.rest[1 + len(told) :]

    def _take_offset(self, part: str) -> None:
        if part[0] == "Z" and self.rest.startswith("Z"):
            self.rest, self._zone = self.rest[1:], UTC
            return
        colon = ":" if ":" in part else ""
        pairs = len(part.replace(":", "")) // 2
        words = self._matched("([+-]" + colon.join(["[0-9]{2}"] * pairs) + ")").replace(":", "")
        hours, minutes, seconds = (int(words[at : at + 2] or 0) for at in (1, 3, 5))
        if hours > 24 or minutes > 60 or seconds > 60:
            raise _refused()
        self._told["offset"] = (hours * 3600 + minutes * 60 + seconds) * (-1 if words[0] == "-" else 1)

    def moment(self) -> Moment:
        """Return what was told."""
        told = self._told
        hour = told.get("hour", 0)
        if self._afternoon is not None:
            hour = hour % 12 + 12 * self._afternoon if hour <= 12 else hour
        year, month, day = self._day()
        second = hour * 3600 + told.get("minute", 0) * 60 + told.get("second", 0)
        plain = date(year, month, day, second=second, nano=told.get("nano", 0))
        if self._zone is None and "offset" in told:
            return self._offset_by(plain, told["offset"])
        if self._zone is None and self._zone_name:
            return self._named(plain)
        return plain

    def _day(self) -> tuple[int, int, int]:
        told = self._told
        year, month, day = told.get("year", 0), told.get("month", 1), told.get("day", 1)
        if "yearday" in told:
            civil = date(year, 1, told["yearday"]).civil
            same = told.get("month", civil.month) == civil.month and told.get("day", civil.day) == civil.day
            if civil.year != year or not same or told["yearday"] < 1:
                raise _refused()
            return year, civil.month, civil.day
        if date(year, month, day).civil.day != day:
            raise _refused()
        return year, month, day

    def _offset_by(self, plain: Moment, offset: int) -> Moment:
        """Return a moment told with an offset: in the machine's zone, if that is what it has then."""
        moment = plain.plus(-offset * SECOND)
        here, name = LOCAL.at(moment.second)
        is_here = here == offset and self._zone_name in {"", name}
        return moment.within(LOCAL if is_here else fixed(self._zone_name, offset))

    def _named(self, plain: Moment) -> Moment:
        """Return a moment told with an abbreviation, whose offset is known for the machine's own zone alone."""
        offset = local_offset(self._zone_name, plain.second)
        if offset is not None:
            return plain.plus(-offset * SECOND).within(LOCAL)
        hours = int(self._zone_name[3:] or 0) if self._zone_name.startswith("GMT") else 0
        return plain.within(fixed(self._zone_name, hours * 3600))


def _refused() -> BadTemplate:
    return BadTemplate("time.Parse: the text is not a time in this layout", by_value=True)
