from __future__ import annotations

import asyncio
import re

import pytest

from regsync.events import (
    BlobDone,
    BlobProgress,
    CopyPlanned,
    Event,
    ImageCopied,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    RunStarted,
)
from regsync.facts import Fact
from regsync.observe.progress import Progress, Size
from regsync.record.recorder import Recorder
from regsync.record.values import RunRecord, Scope
from tests.support.clock import FakeClock

MIB = 1 << 20


class Lab:
    """A run of which facts are told, and a terminal it is drawn for."""

    def __init__(self, *, scope: Scope = "changed", size: Size = Size(80, 24), colours: bool = False) -> None:  # noqa: B008
        self.clock, self.shown, kept = FakeClock(), list[str](), list[RunRecord]()
        self.recorder = Recorder(kept.append)
        self.progress = Progress(
            self.recorder,
            self.clock,
            show=self.shown.append,
            size=lambda: size,
            colours=colours,
            clean=lambda text: text.replace("hunter2", "[censored]"),
        )
        self.tell(RunStarted("", scope))

    def tell(self, *events: Event, image: str = "") -> None:
        for event in events:
            self.recorder(Fact(self.clock.now(), "r1", "", image, event))

    def begin(self, *tags: str, blob: int = 10 * MIB) -> None:
        """Have images of one layer each under way, half of it read."""
        for tag in tags:
            target = f"b.x/app:{tag}"
            self.tell(ImageNeeded(f"a.x/app:{tag}", target), CopyPlanned(f"a.x/app:{tag}", target, 1, blob))
            progress = BlobProgress("a.x/app", ("b.x/app",), f"sha256:{tag}{'0' * 20}", blob // 2, blob)
            self.tell(progress, image=target)

    def lines(self) -> list[str]:
        return self.progress.picture().split("\n")


def test_before_any_image_is_known_they_are_looked_for() -> None:
    assert Lab().lines() == ["looking for images"]


async def test_images_bytes_rate_time_left_and_the_blobs_under_way_are_shown() -> None:
    lab = Lab()
    lab.tell(ImageNeeded("a.x/app:v0", "b.x/app:v0"), ImageCopied("a.x/app:v0", "b.x/app:v0", "sha256:0"))
    lab.lines()
    await lab.clock.advance(5)
    lab.begin("v1", "v2")
    images, total, *blobs = lab.lines()
    assert images == "1 of 3 images"
    assert "10 MiB of 20 MiB, 2.0 MiB/s, 5.0 s left" in total
    assert ["5.0 MiB of 10 MiB" in blob for blob in blobs] == [True, True]
    assert [blob.rstrip().split(" ")[-2:] for blob in blobs] == [
        ["v10000000000", "b.x/app:v1"],
        ["v20000000000", "b.x/app:v2"],
    ]


async def test_no_time_is_foretold_from_the_first_few_bytes() -> None:
    lab = Lab()
    lab.tell(ImageNeeded("a.x/app:v0", "b.x/app:v0"), ImageCopied("a.x/app:v0", "b.x/app:v0", "sha256:0"))
    lab.lines()
    await lab.clock.advance(86400 * 2)
    lab.begin("v1", "v2")
    assert "B/s" in lab.lines()[1]
    assert "left" not in lab.lines()[1]


def test_what_failed_is_counted_and_what_waits_says_for_how_long_and_why() -> None:
    lab = Lab()
    lab.tell(ImageFailed("Failed to copy image", "a.x/app:v1", "b.x/app:v1", "no", 1))
    lab.tell(ImagePostponed("a.x/app:v2", "b.x/app:v2", 60, "too many requests"))
    images, waits = lab.lines()
    assert images == "1 of 2 images, 1 failed"
    assert waits.split() == ["waits", "1", "min", "0", "s", "b.x/app:v2:", "too", "many", "requests"]


def test_a_check_says_how_many_are_to_be_copied() -> None:
    lab = Lab(scope="check")
    lab.tell(ImageNeeded("a.x/app:v1", "b.x/app:v1"))
    assert lab.lines() == ["1 of 1 images, 1 to be copied"]


def test_of_many_blobs_a_few_are_shown_and_the_others_counted() -> None:
    lab = Lab()
    lab.begin(*(f"v{number}" for number in range(20)))
    assert (len(lab.lines()), lab.lines()[-1]) == (9, "  and 14 more")


@pytest.mark.parametrize(("columns", "lines"), [(20, 4), (40, 6), (80, 24), (200, 60)])
def test_no_line_is_wider_than_the_terminal_and_half_of_it_stays_free_for_the_log(columns: int, lines: int) -> None:
    lab = Lab(size=Size(columns, lines))
    lab.begin(*(f"v{number}-{'long' * 60}" for number in range(20)))
    shown = lab.lines()
    assert max(map(len, shown)) < columns
    assert len(shown) <= max(lines // 2, 3) + 1


def test_a_terminal_that_is_too_small_shows_nothing() -> None:
    assert Lab(size=Size(10, 24)).lines() == [""]
    assert Lab(size=Size(80, 3)).lines() == [""]


def test_without_colours_there_is_no_escape_sequence_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    plain, coloured = Lab(), Lab(colours=True)
    for lab in (plain, coloured):
        lab.begin("v1")
        lab.tell(ImageFailed("Failed to copy image", "a.x/app:v9", "b.x/app:v9", "no", 1))
    assert "\x1b" not in plain.progress.picture()
    assert re.search(r"\x1b\[[0-9;]*m", coloured.progress.picture())


def test_what_a_registry_says_steers_no_terminal_and_shows_no_secret() -> None:
    lab = Lab()
    lab.tell(ImagePostponed("a.x/app", "b.x/app", 60, "\x1b[2J\nhunter2 [bold]:smile:"))
    (_, waits) = lab.lines()
    assert "\\x1b[2J [censored] [bold]:smile:" in waits


async def test_it_is_drawn_four_times_a_second_and_nothing_is_left_of_it_at_the_end() -> None:
    lab = Lab()
    drawing = asyncio.create_task(lab.progress.draw())
    await lab.clock.advance(1)
    assert len(lab.shown) in {4, 5}
    drawing.cancel()
    await asyncio.gather(drawing, return_exceptions=True)
    assert (lab.shown[0], lab.shown[-1]) == ("looking for images", "")


def test_bytes_that_are_there_count_as_done() -> None:
    lab = Lab()
    lab.tell(ImageNeeded("a.x/app:v1", "b.x/app:v1"), CopyPlanned("a.x/app:v1", "b.x/app:v1", 2, 2 * MIB))
    lab.tell(BlobDone("b.x/app", "sha256:1", MIB, "adopted"), image="b.x/app:v1")
    assert lab.lines()[1].endswith("1.0 MiB of 2.0 MiB")
