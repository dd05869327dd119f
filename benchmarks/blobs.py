"""Scenarios of bytes: one large blob, one source to several targets, and a link that breaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.lab import ours, peer, registry
from benchmarks.link import Link
from benchmarks.proxy import Proxy
from benchmarks.result import MIB, ROUND_TRIP, Result, config, crane, syncers, watched
from benchmarks.store import Store

_EVERY = 32 * MIB  # bytes after which a connection over the broken link is reset
_AT_MOST = 102.0  # per cent of a blob's bytes that a broken link may carry


def large(store: Store, size: int) -> None:
    """Store an image whose one layer has this many MiB."""
    block = random.Random(1).randbytes(MIB)
    layer = store.blob(block for _ in range(size))
    store.tag("big", "v1", store.image([layer], name="big"))


def blob(work: Path) -> Iterator[Result]:
    """One blob of 1 GiB between two registries, no network in between."""
    limits = {"cpu": 3.0, "peak": 90.0}
    with registry(work / "source") as source:
        large(source.store, 1024)
        for program in [*syncers(), peer("crane")]:
            if program is None:
                continue
            with registry(work / f"target {program.name}") as target:
                pair = [f"127.0.0.1:{source.port}/big:v1", f"127.0.0.1:{target.port}/big:v1"]
                arguments = crane("cp", *pair) if "crane" in program.name else config(work, [pair], kind="image")
                cost = program.run(*arguments, log=work / f"{program.name}.log")
            yield Result("1 GiB blob", program.name, cost, limits=limits if program.name == "ours" else {})


def fan(work: Path) -> Iterator[Result]:
    """One image of 20 layers to three registries, and to three layouts: each blob is read once at the source."""
    chance = random.Random(4)
    with ExitStack() as stack:
        source = stack.enter_context(registry(work / "source"))
        layers = [source.store.blob([chance.randbytes(256 << 10)]) for _ in range(20)]
        source.store.tag("app", "v1", source.store.image(layers, name="app"))
        targets = [stack.enter_context(registry(work / f"target {number}")) for number in range(3)]
        proxy = stack.enter_context(Proxy([one.port for one in (source, *targets)], round_trip=ROUND_TRIP))
        wanted, *kept = (f"127.0.0.1:{port}/app:v1" for port in proxy.ports)
        layouts = [f"ocidir://{work}/layout-{number}:v1" for number in range(3)]
        limits = {"blobs": 21}  # the configuration, too
        for name, places in (("registries", kept), ("layouts", layouts)):
            arguments = config(work, [[wanted, place] for place in places], kind="image")
            yield watched(f"one image, three {name}", ours(), arguments, proxy, log=work / "fan.log", limits=limits)


def broken(work: Path) -> Iterator[Result]:
    """One large blob over a link that resets every connection after 32 MiB, at the source and at the target."""
    with registry(work / "source") as source, registry(work / "target") as target:
        large(source.store, 1024)
        with Link(source.port, every=_EVERY, direction="down") as link:
            wanted = f"127.0.0.1:{link.port}/big:v1"
            for kept in (f"127.0.0.1:{target.port}/big:v1", f"ocidir://{work}/layout:v1"):
                way = "layout" if kept.startswith("ocidir") else "registry"
                yield over(link, work, [wanted, kept], name=f"broken source, to {way}", size=1024)
    with registry(work / "smaller") as source:  # the target holds it in memory, several times
        large(source.store, 256)
        with Link(None, every=_EVERY, direction="up") as link:
            pair = [f"127.0.0.1:{port}/big:v1" for port in (source.port, link.port)]
            yield over(link, work, pair, name="broken target, 256 MiB", size=256)


def over(link: Link, work: Path, pair: list[str], *, name: str, size: int) -> Result:
    """Copy an image of this many MiB over a link, and say what passed it."""
    link.passed()
    cost = ours().run(*config(work, [pair], kind="image"), log=work / "broken.log")
    return Result(name, "ours", cost, passed=100 * link.passed() / (size * MIB), limits={"passed": _AT_MOST})
