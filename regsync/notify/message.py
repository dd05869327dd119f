"""One message: what of a run, or of a look at what has grown old, is worth telling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

Kind = Literal["failure", "recovered", "changed", "stale"]
EXAMPLES: Final = 5  # images of a reason


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is told of: an error that so many images of a run failed with, or how old an entry is.

    `images` are some of them, `advice` says what to do. `repeated` is how many runs ended so since it was told of last,
    at `since`; of what is over, in how many something failed, from then on.
    """

    entry: str
    error: str
    count: int = 1
    images: tuple[str, ...] = ()
    advice: str = ""
    repeated: int = 0
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A name at the target that was given to another image; `before` is empty where it is new."""

    entry: str
    source: str
    target: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Message:
    """What is told. `entry`, `source` and `target` are empty where it is about several entries."""

    kind: Kind
    at: datetime
    entry: str
    source: str = ""
    target: str = ""
    run: str = ""
    reasons: tuple[Reason, ...] = ()
    changes: tuple[Change, ...] = ()

    def cleaned(self, clean: Callable[[str], str]) -> Message:
        """Return the message without what is secret; `clean` takes it out of a text."""
        reasons = tuple(
            replace(one, entry=clean(one.entry), error=clean(one.error), images=tuple(map(clean, one.images)))
            for one in self.reasons
        )
        changes = tuple(
            replace(one, entry=clean(one.entry), source=clean(one.source), target=clean(one.target))
            for one in self.changes
        )
        return replace(
            self,
            entry=clean(self.entry),
            source=clean(self.source),
            target=clean(self.target),
            reasons=reasons,
            changes=changes,
        )
