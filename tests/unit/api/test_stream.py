"""What those are told who follow: in order, once, from where they left; and who does not listen holds nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from regsync.api.stream import Reader, Stream
from regsync.events import (
    BlobDone,
    BlobProgress,
    Commanded,
    CopyPlanned,
    Event,
    ImageCopied,
    ImageCurrent,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    JobSkipped,
    Ready,
    Reloaded,
    ReloadRefused,
    RunFinished,
    RunStarted,
    Stopping,
)
from regsync.record.recorder import Recorder
from regsync.secrets import Secrets
from tests.support.clock import FakeClock, settle
from tests.support.facts import a_fact

S, T = "a.x/app:1", "b.x/app:1"
RUN = "20260101T120000.000-r1"
DONE = RunFinished("e", copied=0, unchanged=0, skipped=0, failed=0, moved=0, spared=0, seconds=1.0)


class World:
    """A stream, and who follows it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.secrets = Secrets()
        self.recorder = Recorder(lambda run: self.stream.ended(run))  # noqa: PLW0108  # it is made after this
        self.stream = Stream(self.recorder, self.secrets, self.clock)
        self.dropped = 0

    def happens(self, *events: Event, entry: str = "e", run: str = "r1") -> None:
        for event in events:
            fact = a_fact(event, run=run, entry=entry, image=T)
            self.recorder(fact)
            self.stream(fact)

    def drop(self) -> None:
        self.dropped += 1

    async def told(self, *, since: str = "", entry: str = "", within: int = 0) -> list[dict[str, Any]]:
        """Return what one is told who comes now, and stays while so many seconds pass."""
        with self.stream.followed(since=since, entry=entry, drop=self.drop) as reader:
            return await self.heard(reader, within=within)

    async def heard(self, reader: Reader, *, within: int = 0) -> list[dict[str, Any]]:
        frames: list[bytes] = []
        listening = asyncio.create_task(collect(reader.frames(), frames))
        beating = asyncio.create_task(self.stream.beat())
        await settle()
        await self.clock.advance(within)
        listening.cancel()
        beating.cancel()
        await settle()
        return [parsed(frame) for frame in frames]


async def collect(frames: AsyncIterator[bytes], into: list[bytes]) -> None:
    async for frame in frames:
        into.append(frame)  # noqa: PERF401  # whoever is cancelled has heard these


def parsed(frame: bytes) -> dict[str, Any]:
    assert frame.endswith(b"\n\n")
    lines = [line.partition(":") for line in frame.decode().splitlines() if line]
    return {name: json.loads(value) if name == "data" else value.strip() for name, _, value in lines}


@pytest.fixture
def world() -> World:
    return World()


def names(told: list[dict[str, Any]]) -> list[str]:
    return [one["event"] for one in told if "event" in one]


async def test_a_run_and_its_images_are_told_from_beginning_to_end(world: World) -> None:
    with world.stream.followed(since="", entry="", drop=world.drop) as reader:
        world.happens(RunStarted("e", "changed"), ImageNeeded(S, T, "sha256:2", "sha256:1"))
        world.happens(ImageCopied(S, T, "sha256:2"), DONE)
        first, *told = await world.heard(reader)
    assert first == {"retry": "3000", "id": "20260101T000000-0"}
    assert [one["id"] for one in told] == [f"20260101T000000-{number}" for number in (1, 2, 3, 4)]
    assert names(told) == ["run-started", "image-started", "image-ended", "run-ended"]
    started, image, end, over = (one["data"] for one in told)
    ends = {"run": RUN, "entry": "e", "source": S, "target": T}
    assert (started["id"], started["outcome"], over["id"], over["outcome"]) == (RUN, "running", RUN, "copied")
    assert image == {**ends, "digest": "sha256:2", "before": "sha256:1"}
    nothing = {"message": "", "error": "", "attempts": 0}
    assert end == {**ends, "outcome": "copied", "digest": "sha256:2", **nothing}


@pytest.mark.parametrize(
    ("event", "name", "some"),
    [
        (Ready(2, "d"), "ready", {"entries": 2, "digest": "d"}),
        (Stopping(25.0), "stopping", {"grace": 25.0}),
        (Reloaded("d", 3, 1, 1, 1), "reloaded", {"entries": 3, "removed": 1}),
        (ReloadRefused(("a: b",)), "reload-refused", {"problems": ["a: b"]}),
        (
            Commanded("pause", "e", "API", "10.0.0.1", paused=True),
            "commanded",
            {"entry": "e", "command": "pause", "paused": True},
        ),
        (JobSkipped("e", FakeClock().now(), 3), "run-skipped", {"entry": "e", "times": 3}),
        (ImageFailed("Failed to copy", S, T, "why", 3), "image-ended", {"outcome": "failed", "error": "why"}),
        (ImagePostponed(S, T, 60.0, "429"), "image-waits", {"until": "2026-01-01T12:01:00.000Z", "why": "429"}),
    ],
)
async def test_every_other_event_is_told_with_what_there_is_to_say(
    world: World, event: Event, name: str, some: dict[str, Any]
) -> None:
    world.happens(RunStarted("e", "changed"), event)
    *_, last = await world.told(since="20260101T000000-0")
    assert last["event"] == name
    assert last["data"].items() >= some.items()


