"""How loud a line is: the numbers and names of Go's slog."""

from __future__ import annotations

import re

from regsync.errors import Malformed

TRACE, DEBUG, INFO, WARN, ERROR = -8, -4, 0, 4, 8  # so that INFO+2 means the same
_LEVELS = {"debug": DEBUG, "info": INFO, "warn": WARN, "error": ERROR}
_VERBOSITY = re.compile(r"([A-Za-z]+)([+-][0-9]{1,3})?")


def parse_verbosity(text: str) -> int:
    """Return the threshold of `debug`, `info`, `warn` or `error` in any case, with an offset (`INFO+2`), or `trace`."""
    if text == "trace":
        return TRACE
    found = _VERBOSITY.fullmatch(text)
    level = _LEVELS.get(found[1].lower()) if found else None
    if found is None or level is None:
        raise Malformed(f"unable to parse verbosity {text}: expected debug, info, warn, error or trace")
    return level + int(found[2] or 0)


def level_name(level: int) -> str:
    """Return the name Go's slog prints: the level below, and how far above it."""
    name, base = max(
        ((name, base) for name, base in _LEVELS.items() if base <= level),
        key=lambda one: one[1],
        default=("debug", DEBUG),
    )
    return name.upper() if level == base else f"{name.upper()}{level - base:+d}"
