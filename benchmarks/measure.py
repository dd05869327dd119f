"""What one run of a program cost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")
_POLL = 0.5  # seconds


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of wall clock and of processor, peak memory in MiB; `began` is on the monotonic clock."""

    began: float
    seconds: float
    cpu: float
    peak: float
    code: int
    log: Path

    @property
    def last_line(self) -> str:
        """Return what the program said last."""
        lines = self.log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else ""


def run(command: Sequence[str], *, log: Path, until: Callable[[str], bool] | None = None) -> Cost:
    """Run a command to its end, or to SIGTERM once what it prints, which goes into the log, satisfies `until`."""
    report = log.with_suffix(".cost")
    report.unlink(missing_ok=True)
    with log.open("wb") as output:
        launch = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCH), str(report), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        while until is not None and launch.poll() is None:
            time.sleep(_POLL)
            if until(log.read_text(errors="replace")):
                launch.terminate()
                break
        if launch.wait():
            sys.exit(f"{_LAUNCH} failed")
    began, ended, cpu, kib, code = (float(word) for word in report.read_text().split())
    return Cost(began=began, seconds=ended - began, cpu=cpu, peak=kib / 1024, code=int(code), log=log)
