"""What is measured: each scenario prepares registries, runs ours and the peers there are, and yields what it cost."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

from benchmarks.attached import referrers
from benchmarks.blobs import blob, broken, fan
from benchmarks.choice import choice
from benchmarks.daemon import daemon
from benchmarks.flat import flat_names, flat_pairs
from benchmarks.holding import holding
from benchmarks.image import image
from benchmarks.lab import ours, peer, registry
from benchmarks.observers import observers
from benchmarks.proxy import Proxy
from benchmarks.reading import reading
from benchmarks.result import ROUND_TRIP, Result, Scenario, config, crane, syncers, watched
from benchmarks.store import Store
from benchmarks.templates import templates

_STARTS = 10  # times the processor time of `version`, for a run that copies nothing
_ENTRIES = 7500  # of the large flat file
_EXTRA = 10  # requests that `server` may make beyond those of `once --missing`


def each(
    name: str, work: Path, fill: Callable[[Store], None], *, filled: bool, limit: Mapping[str, float]
) -> Iterator[Result]:
    """Run every program over one repository through the network; `filled` targets hold it all already."""
    with registry(work / "source") as source:
        fill(source.store)
        for program in [*syncers(), peer("crane")]:
            if program is None:
                continue
            with ExitStack() as stack:
                target = stack.enter_context(registry(work / f"target {program.name}"))
                if filled:
                    fill(target.store)
                proxy = stack.enter_context(Proxy([source.port, target.port], round_trip=ROUND_TRIP))
                pair = [f"127.0.0.1:{port}/library/app" for port in proxy.ports]
                arguments = config(work, [pair], kind="repository")
                if "crane" in program.name:
                    arguments = crane("cp", "--all-tags", "--jobs", "16", *pair)
                yield watched(name, program, arguments, proxy, log=work / f"{program.name}.log", limits=limit)


def tags(work: Path) -> Iterator[Result]:
    """A pass over 1,000 tags of which none has changed."""

    def fill(store: Store) -> None:
        layer = store.blob([b"layer"])
        for number in range(1000):
            store.tag("library/app", f"v{number}", store.image([layer], name=f"app {number}"))

    return each("1,000 unchanged tags", work, fill, filled=True, limit={"seconds": 4.0, "requests": 2001})


def cold(work: Path) -> Iterator[Result]:
    """50 images of 10 layers, 4 of them shared by all, into an empty registry."""

    def fill(store: Store) -> None:
        chance = random.Random(2)
        shared = [store.blob([chance.randbytes(16 << 10)]) for _ in range(4)]
        for number in range(50):
            layers = [*shared, *(store.blob([chance.randbytes(16 << 10)]) for _ in range(6))]
            store.tag("library/app", f"v{number}", store.image(layers, name=f"app {number}"))

    return each("50 cold images", work, fill, filled=False, limit={"seconds": 8.0})


def indexes(work: Path) -> Iterator[Result]:
    """20 indexes of 5 platforms of 4 layers into an empty registry."""

    def fill(store: Store) -> None:
        chance = random.Random(3)
        for number in range(20):
            images = [
                store.image([store.blob([chance.randbytes(16 << 10)]) for _ in range(4)], name=f"{number} {platform}")
                for platform in range(5)
            ]
            store.tag("library/app", f"v{number}", store.index(images))

    return each("20 cold indexes", work, fill, filled=False, limit={"seconds": 10.0})


def flat(work: Path) -> Iterator[Result]:
    """The large flat file: 7,500 `image` entries, 2,400 sources to three targets each, all there already."""
    with registry(work / "source") as source, registry(work / "target") as target:
        names = flat_names(source, target)
        with Proxy([source.port] * 9 + [target.port] * 3, round_trip=ROUND_TRIP) as proxy:
            pairs = flat_pairs(names, proxy.ports)
            for program in syncers():
                # The peer walks the entries one after another unless told otherwise, which takes six minutes.
                arguments = config(work, pairs, kind="image", parallel=0 if program.name == "ours" else 50)
                log = work / f"{program.name}.log"
                limits = {"seconds": 6.0, "requests": 700, "peak": 200.0, "first": 2.0}
                yield watched(
                    "7,500 entries, --missing", program, [*arguments, "--missing"], proxy, log=log, limits=limits
                )
                limits = {"requests": 10_000, "peak": 200.0, "first": 2.0}
                yield watched("7,500 entries, once", program, arguments, proxy, log=log, limits=limits)


def server(work: Path) -> Iterator[Result]:
    """The first pass of `server` over the large flat file asks for no more than `once --missing` does."""
    with registry(work / "source") as source, registry(work / "target") as target:
        names = flat_names(source, target)
        with Proxy([source.port] * 9 + [target.port] * 3, round_trip=ROUND_TRIP) as proxy:
            pairs = flat_pairs(names, proxy.ports)
            _, *rest = config(work, pairs, kind="image", interval="24h")
            words, log = ["once", *rest, "--missing"], work / "once.log"
            once = watched("7,500 entries, --missing", ours(), words, proxy, log=log, limits={})
            yield once
            limits = {"requests": (once.requests or 0) + _EXTRA, "peak": 200.0}
            words, log = ["server", *rest, "--verbosity", "debug"], work / "server.log"
            yield watched("7,500 entries, server", ours(), words, proxy, log=log, limits=limits, until=all_had_a_turn)


def all_had_a_turn(log: str) -> bool:
    """Say whether every entry has had its turn."""
    return log.count('msg="Task finished"') >= _ENTRIES


def start(work: Path) -> Iterator[Result]:
    """What every run pays: `version`, and `once` on one unchanged image; in turn, and of each the least of nine.

    What the second may take is told in times of the first, which is the same on all machines, idle or not.
    """
    with registry(work / "source") as source, registry(work / "target") as target:
        for one in (source, target):
            one.store.tag("app", "v1", one.store.image([one.store.blob([b"layer"])], name="app"))
        arguments = config(work, [[f"127.0.0.1:{one.port}/app:v1" for one in (source, target)]], kind="image")
        for program in syncers():
            pairs = [
                [program.run(*words, log=work / "start.log") for words in (["version"], arguments)] for _ in range(9)
            ]
            version, once = (min(costs, key=lambda cost: cost.cpu) for costs in zip(*pairs, strict=True))
            mine = program.name == "ours"
            yield Result("version", program.name, version, limits={"seconds": 0.2} if mine else {})
            limits = {"cpu": _STARTS * version.cpu} if mine else {}
            yield Result("one unchanged image", program.name, once, limits=limits)


SCENARIOS: Mapping[str, Scenario] = {
    "start": start,
    "image": image,
    "reading": reading,
    "blob": blob,
    "tags": tags,
    "cold": cold,
    "indexes": indexes,
    "flat": flat,
    "server": server,
    "daemon": daemon,
    "referrers": referrers,
    "fan": fan,
    "choice": choice,
    "templates": templates,
    "holding": holding,
    "observers": observers,
    "broken": broken,
}
