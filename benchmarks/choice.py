"""How long it takes to choose among a hundred thousand tags: no registry, no program, in this process."""

from __future__ import annotations

import random
import resource
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Cost
from benchmarks.result import Result
from regsync.sync.select import Filter, Selection

_TAGS = 100_000
_LIMIT = 0.5  # seconds of processor, of which nobody else on the machine takes any
_PATTERNS = (
    *(r"v\d+\.\d+\.\d+", r".*-alpine3\.\d+", r"v1\..*", "latest", r"(v?\d+)+(\.\d+)*-rc\d+", "*-windows"),
    *("nightly-.*", r".*-arm64(-.*)?", r"v[0-9]+\.[0-9]+", "edge|testing"),
)
_CHOICES = {
    "10 patterns": Selection((Filter(allow=_PATTERNS),)),
    "5 allow, 5 deny": Selection((Filter(allow=_PATTERNS[:5], deny=_PATTERNS[5:]),)),
    "3 ranges": Selection((Filter(ranges=(">=1.2.0 <2", "^5.1.0-rc1", "~7.3")),)),
    "range and pattern": Selection((Filter(ranges=(">=1 <3",), deny=(".*-rc.*",)),)),
}


def choice(work: Path) -> Iterator[Result]:
    """Tags of versions, releases of distributions and daily builds; of each choice the least of three."""
    tags = many_tags()
    for name, chosen in _CHOICES.items():
        costs = [_chosen(chosen, tags, work) for _ in range(3)]
        least = min(costs, key=lambda cost: cost.cpu)
        yield Result(f"tags by {name}", "ours", least, limits={"cpu": _LIMIT})


def many_tags() -> list[str]:
    """Return tags as registries have them."""
    chance = random.Random(1)
    endings = ("", "-alpine3.20", "-rc1", "-rc11", "-windows", "-arm64-v8", "-scratch")
    versions = [f"v{chance.randrange(30)}.{chance.randrange(100)}.{number}" for number in range(_TAGS - 1)]
    return ["latest", *(version + chance.choice(endings) for version in versions)]


def _chosen(chosen: Selection, tags: list[str], work: Path) -> Cost:
    began, cpu = time.monotonic(), time.process_time()
    assert chosen.choose(tags)
    seconds, used = time.monotonic() - began, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(began=began, seconds=seconds, cpu=used, peak=peak, code=0, log=work / "choice.log")
