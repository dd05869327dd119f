"""A run and its images as values: what the page, the API, metrics, history, reports and notifications read.

Names of images are references as people write them; digests are `sha256:…`, empty where nobody knows them; sizes are
in bytes, times aware and in UTC, durations in seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

Scope = Literal["changed", "missing", "check"]
ImageOutcome = Literal["copied", "unchanged", "skipped", "needed", "failed"]
RunOutcome = Literal["running", "failed", "cut", "copied", "needed", "unchanged"]


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What became of an image, or of a listing that failed and would have named images.

    `before` is what the target's name stood for, `digest` what it stands for now (if `needed`: what it should). `moved`
    bytes came from the source, `spared` ones were at the target's registry or file system already. `message` and
    `error` say why it failed, after so many `attempts`.
    """

    entry: str
    source: str
    target: str
    outcome: ImageOutcome
    at: datetime
    before: str = ""
    digest: str = ""
    moved: int = 0
    spared: int = 0
    seconds: float = 0.0
    message: str = ""
    error: str = ""
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """Images of a run by what became of them, and the bytes that moved for them or did not have to."""

    copied: int = 0
    unchanged: int = 0
    skipped: int = 0
    needed: int = 0
    failed: int = 0
    moved: int = 0
    spared: int = 0

    @property
    def images(self) -> int:
        """How many images and failed listings that is."""
        return self.copied + self.unchanged + self.skipped + self.needed + self.failed


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run over one entry, or over all (`entry` empty). `ended` is None while it runs; `cut`: it was not let end.

    `images` are all but those unchanged ones beyond the number that was asked for, which are counted all the same.
    """

    id: str
    entry: str
    scope: Scope
    began: datetime
    ended: datetime | None = None
    seconds: float = 0.0
    counts: Counts = Counts()
    images: tuple[ImageRecord, ...] = ()
    cut: bool = False

    @property
    def well(self) -> bool:
        """Whether it ended and nothing failed; `queries.py` asks the same of its tables."""
        return self.ended is not None and not self.cut and not self.counts.failed

    @property
    def outcome(self) -> RunOutcome:
        """The run in one word: the worst that happened in it."""
        if self.ended is None:
            return "running"
        if self.counts.failed:
            return "failed"
        if self.cut:
            return "cut"
        if self.counts.copied:
            return "copied"
        return "needed" if self.counts.needed else "unchanged"


@dataclass(frozen=True, slots=True)
class LiveBlob:
    """A blob under way to these repositories: `offset` of its `size` bytes have been read."""

    digest: str
    source: str
    targets: tuple[str, ...]
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class LiveImage:
    """An image that is being copied, or waits until `until` because of `why`.

    `done` of `size` bytes are dealt with, be it that they moved or were there; `size` is 0 until it is known.
    """

    run: str
    entry: str
    source: str
    target: str
    since: datetime
    digest: str = ""
    size: int = 0
    done: int = 0
    blobs: tuple[LiveBlob, ...] = ()
    until: datetime | None = None
    why: str = ""


def cleaned(run: RunRecord, clean: Callable[[str], str]) -> RunRecord:
    """Return a run whose images say nothing that is secret; `clean` takes it out of a text."""

    def plainly(image: ImageRecord) -> ImageRecord:
        return replace(
            image,
            source=clean(image.source),
            target=clean(image.target),
            message=clean(image.message),
            error=clean(image.error),
        )

    return replace(run, images=tuple(map(plainly, run.images)))
