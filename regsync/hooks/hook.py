"""What an entry wants to have run, and what each of them is told: one event, as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

VERSION: Final = 1  # of the object; keys may be added to it without another number
_ERROR_MOST: Final = 2000  # characters

Stage = Literal["pre", "post", "unchanged", "entryPre", "entryPost", "entryUnchanged"]
Outcome = Literal["needed", "copied", "failed", "unchanged"]


@dataclass(frozen=True, slots=True)
class Exec:
    """A program with its arguments, which gets the event on its standard input; `timeout` is in seconds."""

    arguments: tuple[str, ...]
    timeout: float


@dataclass(frozen=True, slots=True)
class Webhook:
    """A URL the event is sent to by POST; `timeout`, in seconds, holds for all tries together."""

    url: str
    timeout: float


Hook = Exec | Webhook


@dataclass(frozen=True, slots=True)
class Hooks:
    """What is run around the images of an entry, and around the entry itself."""

    pre: Hook | None = None
    post: Hook | None = None
    unchanged: Hook | None = None
    entry_pre: Hook | None = None
    entry_post: Hook | None = None
    entry_unchanged: Hook | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """The images of an entry in one run, by what became of them."""

    copied: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """What a hook is told.

    Of an image, what the target's name stood for `before`, and what it stands for `after` a copy, or will, if all goes
    well. Of an entry that has ended, its `images`. What is not known or makes no sense is None.
    """

    hook: Stage
    entry: str
    source: str
    target: str
    outcome: Outcome
    before: str | None = None
    after: str | None = None
    media_type: str | None = None
    error: str | None = None
    images: Counts | None = None

    def document(self, now: datetime, clean: Callable[[str], str]) -> bytes:
        """Return the JSON object, without what `clean` takes for secret in the text of an error."""
        images = self.images and {name: getattr(self.images, name) for name in self.images.__slots__}
        error = self.error and clean(self.error)[:_ERROR_MOST]
        told = {
            "version": VERSION,
            "hook": self.hook,
            "time": now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "entry": self.entry,
            "source": self.source,
            "target": self.target,
            "outcome": self.outcome,
            "digestBefore": self.before,
            "digestAfter": self.after,
            "mediaType": self.media_type,
            "error": error,
            "images": images,
        }
        return json.dumps(told).encode() + b"\n"
