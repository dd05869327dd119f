"""For how long the event loop is held up at most by 10,000 entries: their due times, and a file of them read aside."""

from __future__ import annotations

import asyncio
import gc
import resource
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Cost
from benchmarks.result import Result
from regsync.aside import aside
from regsync.clock import SystemClock
from regsync.daemon.jobs import MemoryQueue
from regsync.daemon.schedule import parse_schedule
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import ignore
from regsync.garbage import look_from_now_on, none_looked_for
from regsync.loading import Source

_ENTRIES = 10_000
_LIMIT = 0.05  # seconds
_EVERY = 0.001  # seconds between two looks at the clock


def holding(work: Path) -> Iterator[Result]:
    """Each row's seconds are the longest time in which nobody else had a turn; of three times the least."""
    file = work / "regsync.yml"
    lines = [
        f"- {{source: a/app:{number}, target: b.example/app:{number}, type: image, schedule: '{_line(number)}'}}\n"
        for number in range(_ENTRIES)
    ]
    file.write_text(f"sync:\n{''.join(lines)}")
    gc.disable()  # as the program does while it starts
    look_from_now_on()
    for name, what in (("10,000 due times", _due_times), ("10,000 entries read", partial(_read, file))):
        costs = [asyncio.run(_held(what, work)) for _ in range(3)]
        yield Result(name, "ours", min(costs, key=lambda cost: cost.seconds), limits={"seconds": _LIMIT})


def _line(number: int) -> str:
    """Return a line that no other number has; a third of them are rare."""
    minute, hour, apart = number % 60, number // 60 % 24, number // 1440
    return f"TZ=Europe/Berlin {minute},{(minute + apart) % 60} {hour} {'* *' if number % 3 else '29 2'} *"


async def _due_times() -> None:
    """Have a scheduler work out when each of its entries is due, and no two have the same schedule."""
    asked = asyncio.Event()
    schedules = {f"{number}": parse_schedule(_line(number)) for number in range(_ENTRIES)}
    schedules["last"] = parse_schedule("0 0 30 2 *")  # never comes
    clock = SystemClock()
    turns = Turns({}, MemoryQueue(), clock=clock, tell=ignore)
    scheduler = Scheduler(schedules, turns, clock=clock, never=lambda _: asked.set())
    running = asyncio.create_task(scheduler.run())
    await asked.wait()
    running.cancel()


async def _read(file: Path) -> None:
    with none_looked_for():
        await aside(partial(Source(str(file), allow_unknown_keys=False).load, lambda _: None))


async def _held(what: Callable[[], Awaitable[None]], work: Path) -> Cost:
    """Return what this costs; its seconds are the longest time the loop was held."""
    longest = 0.0

    async def probe() -> None:
        nonlocal longest
        last = time.monotonic()
        while True:
            await asyncio.sleep(_EVERY)
            longest = max(longest, time.monotonic() - last - _EVERY)
            last = time.monotonic()

    began, cpu = time.monotonic(), time.process_time()
    probing = asyncio.create_task(probe())
    await what()
    probing.cancel()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    used = time.process_time() - cpu
    return Cost(began=began, seconds=longest, cpu=used, peak=peak, code=0, log=work / "holding.log")
