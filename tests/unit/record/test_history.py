from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event as Flag

import pytest

from regsync.errors import ConfigError
from regsync.events import Event, Warned
from regsync.record.history import History
from regsync.record.queries import Past, changes, failures, one_run, pasts_of, runs_of
from regsync.record.state import read_only
from regsync.record.values import Counts, ImageRecord, RunRecord
from regsync.record.worker import Worker
from tests.support.clock import FakeClock

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COPIED = ImageRecord("one", "a.x/app:v1", "b.x/app:v1", "copied", NOON, "sha256:old", "sha256:new", 10, 20, 1.5)
REFRESHED = ImageRecord("one", "a.x/app:v2", "b.x/app:v2", "copied", NOON, "sha256:same", "sha256:same")
SAME = ImageRecord("one", "a.x/app:v3", "b.x/app:v3", "unchanged", NOON, digest="sha256:1")
FAILED = ImageRecord("one", "a.x/app:v4", "b.x/app:v4", "failed", NOON, message="Failed", error="no", attempts=3)


def a_run(
    number: int, *images: ImageRecord, entry: str = "one", cut: bool = False, scope: str = "changed"
) -> RunRecord:
    began = NOON + timedelta(minutes=number)
    by = [image.outcome for image in images]
    counts = Counts(copied=by.count("copied"), unchanged=by.count("unchanged"), failed=by.count("failed"))
    name = f"{began:%Y%m%dT%H%M%S}-r{number}-{entry}"
    return RunRecord(name, entry, scope, began, began + timedelta(seconds=5), 5.0, counts, images, cut)  # type: ignore[arg-type]


class Lab:
    """A history and what it told."""

    def __init__(self, path: Path | None = None, *, most: int = 0) -> None:
        self.told: list[Event] = []
        self.history = History(str(path or ""), clock=FakeClock(instant=True), tell=self.told.append, most=most)

    def add(self, *runs: RunRecord) -> None:
        for run in runs:
            self.history.add(run)

    @property
    def warnings(self) -> list[str]:
        return [event.message for event in self.told if isinstance(event, Warned)]

    def close(self) -> None:
        self.history.close(patience=10)


@pytest.mark.parametrize("in_a_file", [True, False])
async def test_a_run_comes_back_as_it_was_without_what_did_not_change(tmp_path: Path, in_a_file: bool) -> None:
    lab = Lab(tmp_path / "state.db" if in_a_file else None)
    run = a_run(1, COPIED, SAME, FAILED)
    lab.add(run)
    kept = await lab.history.ask(lambda db: one_run(db, run.id))
    assert kept is not None
    assert kept.images == (COPIED, FAILED)
    assert (kept.counts, kept.began, kept.ended, kept.outcome) == (run.counts, run.began, run.ended, "failed")
    assert await lab.history.ask(lambda db: one_run(db, "other")) is None
    lab.close()


async def test_history_outlives_the_process(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "state.db")
    lab.add(a_run(1, COPIED), a_run(2, SAME))
    lab.close()
    lab = Lab(tmp_path / "state.db")
    runs = await lab.history.ask(lambda db: runs_of(db, "one"))
    assert [run.outcome for run in runs] == ["unchanged", "copied"]
    lab.close()


async def test_the_oldest_runs_of_an_entry_go_with_their_images_and_those_of_others_stay() -> None:
    lab = Lab(most=3)
    first = a_run(0, FAILED)
    lab.add(first, a_run(0, COPIED, entry="two"), *(a_run(number, SAME) for number in range(1, 4)))
    assert await lab.history.ask(lambda db: one_run(db, first.id)) is None
    runs = await lab.history.ask(lambda db: runs_of(db, "one"))
    assert [run.began.minute for run in runs] == [3, 2, 1]
    assert len(await lab.history.ask(lambda db: runs_of(db, "two"))) == 1
    assert await lab.history.ask(lambda db: failures(db, since=NOON)) == []
    lab.close()


