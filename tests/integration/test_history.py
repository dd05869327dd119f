"""A daemon that keeps its runs: what it knows after a restart, and what it refuses before it copies anything."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import aiohttp
import pytest

from regsync.errors import ConfigError
from regsync.events import JobFinished, Warned
from regsync.metrics.exposition import CONTENT_TYPE
from regsync.options import Serving
from regsync.record.history import History
from regsync.record.queries import one_run, runs_of
from regsync.record.state import read_only
from tests.integration.test_reload import HOUR, Life
from tests.support.clock import FakeClock


@pytest.fixture
def life(tmp_path: Path) -> Life:
    return Life(tmp_path)


def head(life: Life, *, state: str = "state.db") -> str:
    kept = f"defaults: {{interval: 1h, skipDockerConfig: true, state: '{life.folder / state}'}}\n"
    return f"{kept}server: {{listen: 'unix:{life.folder}/socket'}}\n"


async def metrics(life: Life) -> dict[str, float]:
    """Return what a scrape shows of entry `a`, by the metric's name."""
    connector = aiohttp.UnixConnector(f"{life.folder}/socket")
    async with aiohttp.ClientSession(connector=connector) as session, session.get("http://regsync/metrics") as answer:
        assert answer.headers["Content-Type"] == CONTENT_TYPE
        lines = (await answer.text()).splitlines()
    pairs = (line.rsplit(" ", 1) for line in lines if '{entry="a"}' in line)
    return {name.partition("{")[0]: float(value) for name, value in pairs}


async def test_a_restart_does_not_reset_how_fresh_an_entry_is(life: Life) -> None:
    life.write(life.entry("a"), head=head(life))
    async with life.serving():
        await life.finished.get()
        await life.clock.advance(HOUR)
        await life.finished.get()
        before = await metrics(life)
    life.told.clear()
    await life.clock.advance(600)
    async with life.serving():
        found = await metrics(life)
    assert before["regsync_entry_freshness_seconds"] == 0
    assert found["regsync_entry_freshness_seconds"] == 600
    assert found["regsync_entry_failing"] == 0
    assert (
        found["regsync_entry_last_success_timestamp_seconds"] >= before["regsync_entry_last_success_timestamp_seconds"]
    )


async def test_runs_are_kept_where_nobody_can_ask_over_http_too(life: Life) -> None:
    life.write(life.entry("a"), head=head(life).partition("\n")[0] + "\n")
    async with life.serving():
        await life.finished.get()
    with closing(read_only(str(life.folder / "state.db"))) as database:
        (run,) = runs_of(database, "a")
        whole = one_run(database, run.id)
    assert whole is not None
    assert [(image.outcome, image.target) for image in whole.images] == [("copied", f"ocidir://{life.folder}/out:a")]


@pytest.mark.parametrize(
    ("state", "why"), [("other.db", "belongs to a regsync server that runs"), ("no/a.db", "No such")]
)
async def test_a_state_that_cannot_be_used_ends_it_before_anything_is_copied(life: Life, state: str, why: str) -> None:
    other = History(str(life.folder / "other.db"), clock=FakeClock(instant=True), tell=life.told.append)
    life.write(life.entry("a"), head=head(life, state=state))
    with pytest.raises(ConfigError, match=why) as refused:
        await life.app().serve(Serving(1), meet=lambda _: None)
    other.close(patience=10)
    assert len(refused.value.problems) == 1
    assert life.events(JobFinished) == []
    assert not (life.folder / "out").exists()


async def test_another_place_for_runs_is_told_to_need_a_restart(life: Life) -> None:
    life.write(life.entry("a"), head=head(life))
    async with life.serving() as service:
        life.write(life.entry("a"), head=head(life, state="new.db"))
        await service.reload()
    assert [event.fields for event in life.told if isinstance(event, Warned)] == [{"key": "defaults.state"}]
    assert not (life.folder / "new.db").exists()
