"""What a run came to: counted from events, printed as its last line, its list of failures and, for people, a table."""

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
from regsync.text import plain


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

    def finished(self, entry: str, *, seconds: float) -> RunFinished:
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
        )


def failure_lines(failures: list[ImageFailed]) -> list[str]:
    """Return one line for everything that failed: where, what, and how often it was tried."""
    return [plain(f"{one.source} -> {one.target}: {one.error} ({_tries(one.attempts)})") for one in failures]


def human_bytes(count: int) -> str:
    """Return a number of bytes as people read it, in binary units."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _tries(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"


def table(tally: Tally) -> str:
    """Return the counts as a small table for a terminal.

    Drawn here: that a table library is installed at all costs every start 80 ms, since the log's library imports it.
    """
    columns = {
        "copied": str(tally.copied),
        "unchanged": str(tally.unchanged),
        "skipped": str(tally.skipped),
        "failed": str(len(tally.failures)),
        "moved": human_bytes(tally.moved),
        "spared": human_bytes(tally.spared),
    }
    widths = [max(len(name), len(value)) for name, value in columns.items()]
    rows = (columns, ["-" * width for width in widths], columns.values())
    return "".join("  ".join(map(str.rjust, row, widths)) + "\n" for row in rows)
