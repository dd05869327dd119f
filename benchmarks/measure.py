"""What one run of a program cost."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_LAUNCH = Path(__file__).with_name("launch.py")


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


def run(command: Sequence[str], *, log: Path) -> Cost:
    """Run a command to its end, what it prints going into the log."""
    report = log.with_suffix(".cost")
    report.unlink(missing_ok=True)
    with log.open("wb") as output:
        subprocess.run(
            [sys.executable, "-I", "-S", str(_LAUNCH), str(report), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=True,
        )
    began, ended, cpu, kib, code = (float(word) for word in report.read_text().split())
    return Cost(began=began, seconds=ended - began, cpu=cpu, peak=kib / 1024, code=int(code), log=log)
