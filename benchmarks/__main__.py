"""`python -m benchmarks [SCENARIO,…|all]`: measure, and say where a limit of ours was passed.

Environment: `PEERS` is a directory with other programs to compare with (`regsync`, `crane`), `BENCH_DIR` a place for
the registries' data (about 3 GiB; memory or a quick disk).
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.result import Result
from benchmarks.scenarios import SCENARIOS

_COLUMNS = ("seconds", "cpu", "peak", "requests", "first", "blobs", "passed")
_TITLES = ("seconds", "cpu s", "peak MiB", "requests", "first s", "blobs", "% bytes")
_WHOLE = ("requests", "blobs")
_ROW = "{:26} {:14} {:>9} {:>9} {:>9} {:>9} {:>9} {:>6} {:>7}  {}"


def main(wanted: str) -> int:
    """Run the scenarios named; return how many limits were passed, at most 1."""
    names = list(SCENARIOS) if wanted == "all" else wanted.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        sys.exit(f"no scenario {', '.join(unknown)}; there are {', '.join(SCENARIOS)}")
    print(_ROW.format("scenario", "program", *_TITLES, ""))
    work = Path(tempfile.mkdtemp(prefix="regsync-bench-", dir=os.environ.get("BENCH_DIR")))
    passed = 0
    try:
        for name in names:
            place = work / name
            place.mkdir()
            ours: dict[str, Result] = {}
            for result in SCENARIOS[name](place):
                if result.program == "ours":
                    ours[result.scenario] = result
                passed += show(result, ours.get(result.scenario))
            shutil.rmtree(place)
    finally:
        shutil.rmtree(work)
    return min(1, passed)


def show(result: Result, ours: Result | None) -> int:
    """Print a line; return 1 if a limit was passed or the program failed."""
    measured = result.measured
    cells = [_cell(measured[column], whole=column in _WHOLE) for column in _COLUMNS]
    over = [
        f"{name} over {limit:g}"
        for name, limit in result.limits.items()
        if (value := measured[name]) is None or value > limit
    ]
    if result.cost.code:
        over.insert(0, f"exit {result.cost.code}")
    verdict = "; ".join(over) if over else "within limits" if result.limits else ""
    if ours and result is not ours and not over:
        verdict = f"ours takes {ours.cost.seconds / result.cost.seconds:.2f} of its time"
    print(_ROW.format(result.scenario, result.program, *cells, verdict), flush=True)
    return bool(over) and result.program == "ours"


def _cell(value: float | None, *, whole: bool) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if whole else f"{value:.2f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "all"))
