"""Keys that say when a registry is left alone."""

from __future__ import annotations

from regsync.events import ImageDelayed
from tests.e2e.keys.lab import IMAGE, Lab, row
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault


async def counting(lab: Lab) -> tuple[FakeRegistry, str]:
    """Start a registry that lets 99 images be fetched at first, and then 100; return it, and how to reach it."""
    registry = await lab.registry()
    for remaining in (99, 100):
        headers = {"RateLimit-Limit": "200;w=21600", "RateLimit-Remaining": f"{remaining};w=21600"}
        registry.fail(Fault(Change(headers), kind="manifest", method="HEAD"))
    return registry, f"registry: '{registry.host}', tls: disabled"


def waits(lab: Lab) -> list[float]:
    """Return how long images waited so far, and forget it."""
    found = [event.pause for event in lab.events if isinstance(event, ImageDelayed)]
    lab.events.clear()
    return found


@row("defaults.ratelimit.min", "sync.ratelimit.min")
async def _(lab: Lab) -> None:
    """An image waits while fewer may be fetched; an entry's own number counts."""
    for defaults, own, waited in ("100", "", 1), ("100", "99", 0), ("0", "100", 1), ("5", "", 0):
        registry, item = await counting(lab)
        entry = "type: image" + (f", ratelimit: {{min: {own}}}" if own else "")
        limit = f"ratelimit: {{min: {defaults}}}"
        assert await lab.pull(f"{registry.host}/app:v1", item, defaults=limit, entry=entry) == []
        assert lab.arrived == IMAGE.digest
        assert waits(lab) == [300.0] * waited
        assert registry.count(kind="manifest", method="HEAD") == 1 + waited
        lab.out.rename(lab.folder / registry.host)


@row("defaults.ratelimit.retry", "sync.ratelimit.retry")
async def _(lab: Lab) -> None:
    """How long; what is below five minutes is raised to them."""
    for defaults, own, waited in ("30m", "", 1800), ("30m", "10m", 600), ("10m", "1s", 300), ("1s", "", 300):
        registry, item = await counting(lab)
        entry = "type: image" + (f", ratelimit: {{retry: {own}}}" if own else "")
        limit = f"ratelimit: {{min: 100, retry: {defaults}}}"
        assert await lab.pull(f"{registry.host}/app:v1", item, defaults=limit, entry=entry) == []
        assert waits(lab) == [waited]
        lab.out.rename(lab.folder / registry.host)
