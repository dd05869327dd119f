"""One line of a log: at most 4 KiB whatever others chose to stand in it, and nothing secret in it.

4 KiB is what a pipe takes in one piece, so lines of several processes that share one do not mix.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from regsync.secrets import Secrets
from regsync.text import plain

LONGEST = 4095  # bytes of one line, without its end
_LOOKED_AT = 1 << 16  # characters of one value, all of a list included, that are looked at to cut it
_PLAIN = re.compile(r"[!#-<>-~]+")  # printable ASCII without space, quote and equals sign
_LONGEST_WORDS = 1024  # characters of what is said of which source and target, on a terminal
_DIM, _RESET = "\x1b[2m", "\x1b[0m"
_COLOURS = {"ERROR": "\x1b[31m", "WARN": "\x1b[33m"}
Values = Mapping[str, object]
Written = Callable[[object], str]
Line = Callable[[datetime, str, str, Values, Secrets], str]


def text_line(at: datetime, level: str, message: str, fields: Values, secrets: Secrets) -> str:
    """Return the line as Go's slog writes it."""
    start = f"time={at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03d}Z level={level}"
    values = _fitting({"msg": message, **fields}, LONGEST - len(start), _quoted, secrets, each=len(" ="))
    return " ".join([start, *(f"{key}={value}" for key, value in values.items())])


def json_line(at: datetime, level: str, message: str, fields: Values, secrets: Secrets) -> str:
    """Return the line as one JSON object."""
    start = f'{{"time": "{at:%Y-%m-%dT%H:%M:%S.%f}Z", "level": "{level}"'
    values = _fitting({"msg": message, **fields}, LONGEST - len(start) - 1, _in_json, secrets, each=len(', "": '))
    return f"{start}{''.join(f', {json.dumps(key)}: {value}' for key, value in values.items())}}}"


def people_line(at: datetime, level: str, message: str, fields: Values, secrets: Secrets, *, colours: bool) -> str:
    """Return the line as people read it: when it was where they are, how bad, from where to where."""
    said = dict(fields)
    said.pop("digest", None)  # `diff` and reports have it
    ends = [str(said.pop(key)) for key in ("source", "target") if key in said]
    shown = plain(secrets.clean(": ".join([message, *([" -> ".join(ends)] if ends else ())])[:_LONGEST_WORDS]))
    values = _fitting(said, LONGEST - len(shown.encode()), _quoted, secrets, each=len(" ="))
    hour, worse = f"{at.astimezone():%H:%M:%S}", "" if level == "INFO" else level
    if colours:
        hour, worse = f"{_DIM}{hour}{_RESET}", f"{_COLOURS[level]}{level}{_RESET}" if level in _COLOURS else worse
    words = [hour, *([worse] if worse else ()), shown]
    return " ".join([*words, *(f"{key}={value}" for key, value in values.items())])


def _fitting(values: Values, room: int, written: Written, secrets: Secrets, *, each: int) -> dict[str, str]:
    """Write the values so that all fit: the longest are cut, all to one length. `each` is what one costs beside it."""
    clean = {key: _cleaned(value, secrets) for key, value in values.items()}
    shown = {key: written(value) for key, value in clean.items()}
    room -= sum(len(key) + each for key in values)
    sizes = [_size(one) for one in shown.values()]
    if sum(sizes) <= room:
        return shown
    most = _share(sizes, room)
    return {
        key: one if _size(one) <= most else _cut(clean[key], values[key], most, written) for key, one in shown.items()
    }


def _share(sizes: list[int], room: int) -> int:
    """Return the length to which those that are longer have to be cut."""
    for left, size in zip(range(len(sizes), 0, -1), sorted(sizes), strict=True):
        if size * left > room:
            return room // left
        room -= size
    return room


def _cut(clean: object, value: object, most: int, written: Written) -> str:
    """Return as much of a value as can be written within this many bytes, and that there was more."""
    if isinstance(clean, list) and isinstance(value, list):
        return _longest(lambda count: written([*clean[:count], f"... and {len(value) - count} more"]), len(clean), most)
    text = str(clean)
    return _longest(lambda count: written(f"{text[:count]}..."), len(text), most)


def _longest(write: Callable[[int], str], most_parts: int, most_bytes: int) -> str:
    fits, too_long = 0, most_parts
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if _size(write(middle)) <= most_bytes:
            fits = middle
        else:
            too_long = middle
    return write(fits)


def _cleaned(value: object, secrets: Secrets) -> object:
    if value is None or isinstance(value, int | float):
        return value
    if not isinstance(value, list):
        return secrets.clean(str(value)[:_LOOKED_AT])
    shown: list[str] = []
    length = 0
    for one in value:
        if length > _LOOKED_AT:
            break
        shown.append(secrets.clean(str(one)[:_LOOKED_AT]))
        length += len(shown[-1]) + 1
    return shown


def _size(text: str) -> int:
    return len(text.encode(errors="backslashreplace"))


def _in_json(value: object) -> str:
    return json.dumps(value)


def _quoted(value: object) -> str:
    """Return a value as Go's slog prints it; what could forge a line or turn it around on a terminal is escaped."""
    text = f"[{' '.join(map(str, value))}]" if isinstance(value, list) else str(value)
    if _PLAIN.fullmatch(text):
        return text
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{plain(text)}"'