async def test_what_is_unchanged_is_told_only_where_it_was_told_to_have_started(world: World) -> None:
    world.happens(RunStarted("e", "changed"), ImageCurrent(S, T, "same"), ImageNeeded(S, T), ImageCurrent(S, T, "same"))
    world.happens(ImageCurrent(S, T, "same"))
    told = await world.told(since="20260101T000000-0")
    assert names(told) == ["run-started", "image-started", "image-ended"]


async def test_progress_is_told_once_a_second_while_there_is_some_and_never_later(world: World) -> None:
    world.happens(RunStarted("e", "changed"), ImageNeeded(S, T), CopyPlanned(S, T, 1, 100))
    with world.stream.followed(since="", entry="", drop=world.drop) as reader:
        for offset in (10, 20, 30):
            world.happens(BlobProgress("a.x/app", ("b.x/app",), "sha256:b", offset, 100))
        told = await world.heard(reader, within=5)
        world.happens(BlobProgress("a.x/app", ("b.x/app",), "sha256:b", 40, 100))
        told += await world.heard(reader, within=5)
        world.happens(BlobDone("b.x/app", "sha256:b", 100, "copied"))
        told += await world.heard(reader, within=5)
    assert names(told) == ["image-progress"] * 2
    assert [one["data"]["done"] for one in told[1:]] == [30, 40]
    assert "id" not in told[1]
    assert "image-progress" not in names(await world.told(since="20260101T000000-0"))


async def test_who_comes_back_is_told_what_it_missed(world: World) -> None:
    world.happens(Ready(1, "a"), Ready(2, "b"), Ready(3, "c"))
    told = await world.told(since="20260101T000000-1")
    assert [one.get("data", {}).get("entries") for one in told] == [None, 2, 3]
    assert "id" not in told[0]
    assert names(await world.told(since="20260101T000000-3")) == []


@pytest.mark.parametrize(
    "since",
    ["20260101T000000-1", "20251231T000000-1102", "20260101T000000-1103", "x", "-", "20260101T000000-٣", "1" * 999],
)
async def test_who_was_away_too_long_or_heard_another_process_is_told_to_begin_anew(world: World, since: str) -> None:
    world.happens(*[Ready(number, "a") for number in range(1102)])
    told = await world.told(since=since)
    assert told == [{"retry": "3000", "id": "20260101T000000-1102"}, {"event": "reset", "data": {}}]


async def test_the_last_thousand_events_are_kept(world: World) -> None:
    world.happens(*[Ready(number, "a") for number in range(1102)])
    told = await world.told(since="20260101T000000-102")
    assert [one["data"]["entries"] for one in told[1:]] == [*range(102, 1102)]


async def test_a_comment_every_fifteen_seconds_says_that_somebody_is_there(world: World) -> None:
    assert [*map(str, await world.told(within=31))][1:] == ["{'': ''}"] * 2


async def test_one_entry_is_followed_with_what_the_server_says_and_no_other(world: World) -> None:
    with world.stream.followed(since="", entry="e", drop=world.drop) as reader:
        world.happens(RunStarted("e", "changed"))
        world.happens(RunStarted("f", "changed"), ImageNeeded(S, T), entry="f", run="r2")
        world.happens(Ready(1, "a"))
        told = await world.heard(reader)
    assert names(told) == ["run-started", "ready"]


async def test_no_secret_is_told(world: World) -> None:
    world.secrets.keep("canary-canary")
    world.happens(RunStarted("e", "changed"), ImageFailed("no", S, T, "said: canary-canary", 1))
    world.happens(ReloadRefused(("bad: canary-canary",)))
    told = await world.told(since="20260101T000000-0")
    assert "canary-canary" not in str(told)
    assert str(told).count("[censored]") == 2


async def test_who_does_not_listen_is_let_go_and_the_others_hear_everything(world: World) -> None:
    with (
        world.stream.followed(since="", entry="", drop=world.drop),
        world.stream.followed(since="", entry="", drop=lambda: None) as awake,
    ):
        told = await world.heard(awake)
        for number in range(1300):
            world.happens(Ready(number, "a"))
            if not number % 100:
                told += await world.heard(awake)
        told += await world.heard(awake)
    assert [one["data"]["entries"] for one in told[1:]] == [*range(1300)]
    assert world.dropped == 1


async def test_sixteen_may_follow_and_nobody_once_it_is_closed(world: World) -> None:
    followed = [world.stream.followed(since="", entry="", drop=world.drop) for _ in range(16)]
    crowded = []
    for one in followed:
        crowded.append(world.stream.crowded)
        one.__enter__()
    crowded.append(world.stream.crowded)
    followed[0].__exit__(None, None, None)
    crowded.append(world.stream.crowded)
    world.stream.close()
    crowded.append(world.stream.crowded)
    assert crowded == [False] * 16 + [True, False, True]


async def test_at_the_end_who_has_heard_all_goes_in_peace_and_who_has_not_at_once(world: World) -> None:
    with (
        world.stream.followed(since="", entry="", drop=world.drop) as listens,
        world.stream.followed(since="", entry="", drop=world.drop),
    ):
        listening = asyncio.create_task(collect(listens.frames(), []))
        await settle()
        world.stream.close()
        await listening
    assert world.dropped == 1
