"""What the page shows of entries, transfers, failures and changes: values that are clean and short enough for it.

Everything in them may have been chosen by others. Secrets and what could steer a terminal or turn a line around are
taken out here; what is left is escaped where the page is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from regsync.pages.freshness import WORDS, Freshness
from regsync.pages.plots import Plot
from regsync.record.advice import advice
from regsync.record.values import ImageRecord, LiveImage, RunRecord
from regsync.record.words import causes
from regsync.text import plain

_LONGEST: Final = 300  # characters of a text of others
Clean = Callable[[str], str]  # takes secrets out of a text


def fit(text: str, clean: Clean) -> str:
    """Return a text of others as it may be shown."""
    told = plain(clean(text))
    return told if len(told) <= _LONGEST else f"{told[:_LONGEST]}…"


def path_of(entry: str, clean: Clean) -> str:
    """Return where the page of an entry is; of one that is called like a secret there is none."""
    return f"/entries/{quote(clean(entry), safe='')}"


@dataclass(frozen=True, slots=True)
class Ends:
    """What an entry, or an image of one, is called, and what it copies where."""

    entry: str
    path: str
    source: str
    target: str

    @classmethod
    def of(cls, entry: str, source: str, target: str, clean: Clean) -> Ends:
        """Return them as they may be shown."""
        return cls(fit(entry, clean), path_of(entry, clean), fit(source, clean), fit(target, clean))

    @property
    def named(self) -> bool:
        """Whether the entry's name says more than what it is made of."""
        return f"{self.source} -> {self.target}" not in self.entry


@dataclass(frozen=True, slots=True)
class Row:
    """An entry. `rhythm` is its schedule in words, `running` the run going on, `last` the one that ended."""

    ends: Ends
    kind: str
    rhythm: str
    freshness: Freshness
    succeeded: datetime | None
    equal: datetime | None
    due: datetime | None
    running: str
    paused: bool
    last: RunRecord | None
    plot: Plot | None

    @property
    def word(self) -> str:
        """How fresh it is, in a word."""
        return WORDS[self.freshness]


@dataclass(frozen=True, slots=True)
class Transfer:
    """An image under way: bytes done of how many, bytes a second (0: not known), seconds left (None: not known)."""

    ends: Ends
    run: str
    since: datetime
    done: int
    size: int
    rate: float
    left: float | None
    blobs: int
    until: datetime | None
    why: str

    @property
    def percent(self) -> int:
        """How much is done, of a hundred."""
        return 100 * self.done // self.size if self.size else 0


@dataclass(frozen=True, slots=True)
class Item:
    """An image of a run that ended."""

    ends: Ends
    run: str
    image: ImageRecord


@dataclass(frozen=True, slots=True)
class Trouble:
    """A reason why images failed, what to do about it, and which ones did."""

    reason: str
    todo: str
    items: tuple[Item, ...]


def transfer(image: LiveImage, rate: float, clean: Clean) -> Transfer:
    """Return an image under way that gets on at this rate."""
    left = (image.size - image.done) / rate if rate >= 1 and image.size else None
    return Transfer(
        Ends.of(image.entry, image.source, image.target, clean),
        image.run,
        image.since,
        image.done,
        image.size,
        rate,
        left,
        len(image.blobs),
        image.until,
        fit(image.why, clean),
    )


def item(run: str, image: ImageRecord, clean: Clean) -> Item:
    """Return an image of a run."""
    shown = replace(image, message=fit(image.message, clean), error=fit(image.error, clean))
    return Item(Ends.of(image.entry, image.source, image.target, clean), run, shown)


def troubles(failed: Sequence[Item]) -> list[Trouble]:
    """Return failures by their reasons, the most frequent first; images of one reason in the order they are in."""
    of_image = {id(one.image): one for one in failed}
    return [
        Trouble(
            cause.error or cause.images[0].message,
            advice(cause.images[0].message, cause.error),
            tuple(of_image[id(image)] for image in cause.images),
        )
        for cause in causes(one.image for one in failed)
    ]
