"""The program with a probe in its event loop: `python -m benchmarks.probe REPORT ARGUMENT…`.

Every few milliseconds the loop is asked for a turn. When one comes late, the report gets a line of JSON: since when
(monotonic seconds), by how many seconds, how many of them all threads of the process and the loop's own were computing,
and what that was doing. The machine's other processes take turns, too: on one that has nothing else to do, a loop is
held for as long as it comes late, and on a busy one for no longer than all threads took and no less than its own did.
(A thread that keeps the interpreter to itself holds the loop as well.)
"""

from __future__ import annotations

import asyncio
import atexit
import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType

_EVERY = 0.002  # seconds
_WORTH = 0.010  # seconds by which a turn comes late that is worth a line
_ASKED = 0.005  # seconds between two looks at what holds the loop
_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Hold:
    """The loop was late from `since` on by `seconds`; so long all threads computed (`busy`) and its own (`own`)."""

    since: float
    seconds: float
    busy: float
    own: float
    where: str

    @property
    def most(self) -> float:
        """Return for how long we may have held it, whatever the machine did besides."""
        return min(self.seconds, self.busy)


class Probe:
    """Looks at one loop; `holds` are in the order in which they ended."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.holds: list[Hold] = []
        self._loop = loop
        self._last, self._cpu, self._own = time.monotonic(), time.process_time(), time.thread_time()
        self._where = ""
        self._thread = threading.get_ident()
        loop.call_soon(self._tick)
        threading.Thread(target=self._watch, name="probe", daemon=True).start()

    def _tick(self) -> None:
        now, cpu, own = time.monotonic(), time.process_time(), time.thread_time()
        late = now - self._last - _EVERY
        if late > _WORTH:
            self.holds.append(Hold(self._last, late, cpu - self._cpu, own - self._own, self._where))
        self._last, self._cpu, self._own, self._where = now, cpu, own, ""
        self._loop.call_later(_EVERY, self._tick)

    def _watch(self) -> None:
        while True:
            time.sleep(_ASKED)
            if time.monotonic() - self._last > _WORTH + _ASKED:
                where = _said(sys._current_frames().get(self._thread))  # noqa: SLF001
                self._where = where if not self._where else self._where


def _said(frame: FrameType | None) -> str:
    """Return where somebody is, the innermost place first."""
    places: list[str] = []
    while frame is not None and len(places) < _FRAMES:
        places.append(f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    return " < ".join(places)


def read(report: Path) -> list[Hold]:
    """Return what a report says."""
    return [Hold(**json.loads(line)) for line in report.read_text().splitlines()]


def main() -> None:
    """Run the program with what follows the report's name as its arguments."""
    from regsync import around, cli  # noqa: PLC0415

    report = Path(sys.argv.pop(1))
    make: Callable[[], asyncio.AbstractEventLoop] = around.loop_factory() or asyncio.new_event_loop

    def probed() -> asyncio.AbstractEventLoop:
        loop = make()
        probe = Probe(loop)
        atexit.register(lambda: report.write_text("".join(f"{json.dumps(asdict(one))}\n" for one in probe.holds)))
        return loop

    vars(around)["loop_factory"] = lambda: probed
    cli.main()


if __name__ == "__main__":
    main()
