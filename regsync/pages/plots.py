"""The last runs of an entry as a small picture: a bar for each, as high as it took long, failures below the line, too.

What is drawn are numbers of our own; colours and words are the page's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

from regsync.record.values import RunOutcome, RunRecord
from regsync.record.words import human_seconds

RUNS: Final = 50
_STEP: Final = 3  # units from bar to bar; a bar is two wide
_BASE: Final = 20  # where bars stand
_LEAST: Final = 3  # units the shortest one is high
_MOST: Final = 19
_BELOW: Final = 4  # units by which a failure goes below the line
WIDTH: Final = RUNS * _STEP
HEIGHT: Final = _BASE + _BELOW


@dataclass(frozen=True, slots=True)
class Bars:
    """The runs with one outcome, as the data of a path whose strokes are the bars."""

    outcome: RunOutcome
    path: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The picture, and what it says in words for who does not see it."""

    bars: tuple[Bars, ...]
    words: str


def plot(runs: Sequence[RunRecord]) -> Plot | None:
    """Return the picture of these runs, the last of which come first and stand at the right; None where are none."""
    shown = runs[:RUNS]
    if not shown:
        return None
    longest = max(run.seconds for run in shown) or 1.0
    paths: dict[RunOutcome, list[str]] = {}
    for place, run in enumerate(shown):
        middle = WIDTH - _STEP * place - 1
        foot = HEIGHT if run.outcome == "failed" else _BASE
        high = foot - _BASE + _LEAST + round((_MOST - _LEAST) * sqrt(run.seconds / longest))
        paths.setdefault(run.outcome, []).append(f"M{middle} {foot}v-{high}")
    return Plot(tuple(Bars(outcome, "".join(parts)) for outcome, parts in sorted(paths.items())), _words(shown))


def _words(runs: Sequence[RunRecord]) -> str:
    counts = Counter(run.outcome for run in runs)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    quickest, longest = (human_seconds(chosen(run.seconds for run in runs)) for chosen in (min, max))
    many = f"last {len(runs)} runs" if len(runs) > 1 else "last run"
    took = longest if quickest == longest else f"{quickest} to {longest}"
    return f"{many}: {told}; took {took}"
