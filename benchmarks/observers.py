"""What it costs that a run is looked at: a pass with nothing to do, with all observers of a server and with none."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Self

from benchmarks.lab import registry
from benchmarks.measure import Cost
from benchmarks.result import Result, config
from regsync.api.stream import Stream
from regsync.clock import SystemClock
from regsync.facts import Telling
from regsync.keeping import kept
from regsync.loading import Source
from regsync.metrics.board import Board
from regsync.notifying import notifying
from regsync.observe.levels import INFO
from regsync.observe.logs import Log
from regsync.observe.output import Output
from regsync.observe.systemd import Systemd
from regsync.pages.rates import Rates
from regsync.running import run_entries
from regsync.secrets import Secrets
from regsync.setup import Common, Setup, set_up

_TAGS = 100
_PASSES = 25  # of each kind, in turn; of each the least counts
_SHARE = 0.03
_Pass = Callable[[], Awaitable[float]]


def observers(work: Path) -> Iterator[Result]:
    """Processor seconds of one pass, and by which part of it one is longer that everybody looks at."""
    with registry(work / "source") as source, registry(work / "target") as target:
        layer = [one.store.blob([b"layer"]) for one in (source, target)]
        for number in range(_TAGS):
            for one in (source, target):
                one.store.tag("app", f"v{number}", one.store.image(layer[:1], name=f"app {number}"))
        arguments = config(work, [[f"127.0.0.1:{one.port}/app" for one in (source, target)]], kind="repository")
        passes = asyncio.run(_measured(Path(arguments[-1]), work))
    row = {"began": 0.0, "seconds": 0.0, "peak": 0.0, "code": 0, "log": work / "log"}
    bare, watched = (min(costs) for costs in zip(*passes, strict=True))
    yield Result("without observers", "ours", Cost(cpu=bare, **row))  # type: ignore[arg-type]
    yield Result("with observers", "ours", Cost(cpu=watched, **row))  # type: ignore[arg-type]
    share = watched / bare - 1
    yield Result("observers' share", "ours", Cost(cpu=share, **row), limits={"cpu": _SHARE})  # type: ignore[arg-type]


async def _measured(path: Path, work: Path) -> list[tuple[float, float]]:
    """Return the processor seconds of passes nobody looks at, each with those of one that everybody does.

    Which of both comes first changes: whoever does pays for what the other one left.
    """
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(_Passes(path, None))
        watched = await stack.enter_async_context(_Passes(path, work))
        took: list[tuple[float, float]] = []
        for number in range(_PASSES):
            if number % 2:
                took.append((await bare.once(), await watched.once()))
            else:
                other = await watched.once()
                took.append((await bare.once(), other))
        return took[1:]


class _Passes:
    """Passes over a configuration; `state` is where the history of those goes that are looked at."""

    def __init__(self, path: Path, state: Path | None) -> None:
        self._source = Source(str(path), allow_unknown_keys=False)
        self._state = state
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        clock, secrets = SystemClock(), Secrets()
        tell = Telling([], clock)
        self._common = Common(clock, tell, os.environ, secrets)
        self._setup = await set_up(self._source.load(secrets.keep), self._common, _at_once, lambda _: None)
        if self._state is not None:
            await self._observed(tell, clock, secrets, self._setup)
        self._connections = await self._stack.enter_async_context(self._setup.connections(self._common))
        return self

    async def _observed(self, tell: Telling, clock: SystemClock, secrets: Secrets, setup: Setup) -> None:
        """Have everybody look who does where a server answers and keeps its runs."""
        output = Output(os.open(os.devnull, os.O_WRONLY))
        log = Log(output, threshold=INFO, secrets=secrets)
        keeping = self._stack.enter_context(kept(f"{self._state}/state.db", self._common))
        board, stream = Board(clock.now()), Stream(keeping.recorder, secrets, clock)
        keeping.pass_on_to(board.add)
        keeping.pass_on_to(stream.ended)
        others = (log, Systemd({}, clock), board, Rates(), stream)
        self._stack.enter_context(tell.joined(*others))
        await self._stack.enter_async_context(notifying(lambda: setup, self._common, keeping=keeping))

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def once(self) -> float:
        """Return the processor seconds of one pass, those of threads included."""
        before = time.process_time()
        entries = [*self._setup.entries.values()]
        tally = await run_entries(
            self._connections.engine, entries, "changed", setup=self._setup, common=self._common, name="",
            abort_on_error=False,
        )  # fmt: skip
        assert tally.unchanged == _TAGS
        return time.process_time() - before


async def _at_once(call: Callable[[], Any]) -> Any:
    return call()