async def test_a_file_that_holds_as_many_runs_as_are_kept_grows_no_more(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "state.db", most=10)
    pages = []
    for first in (0, 100, 1000):
        lab.add(*(a_run(first + number, FAILED, COPIED, entry=f"e{number % 5}") for number in range(100)))
        pages.append(await lab.history.ask(lambda db: db.execute("PRAGMA page_count").fetchone()[0]))
    assert pages[2] <= pages[1] + 1
    lab.close()


async def test_in_memory_fewer_runs_of_each_entry_are_kept_the_more_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("regsync.record.history._IN_MEMORY_IN_ALL", 20)
    lab = Lab()
    for number in range(10):
        lab.add(*(a_run(number, SAME, entry=f"e{entry}") for entry in range(5)))
        await lab.history.ask(lambda _: None)
    for entry in range(5):
        runs = await lab.history.ask(lambda db, name=f"e{entry}": runs_of(db, name))  # type: ignore[misc]
        assert [run.began.minute for run in runs] == [9, 8, 7, 6]
    lab.close()


async def test_runs_are_read_page_by_page() -> None:
    lab = Lab()
    lab.add(*(a_run(number, SAME) for number in range(5)))
    page = await lab.history.ask(lambda db: runs_of(db, "one", most=2))
    rest = await lab.history.ask(lambda db: runs_of(db, "one", before=page[-1].id))
    assert [run.began.minute for run in (*page, *rest)] == [4, 3, 2, 1, 0]
    lab.close()


async def test_failures_and_changes_are_found_by_when_they_were_the_last_one_first() -> None:
    lab = Lab()
    lab.add(a_run(1, COPIED, REFRESHED), a_run(2, FAILED))
    assert [one.image for one in await lab.history.ask(lambda db: failures(db, since=NOON))] == [FAILED]
    assert [one.image for one in await lab.history.ask(lambda db: changes(db, since=NOON))] == [COPIED]
    later = NOON + timedelta(seconds=1)
    assert await lab.history.ask(lambda db: changes(db, since=later)) == []
    lab.close()


async def test_what_is_known_of_an_entry_says_when_all_was_well() -> None:
    lab = Lab()
    well, missing, cut, bad = a_run(1, COPIED), a_run(2, SAME, scope="missing"), a_run(3, cut=True), a_run(4, FAILED)
    lab.add(well, missing, cut, bad)
    past, nobody = await lab.history.ask(lambda db: pasts_of(db, ["one", "nobody"], most=2))
    assert [run.id for run in past.runs] == [bad.id, cut.id]
    assert (past.succeeded, past.equal) == (missing.ended, well.began)
    assert nobody == Past("nobody")
    lab.close()


