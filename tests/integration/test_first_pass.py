"""What a daemon asks of registries at its start and whenever many entries are due at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from regsync.app import App
from regsync.events import EntryIgnored, JobFinished
from regsync.facts import Fact, Telling
from regsync.loading import load
from regsync.options import Serving
from regsync.secrets import Secrets
from tests.support.built import image_bytes
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry

TAGS = [f"t{number}" for number in range(20)]
MIRRORS = ["m0", "m1", "m2"]
ENTRIES = len(TAGS) * len(MIRRORS)


class Life:
    """A daemon on a virtual clock, and what came of its jobs."""

    def __init__(self, config: Path) -> None:
        self.clock = FakeClock()
        self.finished = asyncio.Queue[JobFinished]()
        self.ignored: list[EntryIgnored] = []
        self.stops: list[Callable[[], None]] = []
        tell = Telling([self._note], self.clock)
        self.app = App(
            load(str(config), allow_unknown_keys=False), clock=self.clock, tell=tell, environ={}, secrets=Secrets()
        )

    def _note(self, fact: Fact) -> None:
        if isinstance(fact.event, JobFinished):
            self.finished.put_nowait(fact.event)
        if isinstance(fact.event, EntryIgnored):
            self.ignored.append(fact.event)

    async def serve(self) -> None:
        await self.app.serve(Serving(1), meet=lambda service: self.stops.append(service.stop))

    async def all_jobs_once(self) -> None:
        for _ in range(ENTRIES):
            event = await self.finished.get()
            assert (event.failed, event.crash) == (0, None)


def configured(registry: FakeRegistry, folder: Path) -> Path:
    """Have one source copied to three targets, tag by tag; all is there already."""
    for repository in ("src", *MIRRORS):
        registry.seed(repository, {tag: image_bytes(tag.encode()) for tag in TAGS})
    steps = [
        f"- {{source: '{registry.host}/src:{tag}', target: '{registry.host}/{mirror}:{tag}', type: image}}\n"
        for tag in TAGS
        for mirror in MIRRORS
    ]
    path = folder / "regsync.yml"
    path.write_text(
        "defaults: {interval: 1h, skipDockerConfig: true}\n"
        f"creds: [{{registry: '{registry.host}', tls: disabled}}]\nsync:\n{''.join(steps)}"
    )
    return path


async def requests_of_once(registry: FakeRegistry, config: Path, *, missing: bool) -> int:
    registry.journal.clear()
    tally = await Life(config).app.once("missing" if missing else "changed", abort_on_error=False)
    assert tally.failures == []
    return len(registry.journal)


async def test_the_first_pass_of_a_daemon_and_every_later_one_ask_no_more_than_once_does(
    fake_registry: FakeRegistry, tmp_path: Path
) -> None:
    config = configured(fake_registry, tmp_path)
    at_first = await requests_of_once(fake_registry, config, missing=True)
    later = await requests_of_once(fake_registry, config, missing=False)
    fake_registry.journal.clear()
    life = Life(config)
    serving = asyncio.create_task(life.serve())
    await life.all_jobs_once()
    assert len(fake_registry.journal) <= at_first
    fake_registry.journal.clear()
    await life.clock.advance(3600)
    await life.all_jobs_once()
    assert len(fake_registry.journal) <= later
    life.stops[0]()
    await serving


async def test_a_later_visit_takes_no_answer_of_an_earlier_one(fake_registry: FakeRegistry, tmp_path: Path) -> None:
    life = Life(configured(fake_registry, tmp_path))
    serving = asyncio.create_task(life.serve())
    await life.all_jobs_once()
    changed = image_bytes(b"changed")
    fake_registry.seed("src", {TAGS[0]: changed})
    await life.clock.advance(3600)
    await life.all_jobs_once()
    for mirror in MIRRORS:
        assert fake_registry.repositories[mirror].tags[TAGS[0]] == changed.digest
    life.stops[0]()
    await serving


async def test_entries_that_are_never_due_are_named_at_the_start(tmp_path: Path) -> None:
    here = f"ocidir://{tmp_path}"
    (tmp_path / "regsync.yml").write_text(
        "sync:\n"
        "- {source: 'a.x/a:1', target: 'b.x/a:1', type: image}\n"
        f"- {{source: '{here}/a:1', target: '{here}/t:2', type: image, schedule: 0 0 30 2 *}}\n"
    )
    life = Life(tmp_path / "regsync.yml")
    serving = asyncio.create_task(life.serve())
    assert (await life.finished.get()).failed == 1
    await life.clock.advance(3600)
    assert [(event.message, event.target, event.expected) for event in life.ignored] == [
        ("No schedule or interval found, ignoring", "b.x/a:1", "interval or schedule, here or in defaults"),
        ("Schedule never comes due, ignoring", f"{here}/t:2", ""),
    ]
    life.stops[0]()
    await serving
