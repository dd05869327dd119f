"""What the Go regsync can do and this version cannot yet: refused where it would have an effect, never ignored."""

from __future__ import annotations

from regsync.config.fields import Section


def key_of(section: Section, name: str) -> str:
    """Return the key under which this field stands in the file."""
    return type(section).model_fields[name].alias or name
