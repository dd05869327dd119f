"""What is printed at the end of a run: its list of failures and, for people, a table."""

from __future__ import annotations

from regsync.events import ImageFailed
from regsync.record.tally import Tally
from regsync.record.words import human_bytes
from regsync.text import plain


def failure_lines(failures: list[ImageFailed]) -> list[str]:
    """Return one line for everything that failed: where, what, and how often it was tried."""
    return [plain(f"{one.source} -> {one.target}: {one.error} ({_tries(one.attempts)})") for one in failures]


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
