"""What a run comes to, counted from facts."""

from __future__ import annotations

from dataclasses import dataclass, field

from regsync.events import (
    BlobDone,
    ImageCopied,
    ImageCurrent,
    ImageFailed,
    ImageNeeded,
    ImageRefreshing,
    ImageSkipped,
    ManifestPushed,
    RunFinished,
)
from regsync.facts import Fact
from regsync.record.values import Counts


@dataclass(slots=True)
class Tally:
    """Counts of one run: images by what became of them, bytes moved, and bytes that mounts and links spared."""

    copied: int = 0
    unchanged: int = 0
    skipped: int = 0
    needed: int = 0
    moved: int = 0
    spared: int = 0
    failures: list[ImageFailed] = field(default_factory=list)

    def __call__(self, fact: Fact, /) -> None:
        """Count one fact; what is no result of a run counts nowhere."""
        match event := fact.event:
            case ImageCopied():
                self.copied += 1
            case ImageCurrent():
                self.unchanged += 1
            case ImageSkipped():
                self.skipped += 1
            case ImageNeeded() | ImageRefreshing():
                self.needed += 1
            case ImageFailed():
                self.failures.append(event)
            case BlobDone(size=size, how="copied") | ManifestPushed(size=size):
                self.moved += size
            case BlobDone(size=size, how="adopted"):
                self.spared += size
            case _:
                pass

    def finished(self, entry: str, *, seconds: float, cut: bool = False) -> RunFinished:
        """Return the event that says what the run of this entry (empty: of all) came to."""
        return RunFinished(
            entry,
            copied=self.copied,
            unchanged=self.unchanged,
            skipped=self.skipped,
            failed=len(self.failures),
            moved=self.moved,
            spared=self.spared,
            seconds=seconds,
            cut=cut,
        )

    def counts(self) -> Counts:
        """Return the counts so far."""
        return Counts(
            self.copied,
            self.unchanged,
            self.skipped,
            self.needed,
            len(self.failures),
            self.moved,
            self.spared,
        )
