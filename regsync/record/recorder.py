"""Facts become records: what each run that is going on has come to so far, and what it came to when it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest

from regsync.events import (
    BlobDone,
    BlobProgress,
    BlobRetried,
    CopyPlanned,
    Exchanged,
    ImageCopied,
    ImageCurrent,
    ImageDelayed,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    ImageRefreshing,
    ImageSkipped,
    ManifestPushed,
    RunFinished,
    RunStarted,
)
from regsync.facts import Fact
from regsync.record.tally import Tally
from regsync.record.values import Counts, ImageOutcome, ImageRecord, LiveBlob, LiveImage, RunRecord, Scope

_UNCHANGED = 1000  # unchanged images of a run that are listed; of 10,000 tags nobody reads all
_Needed = ImageNeeded | ImageRefreshing
_Waits = ImagePostponed | ImageDelayed


@dataclass(slots=True)
class _Image:
    """An image that is needed and has not ended."""

    entry: str
    source: str
    target: str
    since: datetime
    digest: str
    before: str
    size: int = 0
    done: int = 0
    moved: int = 0
    spared: int = 0
    until: datetime | None = None
    why: str = ""
    blobs: dict[str, LiveBlob] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[bool, bool, datetime]:
        """Where it stands among others: what moves comes first, and what has a time to wait for last."""
        return not self.blobs, self.until is not None, self.since

    def is_in(self, repository: str) -> bool:
        """Say whether the image's name is one of this repository."""
        rest = self.target.removeprefix(repository)
        return rest != self.target and rest[:1] in {":", "@"}

    def live(self, run: str) -> LiveImage:
        """Return how far it is."""
        under_way = sum(blob.offset for blob in self.blobs.values())
        return LiveImage(
            run,
            self.entry,
            self.source,
            self.target,
            self.since,
            self.digest,
            self.size,
            min(self.done + under_way, self.size),
            tuple(self.blobs.values()),
            self.until,
            self.why,
        )


class _Run:
    """A run that has not ended."""

    def __init__(self, name: str, entry: str, scope: Scope, began: datetime, *, most_unchanged: int) -> None:
        self.name = name
        self.entry = entry
        self.scope = scope
        self.began = began
        self.open: dict[str, _Image] = {}
        self.tally = Tally()
        self._images: list[ImageRecord] = []
        self._unlisted = most_unchanged

    def so_far(self) -> RunRecord:
        """Return what it has come to, without its images: of ten thousand nobody wants a copy four times a second."""
        return RunRecord(self.name, self.entry, self.scope, self.began, counts=self._counts())

    def record(self, *, ended: datetime | None = None, seconds: float = 0.0, cut: bool = False) -> RunRecord:
        """Return what it has come to."""
        return replace(self.so_far(), ended=ended, seconds=seconds, images=tuple(self._images), cut=cut)

    def _counts(self) -> Counts:
        counts = self.tally.counts()
        return counts if self.scope == "check" else replace(counts, needed=0)  # they were copied, or failed

    def add(self, image: ImageRecord) -> None:
        """List what became of an image."""
        if image.outcome == "unchanged":
            self._unlisted -= 1
        if image.outcome != "unchanged" or self._unlisted >= 0:
            self._images.append(image)

    def needs(self, fact: Fact, event: _Needed) -> None:
        """Take note of an image that is to be copied; where nothing is copied, that is what became of it."""
        before = event.before if isinstance(event, ImageNeeded) else event.digest
        image = _Image(fact.entry, event.source, event.target, fact.at, event.digest, before)
        if self.scope == "check":
            self.add(_ended(image, "needed", fact.at))
        else:
            self.open[event.target] = image

    def ends(self, fact: Fact, target: str, source: str, outcome: ImageOutcome, digest: str = "") -> None:
        """Take note of what became of an image."""
        if outcome == "unchanged" and self._unlisted <= 0:
            self.open.pop(target, None)  # it is counted, and nobody will see more of it
            return
        image = self._taken(fact, target, source)
        self.add(replace(_ended(image, outcome, fact.at), digest=digest or image.digest))

    def fails(self, fact: Fact, event: ImageFailed) -> None:
        """Take note of a failure."""
        failed = _ended(self._taken(fact, event.target, event.source), "failed", fact.at)
        self.add(replace(failed, message=event.message, error=event.error, attempts=event.attempts))

    def waits(self, fact: Fact, event: _Waits) -> None:
        """Take note that an image waits."""
        image = self.open.setdefault(event.target, _Image(fact.entry, event.source, event.target, fact.at, "", ""))
        image.until = fact.at + timedelta(seconds=event.pause)
        image.why = event.why if isinstance(event, ImagePostponed) else f"{event.remaining} pulls are left"

    def plans(self, event: CopyPlanned) -> None:
        """Take note of how much there is to do for an image, be it once more."""
        if image := self.open.get(event.target):
            image.size, image.done, image.until, image.why = event.size, 0, None, ""

    def moves(self, event: BlobProgress, fact: Fact) -> None:
        """Take note of how far a blob is on its way to the images it is read for."""
        blob = LiveBlob(event.digest, event.source, event.targets, event.offset, event.size)
        for target in event.targets:
            for image in self._meant(fact, target):
                image.blobs[event.digest] = blob

    def stops(self, event: BlobRetried | BlobDone, fact: Fact) -> None:
        """Take note that a blob is not under way any more; its bytes count for the image it was moved for."""
        for image in self._meant(fact, event.target):
            image.blobs.pop(event.digest, None)
            if isinstance(event, BlobDone):
                image.done += event.size
        if isinstance(event, BlobDone) and event.how != "present":
            self.credits(fact, event.target, event.size, moved=event.how == "copied")

    def credits(self, fact: Fact, repository: str, size: int, *, moved: bool) -> None:
        """Count bytes for one image: the one this was done for, or else any of the repository's."""
        for image in self._meant(fact, repository)[:1]:
            if moved:
                image.moved += size
            else:
                image.spared += size

    def _meant(self, fact: Fact, repository: str) -> list[_Image]:
        """Return the image of this repository that is worked for, or all of it where that is one of another's."""
        image = self.open.get(fact.image)
        return [image] if image is not None and image.is_in(repository) else self._in(repository)

    def _in(self, repository: str) -> list[_Image]:
        return [image for image in self.open.values() if image.is_in(repository)]

    def _taken(self, fact: Fact, target: str, source: str) -> _Image:
        return self.open.pop(target, None) or _Image(fact.entry, source, target, fact.at, "", "")


