from __future__ import annotations

import re
from datetime import UTC, datetime

from regsync.pages.plots import HEIGHT, RUNS, WIDTH, plot
from regsync.record.values import Counts, RunRecord

THEN = datetime(2026, 1, 1, tzinfo=UTC)


def run(seconds: float, *, failed: int = 0, copied: int = 0, cut: bool = False) -> RunRecord:
    counts = Counts(copied=copied, failed=failed)
    return RunRecord("r", "a", "changed", THEN, THEN, seconds, counts, cut=cut)


def bars(*runs: RunRecord) -> dict[str, list[tuple[int, int, int]]]:
    """Where the bars of each outcome stand: the middle, the foot and the height."""
    drawn = plot(runs)
    assert drawn is not None
    return {
        one.outcome: [(int(x), int(y), int(high)) for x, y, high in re.findall(r"M(\d+) (\d+)v-(\d+)", one.path)]
        for one in drawn.bars
    }


def test_the_last_run_stands_at_the_right_and_the_longest_is_the_highest() -> None:
    (long, short) = bars(run(9.0), run(1.0))["unchanged"]
    assert long[0] > short[0]
    assert long[2] > short[2] >= 3


def test_failures_have_bars_of_their_own_that_go_below_the_line() -> None:
    found = bars(run(1.0, failed=1), run(1.0, copied=1), run(1.0, cut=True))
    assert found.keys() == {"failed", "copied", "cut"}
    assert found["failed"][0][1] > found["copied"][0][1] == found["cut"][0][1]


def test_no_more_than_fifty_runs_are_drawn_and_none_of_them_outside() -> None:
    drawn = bars(*(run(float(number % 7), failed=number % 2) for number in range(80)))
    everything = [bar for found in drawn.values() for bar in found]
    assert len(everything) == RUNS
    assert all(0 < x < WIDTH and high <= y <= HEIGHT for x, y, high in everything)


def test_the_picture_says_in_words_what_it_shows() -> None:
    drawn = plot([run(0.5), run(12.0, failed=1), run(1.0)])
    assert drawn is not None
    assert drawn.words == "last 3 runs: 2 unchanged, 1 failed; took 0.5 s to 12 s"
    assert (only := plot([run(2.0)])) is not None
    assert only.words == "last run: 1 unchanged; took 2.0 s"


def test_runs_that_took_no_time_are_drawn_and_no_runs_are_not() -> None:
    assert bars(run(0.0))["unchanged"][0][2] == 3
    assert plot([]) is None
