"""A state file with a past in it, as a daemon would have left one behind."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from regsync.record.rows import add_runs
from regsync.record.state import State
from regsync.record.values import Counts, ImageRecord, RunRecord
from tests.support.built import digest_of

_AT_ONCE = 100  # runs
_DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Lived:
    """An entry that was visited so many times (`runs`), every so many seconds, the last time so long ago.

    So many of the last times (`failing`) it failed. `target` is what it copies to.
    """

    entry: str
    target: str = "mirror.example/app"
    runs: int = 50
    every: float = 3600.0
    last: float = 600.0
    failing: int = 0


def remember(path: Path, lives: Sequence[Lived], *, now: datetime | None = None) -> None:
    """Write the file."""
    now = now or datetime.now(UTC)
    state = State(str(path), now=now, warn=print)
    try:
        runs = [run for number, life in enumerate(lives) for run in _runs(life, number, now)]
        for first in range(0, len(runs), _AT_ONCE):
            add_runs(state.connection, runs[first : first + _AT_ONCE], most=1000)
    finally:
        state.close()


def _runs(life: Lived, number: int, now: datetime) -> Iterator[RunRecord]:
    chance = random.Random(number)  # noqa: S311 - the same past each time
    for back in range(life.runs - 1, -1, -1):
        began = now - timedelta(seconds=life.last + back * life.every)
        failed = back < life.failing if life.failing else back * life.every > _DAY and chance.random() < 0.04
        copied = 0 if failed else chance.choice((0, 0, 0, 1, 2))
        seconds = round(0.2 + chance.random() * 0.6 + copied * chance.uniform(1.0, 9.0), 3)
        counts = Counts(copied=copied, unchanged=12 - copied, failed=int(failed), moved=copied * (37 << 20))
        yield RunRecord(
            f"{began:%Y%m%dT%H%M%S}-r{number}",
            life.entry,
            "changed",
            began,
            began + timedelta(seconds=seconds),
            seconds,
            counts,
            tuple(_images(life, began, back, copied, failed=failed)),
        )


def _images(life: Lived, at: datetime, back: int, copied: int, *, failed: bool) -> Iterator[ImageRecord]:
    for tag in range(copied):
        name = f":{3 + tag}.{back}"
        before, digest = (digest_of(f"{life.entry} {tag} {back + older}".encode()) for older in (1, 0))
        ends = (f"hub.example/library{name}", f"{life.target}{name}")
        yield ImageRecord(life.entry, *ends, "copied", at, before, digest, 37 << 20, 0, 4.2)
    if failed:
        ends = (f"hub.example/library:{back}", f"{life.target}:{back}")
        error = "hub.example: connection refused"
        yield ImageRecord(life.entry, *ends, "failed", at, message="Failed to copy", error=error, attempts=4)
