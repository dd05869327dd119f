"""One run of one program: how it is asked for, and what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.lab import Program, ours, peer, write_config
from benchmarks.measure import Cost
from benchmarks.proxy import Proxy

ROUND_TRIP = 0.020  # seconds
MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Result:
    """One run of one program.

    `first` is in seconds from its start to its first request, `blobs` how often a blob was read at the source, `passed`
    what passed a broken link in per cent of the blob's bytes.
    """

    scenario: str
    program: str
    cost: Cost
    requests: int | None = None
    first: float | None = None
    blobs: int | None = None
    passed: float | None = None
    limits: Mapping[str, float] = field(default_factory=dict)

    @property
    def measured(self) -> dict[str, float | None]:
        """Return the numbers under the names that limits use."""
        return {
            "seconds": self.cost.seconds,
            "cpu": self.cost.cpu,
            "peak": self.cost.peak,
            "requests": self.requests,
            "first": self.first,
            "blobs": self.blobs,
            "passed": self.passed,
        }


Scenario = Callable[[Path], Iterator[Result]]


def watched(
    scenario: str,
    program: Program,
    arguments: list[str],
    proxy: Proxy,
    *,
    log: Path,
    limits: Mapping[str, float],
    until: Callable[[str], bool] | None = None,
) -> Result:
    """Run a program whose every request passes the proxy, until its log says so or to its end."""
    proxy.tally()
    cost = program.run(*arguments, log=log, until=until)
    tally = proxy.tally()
    return Result(
        scenario,
        program.name,
        cost,
        requests=sum(tally["requests"].values()),
        first=tally["first"] - cost.began if tally["first"] else None,
        blobs=tally["blobs"],
        limits=limits if program.name == "ours" else {},
    )


def syncers() -> list[Program]:
    """Return ours, and the other program that reads the same configuration if it is there."""
    return [program for program in (ours(), peer("regsync")) if program]


def crane(*arguments: str) -> list[str]:
    """Return arguments for crane, which looks for HTTPS first unless told."""
    return ["--insecure", *arguments]


def config(work: Path, pairs: list[list[str]], *, kind: str, parallel: int = 0, interval: str = "") -> list[str]:
    """Write a configuration of these pairs; return the arguments that run it once."""
    path = work / "regsync.yml"
    places = [reference for pair in pairs for reference in pair if not reference.startswith("ocidir://")]
    hosts = dict.fromkeys(reference.partition("/")[0] for reference in places)
    times = {"interval": interval} if interval else {}
    entries: list[dict[str, object]] = [{"source": pair[0], "target": pair[1], "type": kind, **times} for pair in pairs]
    write_config(path, hosts=list(hosts), entries=entries, parallel=parallel)
    return ["once", "-c", str(path)]