@pytest.mark.parametrize(
    "content", [b"this is no database at all, is it?" * 100, b"SQLite format 3\x00" + b"\xff" * 4096]
)
async def test_a_damaged_file_is_set_aside_with_a_warning(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "state.db"
    path.write_bytes(content)
    lab = Lab(path)
    assert lab.warnings[0].startswith(f"the state file {path} is damaged")
    lab.add(a_run(1, COPIED))
    assert len(await lab.history.ask(lambda db: runs_of(db, "one"))) == 1
    lab.close()
    assert [aside.read_bytes() for aside in tmp_path.glob("state.db.damaged-*")] == [content]  # noqa: ASYNC240


async def test_a_file_that_is_damaged_while_it_is_used_is_set_aside_and_the_run_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    lab = Lab(path)
    lab.add(*(a_run(number, COPIED) for number in range(50)))
    lab.close()
    content = bytearray(path.read_bytes())
    content[4096:] = b"\xff" * (len(content) - 4096)  # all but the page that names the tables
    path.write_bytes(bytes(content))
    lab = Lab(path)
    lab.add(a_run(60, COPIED))
    assert len(await lab.history.ask(lambda db: runs_of(db, "one"))) == 1
    assert len(lab.warnings) == 1
    lab.close()


def test_two_daemons_on_one_file_are_refused(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "state.db")
    with pytest.raises(ConfigError, match="belongs to a regsync server that runs"):
        Lab(tmp_path / "state.db")
    lab.close()
    Lab(tmp_path / "state.db").close()


@pytest.mark.parametrize("path", ["missing/state.db", "."])
def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path, path: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Lab(tmp_path / path)
    (problem,) = refused.value.problems
    assert problem.startswith(f"defaults.state: {tmp_path / path} cannot be used")


def test_a_file_of_a_newer_regsync_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    before = path.read_bytes()
    with pytest.raises(ConfigError, match="newer regsync"):
        Lab(path)
    assert path.read_bytes() == before


def test_who_only_reads_finds_what_a_daemon_has_written_so_far(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "state.db")
    lab.add(a_run(1, COPIED))
    lab.close()
    writer = Lab(tmp_path / "state.db")
    reader = read_only(str(tmp_path / "state.db"))
    assert len(runs_of(reader, "one")) == 1
    reader.close()
    writer.close()


@pytest.mark.parametrize("content", [None, b"", b"no database" * 1000])
def test_what_is_no_state_file_is_refused_by_who_only_reads(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "state.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match="cannot be read as the state of a regsync"):
        read_only(str(path))


async def test_a_disk_that_does_not_answer_holds_nobody_and_is_told_of_once() -> None:
    lab = Lab()
    stuck = Flag()
    question = asyncio.ensure_future(lab.history.ask(lambda _: stuck.wait(60)))
    await asyncio.sleep(0)
    lab.add(*(a_run(number, SAME) for number in range(10_100)))
    assert [warning for warning in lab.warnings if "does not keep up" in warning] == lab.warnings
    assert len(lab.warnings) == 1
    stuck.set()
    assert await question
    assert len(await lab.history.ask(lambda db: runs_of(db, "one"))) == 50
    lab.close()


async def test_runs_that_end_together_are_written_together_and_one_that_cannot_be_costs_no_other() -> None:
    lab = Lab()
    stuck = Flag()
    question = asyncio.ensure_future(lab.history.ask(lambda _: stuck.wait(60)))
    await asyncio.sleep(0)
    lab.add(*(a_run(number, FAILED, entry=f"e{number}") for number in range(500)))
    lab.add(a_run(1, replace(FAILED, moved=1 << 80), entry="too large"), a_run(2, COPIED, entry="last"))
    statements: list[str] = []
    connection = lab.history._state.connection
    connection.set_trace_callback(statements.append)
    stuck.set()
    await question
    kept = await lab.history.ask(lambda db: db.execute("SELECT COUNT(*) FROM runs").fetchone()[0])
    assert kept == 501
    assert len(statements) < 120  # for each one it would be thousands
    assert len(lab.warnings) == 1
    lab.close()


async def test_a_full_disk_is_told_of_once_until_it_works_again(tmp_path: Path) -> None:
    lab = Lab(tmp_path / "state.db")
    pages = await lab.history.ask(lambda db: db.execute("PRAGMA page_count").fetchone()[0])
    await lab.history.ask(lambda db: db.execute(f"PRAGMA max_page_count = {pages}"))
    big = [ImageRecord("one", "a" * 1000, f"{number}", "failed", NOON) for number in range(100)]
    for number in range(3):
        lab.add(a_run(number, *big))
    await lab.history.ask(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    assert lab.warnings == ["the history of runs cannot be kept: database or disk is full"]
    lab.add(a_run(5, *big))
    assert len(await lab.history.ask(lambda db: runs_of(db, "one"))) == 1
    lab.close()


async def test_what_a_question_raises_is_raised_where_it_was_asked() -> None:
    worker = Worker("test", most=1, clock=FakeClock(instant=True))
    with pytest.raises(ZeroDivisionError):
        await worker.ask(lambda: 1 // 0)
    assert worker.close(patience=10)
