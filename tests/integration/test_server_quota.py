"""A daemon most of whose entries wait for one registry's quota."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from regsync.app import App
from regsync.events import Event, ImageCopied, ImageDelayed
from regsync.facts import Fact, Telling
from regsync.loading import load
from regsync.options import Serving
from regsync.secrets import Secrets
from tests.support.built import image_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault

IMAGE = image_bytes(b"a layer")
WAITING = 70  # more than may be under way at once


async def test_entries_that_wait_for_a_quota_keep_no_others_from_their_turn(
    fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    fake_registry.seed("other", {"v1": IMAGE})
    fake_registry.seed("counted", {f"v{number}": IMAGE for number in range(WAITING)})
    few = Change({"RateLimit-Remaining": "9", "RateLimit-Limit": "100"})
    fake_registry.fail(Fault(few, kind="manifest", path="/counted/", times=10_000))
    tags = [("counted", f"v{number}") for number in range(WAITING)] + [("other", "v1")]
    entries = "".join(
        f"- {{source: '{fake_registry.host}/{name}:{tag}', target: 'ocidir://{tmp_path}/{name}:{tag}', type: image}}\n"
        for name, tag in tags
    )
    path = tmp_path / "regsync.yml"
    creds = f"creds: [{{registry: '{fake_registry.host}', tls: disabled}}]\n"
    path.write_text(f"{creds}defaults: {{interval: 24h, ratelimit: {{min: 10}}}}\nsync:\n{entries}")
    seen, copied = list[Event](), asyncio.Event()

    def note(fact: Fact) -> None:
        seen.append(fact.event)
        if isinstance(fact.event, ImageCopied):
            copied.set()

    stops: list[Callable[[], None]] = []
    clock = FakeClock()
    loaded = load(str(path), allow_unknown_keys=False)
    app = App(loaded, clock=clock, tell=Telling([note], clock), environ={}, secrets=Secrets())
    serving = asyncio.ensure_future(app.serve(Serving(1), meet=lambda service: stops.append(service.stop_now)))
    await copied.wait()
    assert [event.source for event in seen if isinstance(event, ImageCopied)] == [f"{fake_registry.host}/other:v1"]
    assert sum(isinstance(event, ImageDelayed) for event in seen) >= 64
    stops[0]()
    assert (await serving).failed == 0
