"""Lengths of time as people write them for Go programs: `1h15m`, `1.5s`, `300ms`.

Home of the one grammar that the configuration (`interval`, `credExpire`, …), `--grace` and the schedules
(`@every 90s`) share. Inside regsync a length of time is a float of seconds; only text has units.
"""

from __future__ import annotations

import re

from regsync.errors import Malformed

_SECOND = 1_000_000_000  # Go counts nanoseconds in 64 bits, so that is what can be said and what is too long
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "\u00b5s": 1_000,  # micro sign
    "\u03bcs": 1_000,  # Greek mu, which looks the same
    "ms": 1_000_000,
    "s": _SECOND,
    "m": 60 * _SECOND,
    "h": 3600 * _SECOND,
}
_TERM = re.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_LONGEST = (1 << 63) - 1
_DIGITS = 19  # of the longest whole number, and more of a fraction than can matter


def parse_duration(text: str) -> float:
    """Return the seconds that a duration in the grammar of Go's `time.ParseDuration` stands for."""
    negative = text.startswith("-")
    rest = text[1:] if text[:1] in {"-", "+"} else text
    if rest == "0":
        return 0.0
    if not rest:
        raise Malformed(f"invalid duration {text!r}")
    total = 0
    while rest:
        nanoseconds, rest = _leading_term(rest, text)
        total += nanoseconds
        if total > _LONGEST + negative:
            raise Malformed(f"invalid duration {text!r}: longer than 292 years")
    return (-total if negative else total) / _SECOND


def format_duration(seconds: float) -> str:
    """Return the text Go prints for so many seconds: `1h0m0s`, `1.5s`, `300ms`, `0s`."""
    return format_nanoseconds(round(seconds * _SECOND))


def format_nanoseconds(amount: int) -> str:
    """Return the text Go prints for so many nanoseconds."""
    sign, nanoseconds = ("-", -amount) if amount < 0 else ("", amount)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < _SECOND:
        return sign + _below_a_second(nanoseconds)
    minutes, rest = divmod(nanoseconds, _UNITS["m"])
    hours, minutes = divmod(minutes, 60)
    words = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{words}{_decimal(rest, _SECOND)}s"


def _leading_term(rest: str, whole_text: str) -> tuple[int, str]:
    """Return the nanoseconds of the first `<decimal><unit>` of `rest`, and what follows it."""
    term = _TERM.match(rest)
    if term is None or not (term[1] or term[2]):
        raise Malformed(f"invalid duration {whole_text!r}: a number such as 1.5 was expected at {rest!r}")
    if not term[3]:
        raise Malformed(f"missing unit in duration {whole_text!r}: one of ns, us, ms, s, m, h")
    unit = _UNITS.get(term[3])
    if unit is None:
        longer = "; a day is 24h" if term[3] in {"d", "w"} else ""
        raise Malformed(f"unknown unit {term[3]!r} in duration {whole_text!r}: not one of ns, us, ms, s, m, h{longer}")
    count = term[1].lstrip("0")
    if len(count) > _DIGITS:
        raise Malformed(f"invalid duration {whole_text!r}: longer than 292 years")
    fraction = (term[2] or "")[:_DIGITS]
    # In floats, because Go does the same and cuts off what is below a nanosecond.
    part = int(float(fraction or 0) * (unit / 10 ** len(fraction)))
    return int(count or 0) * unit + part, rest[term.end() :]


def _below_a_second(nanoseconds: int) -> str:
    if nanoseconds < _UNITS["us"]:
        return f"{nanoseconds}ns"
    if nanoseconds < _UNITS["ms"]:
        return f"{_decimal(nanoseconds, _UNITS['us'])}\u00b5s"
    return f"{_decimal(nanoseconds, _UNITS['ms'])}ms"


def _decimal(amount: int, unit: int) -> str:
    """Return amount/unit without trailing zeros; `unit` is a power of ten."""
    whole, rest = divmod(amount, unit)
    digits = str(rest).zfill(len(str(unit)) - 1).rstrip("0")
    return f"{whole}.{digits}" if digits else str(whole)