class Recorder:
    """An observer that knows how far each run is; `keep` gets what a run came to when it ends.

    Runs are named by when they began, so that names of several processes sort and do not meet.
    """

    def __init__(self, keep: Callable[[RunRecord], None], *, most_unchanged: int = _UNCHANGED) -> None:
        self._keep = keep
        self._most_unchanged = most_unchanged
        self._runs: dict[str, _Run] = {}

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        event, run = fact.event, self._runs.get(fact.run)
        if isinstance(event, RunStarted):
            name = run_name(fact)
            self._runs[fact.run] = _Run(name, event.entry, event.scope, fact.at, most_unchanged=self._most_unchanged)
            return
        if run is None or isinstance(event, Exchanged):  # which are most
            return
        run.tally(fact)
        if isinstance(event, RunFinished):
            del self._runs[fact.run]
            self._keep(run.record(ended=fact.at, seconds=event.seconds, cut=event.cut))
        else:
            _note(run, fact)

    def running(self) -> list[RunRecord]:
        """Return the runs that are going on and what they have come to so far, without their images."""
        return [run.so_far() for run in self._runs.values()]

    def under_way(self) -> dict[str, str]:
        """Return the entries whose runs are going on, with the names of these."""
        return {run.entry: run.name for run in self._runs.values()}

    def run(self, name: str) -> RunRecord | None:
        """Return the run of this name with its images, None if it is not going on."""
        return next((run.record() for run in self._runs.values() if run.name == name), None)

    def live(self) -> list[LiveImage]:
        """Return the images that are being copied or wait."""
        return [image.live(run.name) for run in self._runs.values() for image in run.open.values()]

    def foremost(self, most: int, *, entry: str = "", run: str = "") -> tuple[list[LiveImage], int]:
        """Return so many of them, those that move first, and how many there are, be it only of an entry or a run.

        Of ten thousand that wait no more are made ready than are wanted.
        """
        runs = [one for one in self._runs.values() if run in {"", one.name}]
        found = [(one.name, image) for one in runs for image in one.open.values() if entry in {"", image.entry}]
        shown = nsmallest(most, found, key=lambda named: named[1].rank)
        return [image.live(name) for name, image in shown], len(found)

    def moving(self) -> list[LiveImage]:
        """Return those of them that have blobs under way, which are few however many wait."""
        return [image.live(run.name) for run in self._runs.values() for image in run.open.values() if image.blobs]


def run_name(fact: Fact) -> str:
    """Return the name of a run by the fact that it started; one that was asked for may begin within the same second."""
    return f"{fact.at:%Y%m%dT%H%M%S}.{fact.at.microsecond // 1000:03d}-{fact.run}"


def _note(run: _Run, fact: Fact) -> None:
    match event := fact.event:
        case ImageNeeded() | ImageRefreshing():
            run.needs(fact, event)
        case ImageCurrent(digest=digest):
            run.ends(fact, event.target, event.source, "unchanged", digest)
        case ImageCopied(digest=digest):
            run.ends(fact, event.target, event.source, "copied", digest)
        case ImageSkipped():
            run.ends(fact, fact.image, event.source, "skipped")
        case ImageFailed():
            run.fails(fact, event)
        case ImagePostponed() | ImageDelayed():
            run.waits(fact, event)
        case _:
            _note_bytes(run, fact)


def _note_bytes(run: _Run, fact: Fact) -> None:
    match event := fact.event:
        case CopyPlanned():
            run.plans(event)
        case BlobProgress():
            run.moves(event, fact)
        case BlobRetried() | BlobDone():
            run.stops(event, fact)
        case ManifestPushed(size=size):
            run.credits(fact, event.target, size, moved=True)
        case _:
            pass


def _ended(image: _Image, outcome: ImageOutcome, at: datetime) -> ImageRecord:
    return ImageRecord(
        image.entry,
        image.source,
        image.target,
        outcome,
        at,
        image.before,
        image.digest,
        image.moved,
        image.spared,
        (at - image.since).total_seconds(),
    )
