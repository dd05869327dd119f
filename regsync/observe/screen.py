"""A run on standard error: for people at a terminal, or as lines for whoever collects them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from regsync.clock import Clock
from regsync.events import BlobStarted, Event, ImageNeeded, ImageRefreshing, RunFinished
from regsync.facts import Observer
from regsync.observe.ending import ending
from regsync.observe.levels import INFO
from regsync.observe.lines import Line, people_line
from regsync.observe.output import Output
from regsync.options import Manner
from regsync.record.recorder import Recorder
from regsync.record.values import RunRecord
from regsync.secrets import Secrets

_UNKNOWN = {"", "dumb", "unknown"}  # kinds of terminals whose cursor cannot be moved


class Screen:
    """A terminal that a run is shown on."""

    def __init__(
        self, output: Output, descriptor: int, *, environ: Mapping[str, str], secrets: Secrets, progress: bool
    ) -> None:
        self._output = output
        self._descriptor = descriptor
        self._environ = environ
        self._secrets = secrets
        self._progress = progress and environ.get("TERM", "") not in _UNKNOWN
        self._colours = self._progress and not environ.get("NO_COLOR")
        self._ended: list[RunRecord] = []
        self._recorder = Recorder(self._ended.append)

    def observers(self) -> list[Observer]:
        """Return what has to be told of the run."""
        return [self._recorder]

    def line(self, threshold: int) -> Line | None:
        """Return how a line is written here; None for whoever asks for more than INFO and wants all of it."""
        return partial(people_line, colours=self._colours) if threshold >= INFO else None

    @asynccontextmanager
    async def drawn(self, clock: Clock) -> AsyncIterator[None]:
        """Show how far the run is within the block, if that is wanted."""
        if not self._progress:
            yield
            return
        from regsync.observe.progress import Progress, Size  # noqa: PLC0415  # rich takes a tenth of a second

        def size() -> Size:
            with suppress(OSError):
                columns, lines = os.get_terminal_size(self._descriptor)
                if columns and lines:
                    return Size(columns, lines)
            return Size(80, 24)

        progress = Progress(
            self._recorder, clock, show=self._output.show, size=size, colours=self._colours, clean=self._secrets.clean
        )
        drawing = asyncio.create_task(progress.draw(), name="progress")
        try:
            yield
        finally:
            drawing.cancel()
            (end,) = await asyncio.gather(drawing, return_exceptions=True)
            if isinstance(end, Exception):  # a bug of ours is no reason to stop copying
                self._output.put(f"progress could not be shown: {type(end).__name__}")

    def ending(self, *, summed: bool) -> list[str]:
        """Return what the run came to, or only what failed; nothing if it did not begin."""
        return [line for run in self._ended for line in ending(run, summed=summed)]


def told_otherwise(manner: Manner, threshold: int, *, terminal: bool) -> tuple[type[Event], ...]:
    """Return the kinds of events that have no line on a terminal, where one for each image is enough.

    What is needed is copied or fails, and is told then; the end is told in words. Of what is printed as a table nothing
    is told besides, wherever the log goes. Whoever asks for more than INFO gets every line.
    """
    if threshold < INFO or not (terminal or manner.shown != "nothing"):
        return ()
    listed = manner.scope == "check" and manner.shown == "nothing"
    return (BlobStarted, RunFinished) if listed else (BlobStarted, RunFinished, ImageNeeded, ImageRefreshing)
