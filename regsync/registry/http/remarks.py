"""What the operator is told of a registry, once: what it says of itself, and where it is odd."""

from __future__ import annotations

import re

from regsync.events import Tell, Warned
from regsync.registry.http.message import Headers
from regsync.text import plain

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')
_MOST_WARNINGS = 100
_LONGEST_WARNING = 4096  # characters


class Remarks:
    """What was told of one registry, by its name."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._told: set[str] = set()

    def heed(self, headers: Headers) -> None:
        """Pass on what a registry wants people to read (RFC 7234, section 5.5, and the specification's "Warnings")."""
        for text in _WARNING.findall(headers.get("warning", "")):
            said = plain(text[:_LONGEST_WARNING])
            if said not in self._told and len(self._told) < _MOST_WARNINGS:
                self._told.add(said)
                self._tell(Warned("Registry warning message", {"host": self._name, "warning": said}))

    def odd(self, what: str, example: str = "") -> None:
        """Tell of an oddity of this registry and what we do about it, once, by its first example."""
        if what not in self._told:
            self._told.add(what)
            fields = {"example": plain(example[:_LONGEST_WARNING])} if example else {}
            self._tell(Warned(f"Registry is odd: {what}", {"host": self._name, **fields}))
