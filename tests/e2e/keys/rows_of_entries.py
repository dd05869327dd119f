"""Keys that say what an entry is, when it is due, and how many images there are at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from regsync.errors import ConfigError
from regsync.events import Event, ImageSkipped, JobFinished, JobQueued
from regsync.options import Serving
from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.built import image_bytes, index_bytes, read_layout, write_layout
from tests.support.clock import FakeClock

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
HOUR = 3600.0  # seconds


@row("version")
async def _(lab: Lab) -> None:
    write_layout(lab.folder / "in", {"v1": IMAGE})
    text = f"sync: [{{source: 'ocidir://{lab.folder}/in:v1', target: 'ocidir://{lab.out}:v1', type: image}}]\n"
    with pytest.raises(ConfigError, match="unsupported config version 2"):
        await lab.once(f"version: 2\n{text}")
    assert (await lab.once(f"version: 1\n{text}")).failures == []
    assert lab.arrived == IMAGE.digest


@row("sync.source", "sync.target", "sync.type")
async def _(lab: Lab) -> None:
    registry = await lab.registry(v1=IMAGE, v2=image_bytes(b"another"))
    creds = f"creds: [{{registry: '{registry.host}', tls: disabled}}]\nsync:\n"
    ends = f"source: '{registry.host}{{}}', target: 'ocidir://{lab.folder}/{{}}'"
    kinds = ("/app:v1", "one:new", "image"), ("/app", "all", "repository"), ("", "every", "registry")
    for source, target, kind in kinds:
        assert (await lab.once(f"{creds}- {{{ends.format(source, target)}, type: {kind}}}\n")).failures == []
    assert read_layout(lab.folder / "one")[0] == {"new": IMAGE.digest}
    assert sorted(read_layout(lab.folder / "all")[0]) == ["v1", "v2"]
    assert sorted(read_layout(lab.folder / "every" / "app")[0]) == ["v1", "v2"]


@row("sync.name")
async def _(lab: Lab) -> None:
    registry = await lab.registry()
    item = f"registry: '{registry.host}', tls: disabled"
    assert await lab.pull(f"{registry.host}/app:v1", item, entry="type: image, name: the only one") == []
    assert lab.entries == {"the only one"}


@row("sync.mediaTypes", "defaults.mediaTypes")
async def _(lab: Lab) -> None:
    registry = await lab.registry(image=IMAGE, index=index_bytes(IMAGE))
    item = f"registry: '{registry.host}', tls: disabled"
    only = f"mediaTypes: [{INDEX_TYPE}]"
    for defaults, entry in ("", f"type: image, {only}"), (only, "type: image"):
        assert await lab.pull(f"{registry.host}/app:image", item, defaults=defaults, entry=entry) == []
        assert not lab.out.exists()
        (skipped,) = [event for event in lab.events if isinstance(event, ImageSkipped)]
        assert skipped.allowed == (INDEX_TYPE,)
        lab.events.clear()
    assert await lab.pull(f"{registry.host}/app:index", item, defaults=only) == []


@row("defaults.parallel")
async def _(lab: Lab) -> None:
    """One image at a time is copied to its end before the next one's manifest is fetched."""
    for defaults, one_by_one in ("parallel: 1", True), ("", False):
        registry = await lab.registry()
        registry.seed("app", {f"t{number}": image_bytes(str(number).encode()) for number in range(7)})
        text = f"creds: [{{registry: '{registry.host}', tls: disabled}}]\ndefaults: {{{defaults}}}\n"
        text += f"sync: [{{source: '{registry.host}/app', target: '{registry.host}/copy', type: repository}}]\n"
        assert (await lab.once(text)).failures == []
        steps = [each.method for each in registry.asked(kind="manifest") if each.method in {"GET", "PUT"}]
        assert (steps == ["GET", "PUT"] * 8) == one_by_one


async def visits(lab: Lab, defaults: str, entry: str, *, hours: int) -> int:
    """Return how often `server` visits an entry in this time, besides its first pass."""
    write_layout(lab.folder / "in", {"v1": IMAGE})
    finished = asyncio.Queue[JobFinished]()

    def heard(event: Event) -> None:
        if isinstance(event, JobFinished):
            finished.put_nowait(event)

    lab.clock, lab.heard = FakeClock(), heard
    lab.events.clear()
    stops: list[Callable[[], None]] = []
    source = f"'ocidir://{lab.folder}/in:v1'"
    app = lab.app(
        f"defaults: {{{defaults}}}\nsync: [{{source: {source}, target: 'ocidir://{lab.out}:v1', type: image{entry}}}]\n"
    )
    serving = asyncio.create_task(app.serve(Serving(1), meet=lambda service: stops.append(service.stop)))
    assert (await finished.get()).failed == 0
    done = 1
    for _ in range(4 * hours):
        await lab.clock.advance(HOUR / 4)
        while done < sum(isinstance(event, JobQueued) for event in lab.events):
            assert (await finished.get()).failed == 0
            done += 1
    stops[0]()
    await serving
    return done - 1


@row("sync.interval", "defaults.interval")
async def _(lab: Lab) -> None:
    for defaults, entry, count in (
        ("", ", interval: 1h", 3),
        ("interval: 90m", "", 2),
        ("interval: 30m", ", interval: 3h", 1),
        ("schedule: '0 * * * *'", ", interval: 3h", 1),
    ):
        assert await visits(lab, defaults, entry, hours=3) == count


@row("sync.schedule", "defaults.schedule")
async def _(lab: Lab) -> None:
    for defaults, entry, count in (
        ("", ", schedule: 'TZ=UTC 30 1 * * *'", 1),
        ("schedule: 'TZ=UTC 30 * * * *'", "", 3),
        ("interval: 1h", ", schedule: 'TZ=UTC 30 4 * * *'", 0),
    ):
        assert await visits(lab, defaults, entry, hours=3) == count


@row("sync.jitter", "defaults.jitter")
async def _(lab: Lab) -> None:
    entry = ", name: a, schedule: 'TZ=UTC 0 1 * * *'"  # the share of this name is 0.79
    for defaults, own, hours, count in (
        ("", "", 1, 1),
        ("jitter: 2h", "", 2, 0),
        ("jitter: 2h", "", 3, 1),
        ("jitter: 2h", ", jitter: 0s", 1, 1),
        ("", ", jitter: 4h", 3, 0),
    ):
        assert await visits(lab, defaults, f"{entry}{own}", hours=hours) == count
