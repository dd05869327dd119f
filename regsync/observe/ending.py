"""What is printed at the end of a run: its list of failures and, for people, what it came to in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from regsync.events import ImageFailed
from regsync.record.values import RunRecord
from regsync.record.words import Cause, causes, summary
from regsync.text import plain

_NAMED: Final = 20  # images of a cause; every one has had its line when it failed


def failure_lines(failures: list[ImageFailed]) -> list[str]:
    """Return one line for everything that failed: where, what, and how often it was tried."""
    return [plain(f"{one.source} -> {one.target}: {one.error} ({_tries(one.attempts)})") for one in failures]


def ending(run: RunRecord, *, summed: bool = True) -> Iterator[str]:
    """Give the lines for people: one sentence, unless that is said elsewhere, and what failed, by cause."""
    if summed:
        yield f"{summary(run)}{'; not all was done' if run.cut else ''}"
    for cause in causes(run.images):
        yield from _failed(cause)


def _failed(cause: Cause) -> Iterator[str]:
    count, first = len(cause.images), cause.images[0]
    yield plain(f"{count} failed: {cause.error} ({_tries(first.attempts)})")
    for image in cause.images[:_NAMED]:
        yield plain(f"  {image.source} -> {image.target}")
    if count > _NAMED:
        yield f"  and {count - _NAMED} more"


def _tries(attempts: int) -> str:
    return "tried once" if attempts == 1 else f"tried {attempts} times"
