"""Objects for others without what is secret."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from regsync.record.objects import Object

_TEXTS: Final = frozenset(
    {"name", "entry", "source", "target", "message", "error", "why", "blobs", "problems"}
)  # others may have said


def without_secrets(found: Object, clean: Callable[[str], str]) -> Object:
    """Return an object whose texts say nothing secret; `clean` takes it out of one."""
    return {key: cleaned(value, clean) if key in _TEXTS else value for key, value in found.items()}


def cleaned(value: object, clean: Callable[[str], str]) -> object:
    """Return a text, or whatever holds some, without secrets."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: cleaned(one, clean) for key, one in value.items()}
    return [cleaned(one, clean) for one in value] if isinstance(value, list | tuple) else value
