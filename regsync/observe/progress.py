"""How far a run is, drawn a few times a second below the lines of the log. The one module that knows `rich`."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from typing import Final

from rich.console import Console, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from regsync.clock import Clock
from regsync.record.recorder import Recorder
from regsync.record.values import LiveBlob, LiveImage, RunRecord
from regsync.record.words import human_bytes, human_seconds, short
from regsync.text import plain

_EVERY: Final = 0.25  # seconds
_WINDOW: Final = 40  # drawings the rate is taken over: ten seconds
_FORESEEN: Final = 86400.0  # seconds; more than that is what the first bytes promise, and not so
_ROWS: Final = 6  # blobs and waiting images that are shown
_BAR: Final = 20  # columns
_LEAST: Final = (20, 4)  # columns and lines a terminal needs for any of it


@dataclass(frozen=True, slots=True)
class Size:
    """A terminal's, in characters."""

    columns: int
    lines: int


@dataclass(frozen=True, slots=True)
class Amounts:
    """How many bytes came so far, how many are still to come as far as is known, and bytes a second, 0 if unknown."""

    done: int
    left: int
    rate: float = 0.0


class Progress:
    """Draws what a recorder knows and gives it to `show`; names are cleaned of what is secret."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        *,
        show: Callable[[str], None],
        size: Callable[[], Size],
        colours: bool,
        clean: Callable[[str], str],
    ) -> None:
        self._recorder = recorder
        self._clock = clock
        self._show = show
        self._size = size
        self._colours = colours
        self._clean = clean
        self._seen: deque[tuple[float, int]] = deque(maxlen=_WINDOW)

    async def draw(self) -> None:
        """Draw until cancelled, and leave nothing behind."""
        try:
            while True:
                self._show(self.picture())
                await self._clock.sleep(_EVERY)
        finally:
            self._show("")

    def picture(self) -> str:
        """Return how it looks now, in lines without a break at the end; empty while no run is going on."""
        size, runs, live = self._size(), self._recorder.running(), self._recorder.live()
        if not runs or size.columns < _LEAST[0] or size.lines < _LEAST[1]:
            return ""
        rows = max(min(_ROWS, size.lines // 2 - 2), 0)
        file = StringIO()
        console = Console(
            file=file,
            force_terminal=True,
            width=size.columns - 1,  # a line that ends at the margin would break
            color_system="auto" if self._colours else None,
            highlight=False,
            emoji=False,
            markup=False,
            legacy_windows=False,
        )
        for part in self._parts(runs, live, rows):
            console.print(part, overflow="ellipsis", no_wrap=True, crop=True)
        return file.getvalue().removesuffix("\n")

    def _parts(self, runs: Sequence[RunRecord], live: Sequence[LiveImage], rows: int) -> Iterator[RenderableType]:
        yield _images(runs, live)
        amounts = self._amounts(runs, live)
        if amounts.done or amounts.left:
            yield _grid([_bytes(amounts)])
        under_way = [*_blobs(live, self._clean), *_waits(live, self._clock.now(), self._clean)]
        if shown := under_way[:rows]:
            yield _grid(shown)
        if hidden := len(under_way) - len(shown):
            yield Text(f"  and {hidden} more", "dim")

    def _amounts(self, runs: Sequence[RunRecord], live: Sequence[LiveImage]) -> Amounts:
        on_the_way = sum({blob.digest: blob.offset for image in live for blob in image.blobs}.values())
        moved = sum(run.counts.moved for run in runs) + on_the_way
        self._seen.append((self._clock.monotonic(), moved))
        (before, less), (now, more) = self._seen[0], self._seen[-1]
        rate = max(more - less, 0) / (now - before) if now > before else 0.0
        spared = sum(run.counts.spared for run in runs)
        return Amounts(moved + spared, sum(image.size - image.done for image in live), rate)


def _images(runs: Sequence[RunRecord], live: Sequence[LiveImage]) -> Text:
    """Return how many images are done of those that are known so far, and how many of them failed."""
    done, failed = sum(run.counts.images for run in runs), sum(run.counts.failed for run in runs)
    needed = sum(run.counts.needed for run in runs)
    if not done and not live:
        return Text("looking for images", "bold")
    said = Text(f"{done} of {done + len(live)} images", "bold")
    if needed:
        said.append(f", {needed} to be copied")
    if failed:
        said.append(f", {failed} failed", "red")
    return said


def _bytes(amounts: Amounts) -> list[RenderableType]:
    whole = amounts.done + amounts.left
    said = f"{human_bytes(amounts.done)} of {human_bytes(whole)}"
    if amounts.rate >= 1:
        said += f", {human_bytes(round(amounts.rate))}/s"
        seconds = amounts.left / amounts.rate
        said += f", {human_seconds(seconds)} left" if 0 < seconds < _FORESEEN else ""
    return [_bar(amounts.done, whole), Text(said)]


def _blobs(live: Sequence[LiveImage], clean: Callable[[str], str]) -> list[list[RenderableType]]:
    """Return a row for every blob under way, with one of the images it is for."""
    blobs: dict[str, tuple[LiveBlob, LiveImage]] = {}
    for image in live:
        for blob in image.blobs:
            blobs.setdefault(blob.digest, (blob, image))
    return [
        [
            _bar(blob.offset, blob.size),
            Text(f"{human_bytes(blob.offset)} of {human_bytes(blob.size)}"),
            Text(plain(f"{short(blob.digest)} {clean(image.target)}")),
        ]
        for blob, image in blobs.values()
    ]


def _waits(live: Sequence[LiveImage], now: datetime, clean: Callable[[str], str]) -> list[list[RenderableType]]:
    """Return a row for every image that is to be tried again."""
    return [
        [
            Text("waits", "yellow"),
            Text(human_seconds(max((image.until - now).total_seconds(), 0))),
            Text(plain(clean(f"{image.target}: {image.why}"))),
        ]
        for image in live
        if image.until
    ]


def _bar(done: int, whole: int) -> ProgressBar:
    return ProgressBar(total=max(whole, 1), completed=done if whole else 1, width=_BAR)


def _grid(rows: Sequence[Sequence[RenderableType]]) -> Table:
    grid = Table.grid(padding=(0, 1))
    for _ in rows[0]:
        grid.add_column(no_wrap=True, overflow="ellipsis")
    for row in rows:
        grid.add_row(*row)
    return grid
