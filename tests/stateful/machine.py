"""One layout directory, whatever happens to it: what a tag names is whole, always, and in the end a run heals it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from regsync.errors import Unavailable
from regsync.oci.digest import Digest
from tests.stateful.world import (
    BELOW,
    ENTRIES,
    FOREIGN,
    GRACE,
    IMAGES,
    Process,
    Trouble,
    WallClock,
    enter,
    entries,
    file_of,
    files_below,
    put_unlisted,
    tree,
)
from tests.support.images import put_built
from tests.support.memory import MemoryRepository
from tests.support.simulated import SimulatedLoop

PROCESSES = 3
LEFT = (".regsync/index.json.previous", "index.json", "oci-layout")

images = st.sampled_from(sorted(IMAGES))
sources = st.sampled_from(sorted(set(ENTRIES.values())))
targets = st.lists(st.sampled_from(sorted(ENTRIES)), min_size=1, max_size=3, unique=True)
processes = st.integers(0, PROCESSES - 1)
seeds = st.integers(0, 999)
troubles = st.builds(Trouble, st.sampled_from(["kill", "kill", "cancel", "broken", "full"]), st.integers(0, 150))


@dataclass(frozen=True, slots=True)
class Round:
    """How a round of runs goes: what is drawn from `seed`, and what befalls the first of its processes.

    Before it, tags of the source may move, and the grace may pass. `starts` is when each run begins, in milliseconds.
    """

    seed: int = 0
    moves: Sequence[tuple[str, str]] = ()
    later: bool = False
    interleaving: float = 0.0
    trouble: Trouble | None = None
    tidies: bool = False
    starts: Sequence[int] = (0, 0, 0)


moves = st.lists(st.tuples(sources, images), max_size=2)
calm_rounds = st.builds(Round, seeds, moves, st.booleans())
rounds = st.builds(
    Round,
    seeds,
    moves,
    st.booleans(),
    st.sampled_from([0.0, 0.1, 0.5]),
    st.none() | troubles,
    st.booleans(),
    st.tuples(*[st.integers(0, 100)] * 3),
)


def tick(place: Path) -> float:
    """Wait until files get a newer time than any file before, and return it, in seconds since 1970."""

    def touched() -> int:
        place.write_bytes(b"")
        return place.stat().st_ctime_ns

    before = now = touched()
    while now - before < 1_000_000:
        now = touched()
    return (now - 500_000) / 1e9


class LayoutMachine(RuleBasedStateMachine):
    """A source whose tags move, processes that mirror it into one layout, and what may befall them all."""

    def __init__(self, place: Path) -> None:
        super().__init__()
        self.place = place
        self.folder = place / "layout"
        place.mkdir()
        self.loop = SimulatedLoop()
        self.clock = WallClock(self.loop, tick(place / "clock") + GRACE)
        self.source = MemoryRepository("source.example/app", chunk_size=32)
        self.loop.play(self._filled(), seed=0)
        self.processes = [self._process() for _ in range(PROCESSES)]
        self.parts: dict[str, set[str]] = {image.digest: set(image.contents()) for image in IMAGES.values()}
        self.excused: dict[tuple[str, str], set[str]] = {}
        self.stood_for: dict[str, set[str]] = {tag: set() for tag in (*ENTRIES, FOREIGN)}
        self.begun: str | None = None
        self.listed: set[str] = set()

    async def _filled(self) -> None:
        for image in IMAGES.values():
            await put_built(self.source, image)

    def _process(self) -> Process:
        return Process(self.source, self.folder, self.clock)

    def teardown(self) -> None:
        try:
            self._end()
        finally:
            for process in self.processes:
                process.layouts.close()
            self.loop.close()
            shutil.rmtree(self.place)

    # What happens. Nothing that is drawn depends on what is there, so that a game can be played again.

    @initialize(chosen=st.lists(images, min_size=4, max_size=4))
    def begin(self, chosen: list[str]) -> None:
        for tag, image in zip(sorted(set(ENTRIES.values())), chosen, strict=True):
            self.move(tag, image)

    def move(self, tag: str, image: str) -> None:
        digest = Digest.parse(IMAGES[image].digest)
        self.source.tagged[tag] = digest
        for target in [target for target, source in ENTRIES.items() if source == tag]:
            self.stood_for[target].add(str(digest))

    @rule(process=processes, tags=targets, round_=calm_rounds)
    def run(self, process: int, tags: list[str], round_: Round) -> None:
        self.run_at_once([(process, tags)], round_)

    @rule(runs=st.lists(st.tuples(processes, targets), min_size=1, max_size=3), round_=rounds)
    def run_at_once(self, runs: list[tuple[int, list[str]]], round_: Round) -> None:
        for tag, image in round_.moves:
            self.move(tag, image)
        if round_.later:
            self.let_the_grace_pass()
        self.processes[runs[0][0]].trouble = copy(round_.trouble)
        smooth = round_.trouble is None and not self.source_is_broken
        results = self.loop.play(self._at_once(runs, round_), seed=round_.seed, interleaving=round_.interleaving)
        listed = entries(self.folder)
        for (number, tags), failed in zip(runs, results, strict=True):
            assert failed == 0 or not smooth, self.processes[number].failures
            for tag in tags if failed == 0 else ():
                wanted = str(self.source.tagged[ENTRIES[tag]])
                assert listed[tag]["digest"] == wanted, f"{tag} is {listed[tag]['digest']} and not {wanted}"
                self.excused.pop((tag, wanted), None)
        self._bury()

    @rule(process=processes, seed=seeds)
    def tidy(self, process: int, seed: int) -> None:
        if self.folder.exists():
            self.loop.play(self.processes[process].tidy(), seed=seed)

    @rule()
    def let_the_grace_pass(self) -> None:
        self.clock.wall = tick(self.place / "clock") + GRACE
        self.begun = None

    @rule(nth=st.integers(1, 40), times=st.integers(1, 6))
    def break_the_source(self, nth: int, times: int) -> None:
        self.source.fail("chunk", Unavailable("the connection broke"), nth=nth, times=times)

    @rule(image=images)
    def another_tool_begins(self, image: str) -> None:
        """Put an image there and do not list it yet; blobs that are there are taken for good."""
        if self.listed:
            put_unlisted(self.folder, IMAGES[image])
            self.begun = image

    @rule()
    def another_tool_ends(self) -> None:
        """List what was put there, at most an hour ago."""
        if self.begun is not None:
            image, self.begun = IMAGES[self.begun], None
            enter(self.folder, image, tag=FOREIGN)
            self.stood_for[FOREIGN].add(image.digest)

    @rule(number=st.integers(0, 99), cut=st.booleans())
    def damage(self, number: int, cut: bool) -> None:
        """Lose a file, or its second half; of a lost manifest nobody can tell what it named, so that may be swept."""
        files = sorted(path for path in self.folder.glob("blobs/*/*") if path.is_file())
        if not files:
            return
        path = files[number % len(files)]
        digest = f"{path.parent.name}:{path.name}"
        if cut:
            os.truncate(path, path.stat().st_size // 2)
        else:
            path.unlink()
        for name, entry in entries(self.folder).items():
            root = str(entry["digest"])
            if digest in self.parts[root]:
                self.excused.setdefault((name, root), set()).update({digest, *BELOW.get(digest, ())} & self.parts[root])
        if self.begun and digest in IMAGES[self.begun].contents():
            self.begun = None

    # What is true all the time.

    @invariant()
    def whatever_a_tag_names_is_whole(self) -> None:
        listed = entries(self.folder)
        for name, entry in listed.items():
            root = str(entry["digest"])
            parts, lacking = tree(self.folder, entry)
            if not lacking:
                self.parts[root] = parts
            excused = self.excused.setdefault((name, root), set())
            excused &= lacking | (self.parts[root] - parts)
            assert lacking <= excused, f"{name} is {root} and lacks {sorted(lacking - excused)}"

    @invariant()
    def a_tag_stays_and_names_what_it_stood_for_at_the_source(self) -> None:
        listed = entries(self.folder)
        assert self.listed <= set(listed), f"{self.listed - set(listed)} got lost"
        self.listed = set(listed)
        for tag in self.listed & set(self.stood_for):
            assert listed[tag]["digest"] in self.stood_for[tag], f"{tag} never was {listed[tag]['digest']}"
        if any(self.folder.glob("blobs/*/*")):
            assert (self.folder / "oci-layout").exists()

    # How it goes, and how it ends.

    async def _at_once(self, runs: list[tuple[int, list[str]]], round_: Round) -> list[int | None]:
        starts = zip(runs, round_.starts, strict=False)
        work = [self.processes[number].run(tags, after=start / 1000) for (number, tags), start in starts]
        beside = asyncio.ensure_future(self.processes[-1].tidy()) if round_.tidies else None
        results = await asyncio.gather(*work)
        if beside is not None:
            await beside
        return results

    def _bury(self) -> None:
        """Begin processes in place of those that were killed."""
        for number, process in enumerate(self.processes):
            process.trouble = None
            process.failures.clear()
            if not process.alive:
                process.layouts.close()
                self.processes[number] = self._process()

    @property
    def source_is_broken(self) -> bool:
        return any(failure.times for failure in self.source._knobs.failures.get("chunk", ()))

    def _end(self) -> None:
        """Run once more, which heals everything; and after the grace, which leaves no garbage."""
        self.source._knobs.failures.clear()
        self.run(0, sorted(ENTRIES), Round())
        self.whatever_a_tag_names_is_whole()
        self.let_the_grace_pass()
        self.move("latest", "one" if self.source.tagged["latest"] != Digest.parse(IMAGES["one"].digest) else "two")
        self.run(1, sorted(ENTRIES), Round())
        self.whatever_a_tag_names_is_whole()
        needed, perhaps = set(LEFT), set[str]()
        for name, entry in entries(self.folder).items():
            parts, lacking = tree(self.folder, entry)
            assert not (lacking and name in ENTRIES), f"{name} lacks {sorted(lacking)}"
            if lacking:  # which no entry mends: what is below it can be missed, or not be recognised any more
                perhaps.update(map(file_of, self.parts[str(entry["digest"])]))
            else:
                needed.update(map(file_of, parts))
        found = files_below(self.folder)
        assert needed <= found, f"lost: {sorted(needed - found)}"
        assert found <= needed | perhaps, f"garbage: {sorted(found - needed - perhaps)}"


def play(place: Path, *, examples: int, **more: object) -> None:
    """Play so many games in this place."""
    numbers: Iterator[int] = count()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        database=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        **more,  # type: ignore[arg-type]
    )
    machine: Any = lambda: LayoutMachine(place / str(next(numbers)))  # noqa: E731  # it takes what makes one, too
    run_state_machine_as_test(machine, settings=chosen)
