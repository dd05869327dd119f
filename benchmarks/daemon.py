"""A real `server` of 10,000 entries: what its life costs, and for how long it holds its loop.

Two lives with the same phases, one as it is and one with a probe in its loop, which takes processor time itself. Their
entries have cron lines (a tenth of them 29 February) and intervals, none of which comes due meanwhile. What is read of
the process comes from Linux' /proc.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.flat import flat_names, flat_pairs
from benchmarks.lab import ours, registry, write_config
from benchmarks.measure import Cost
from benchmarks.probe import Hold, read
from benchmarks.proxy import Proxy
from benchmarks.result import ROUND_TRIP, Result
from regsync.record.state import read_only

_ENTRIES = 10_000
_TARGETS = 4  # hosts
_IDLE = 30.0  # seconds that are looked at
_PATIENCE = 180.0  # seconds for a first pass
_TIMES = 3  # that is asked for what is answered at once; the quickest counts
_HELD = 0.05  # seconds
_LIMITS = {
    "start": {"seconds": 5.0, "peak": 250.0},
    "first pass": {"peak": 250.0},
    "idle": {"cpu": 0.01 * _IDLE, "peak": 250.0},
    "/metrics": {"peak": 250.0},
    "/": {"seconds": 0.3, "peak": 250.0},
    "/api/v1/entries": {"peak": 250.0},
    "reload": {"peak": 250.0},
}


@dataclass(frozen=True, slots=True)
class _Phase:
    """A part of a life, in monotonic seconds; `cpu` in seconds, `peak` of the whole life so far in MiB.

    `quickest` is how long the quickest of the things took that were done in it.
    """

    name: str
    began: float
    ended: float
    quickest: float
    cpu: float
    peak: float


def daemon(work: Path) -> Iterator[Result]:
    """Costs by phase; with the probe, the longest that the loop was held: at most (seconds), by itself alone (cpu)."""
    with registry(work / "source") as source, registry(work / "target") as target:
        names = flat_names(source, target)
        with Proxy([source.port] * 9 + [target.port] * _TARGETS, round_trip=ROUND_TRIP) as proxy:
            for probed in (False, True):
                place = work / ("probed" if probed else "plain")
                place.mkdir()
                _configure(place, flat_pairs(names, proxy.ports), proxy.ports)
                report = place / "holds"
                command = [sys.executable, "-m", "benchmarks.probe", str(report)] if probed else [*ours().command]
                with _served(command, place) as life:
                    phases = [*life.phases()]
                holds = read(report) if probed else None
                yield from (_row(phase, holds, place / "log") for phase in phases)


def _row(phase: _Phase, holds: list[Hold] | None, log: Path) -> Result:
    if holds is None:
        cost = Cost(phase.began, phase.quickest, phase.cpu, phase.peak, code=0, log=log)
        return Result(f"daemon: {phase.name}", "ours", cost, limits=_LIMITS[phase.name])
    within = [hold for hold in holds if phase.began <= hold.since < phase.ended]
    longest = max(within, key=lambda hold: hold.own, default=Hold(phase.began, 0.0, 0.0, 0.0, ""))
    if longest.own > _HELD:
        print(f"held for {longest.own:.3f} of {longest.seconds:.3f} s: {longest.where}", file=sys.stderr)
    most = max((hold.most for hold in within), default=0.0)
    cost = Cost(phase.began, most, longest.own, phase.peak, code=0, log=log)
    return Result(f"held: {phase.name}", "ours", cost, limits={"cpu": _HELD})


def _configure(place: Path, pairs: list[list[str]], ports: list[int]) -> None:
    entries: list[dict[str, object]] = [
        {"source": source, "target": target, "type": "image", "schedule": _schedule(number)}
        for number, (source, target) in enumerate(pairs)
    ]
    write_config(place / "regsync.yml", hosts=[f"127.0.0.1:{port}" for port in ports], entries=entries)
    text = (place / "regsync.yml").read_text()
    (place / "regsync.yml").write_text(text.replace("sync:\n", f"  state: {place}/state.db\nsync:\n", 1))


def _schedule(number: int) -> str:
    if not number % 10:
        return f"{number % 60} {number // 60 % 24} 29 2 *"
    if not number % 3:
        return f"'@every {24 + number % 5}h'"
    return f"{number % 60} {(time.gmtime().tm_hour + 3 + number // 60 % 18) % 24} * * *"


@contextmanager
def _served(command: list[str], place: Path) -> Iterator[_Life]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    words = ["server", "-c", str(place / "regsync.yml"), "--listen", f"127.0.0.1:{port}"]
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    with (place / "log").open("wb") as log:
        process = subprocess.Popen([*command, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ)
    try:
        yield _Life(process, port, place, began)
    finally:
        process.terminate()
        process.wait()


class _Life:
    """A server that runs, and began at this monotonic second."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, place: Path, began: float) -> None:
        self._process = process
        self._port = port
        self._place = place
        self._ended, self._cpu = began, 0.0

    def phases(self) -> Iterator[_Phase]:
        """Go through its phases."""
        yield self._phase("start", self._until_ready)
        yield self._phase("first pass", self._until_all_ran)
        time.sleep(2.0)
        self._ended, self._cpu = time.monotonic(), self._used()
        yield self._phase("idle", lambda: time.sleep(_IDLE))
        for path in ("/metrics", "/", "/api/v1/entries"):
            yield self._phase(path, lambda path=path: self._get(path), times=_TIMES)  # type: ignore[misc]
        yield self._phase("reload", self._reload)

    def _phase(self, name: str, work: Callable[[], object], *, times: int = 1) -> _Phase:
        began, before, took = self._ended, self._cpu, []
        for _ in range(times):
            since = self._ended
            work()
            self._ended = time.monotonic()
            took.append(self._ended - since)
        self._cpu = self._used()
        return _Phase(name, began, self._ended, min(took), self._cpu - before, self._peak())

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=60) as answer:
            content: bytes = answer.read()
        return content

    def _until_ready(self) -> None:
        while self._process.poll() is None:
            with suppress(OSError):
                self._get("/readyz")
                return
            time.sleep(0.02)
        sys.exit((self._place / "log").read_text())

    def _until_all_ran(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        with closing(read_only(str(self._place / "state.db"))) as state:
            while time.monotonic() < deadline:
                if state.execute("SELECT COUNT(DISTINCT entry) FROM runs").fetchone()[0] == _ENTRIES:
                    return
                time.sleep(1.0)
        sys.exit(f"the first pass takes longer than {_PATIENCE:g} s")

    def _reload(self) -> None:
        before = self._get("/readyz")
        with (self._place / "regsync.yml").open("a") as file:
            file.write("# changed\n")
        self._process.send_signal(signal.SIGHUP)
        while self._get("/readyz") == before:
            time.sleep(0.02)

    def _used(self) -> float:
        words = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def _peak(self) -> float:
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{self._process.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024
