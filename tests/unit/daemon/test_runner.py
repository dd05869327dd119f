"""The daemon at work: start-up jobs, due jobs, crashes of jobs, and crashes of its own."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from regsync.daemon.jobs import Job, MemoryQueue, QueueClosed
from regsync.daemon.schedule import Every
from regsync.errors import RegsyncError
from regsync.events import JobFinished, JobQueued, JobSkipped, JobStarted
from tests.support.clock import settle
from tests.unit.daemon.lab import START, Daemon, first, others


class BrokenSchedule:
    """A schedule with a bug."""

    def next_after(self, moment: datetime) -> datetime | None:
        raise ZeroDivisionError

    def after_jump(self, due: datetime, *, now: datetime, jump: timedelta) -> datetime | None:
        raise ZeroDivisionError


async def test_the_first_jobs_run_before_anything_is_due() -> None:
    daemon = Daemon({"a": Every(60)})
    running = await daemon.start("a", "b")
    assert daemon.started == first("a", "b")
    assert daemon.told == [
        JobQueued("a", START),
        JobQueued("b", START),
        JobStarted("a", START),
        JobFinished("a", 0),
        JobStarted("b", START),
        JobFinished("b", 0),
    ]
    daemon.runner.stop()
    await running


async def test_entries_run_again_when_they_are_due() -> None:
    daemon = Daemon({"a": Every(60)})
    running = await daemon.start("a")
    await daemon.clock.advance(120)
    daemon.runner.stop()
    await running
    assert [job.scope for job in daemon.started] == ["missing", "changed", "changed"]


async def test_a_first_job_given_twice_runs_once() -> None:
    daemon = Daemon()
    daemon.gate("a")
    running = await daemon.start("a", "a")
    assert len(daemon.started) == 1
    assert JobSkipped("a", START, 1) in daemon.told
    daemon.gates["a"].set()
    daemon.runner.stop()
    await running


async def test_no_entry_runs_twice_at_once() -> None:
    daemon = Daemon({"a": Every(10)})
    daemon.gate("a")
    running = await daemon.start("a")
    await daemon.clock.advance(100)
    assert len(daemon.started) == 1
    daemon.gates["a"].set()
    await daemon.clock.advance(10)
    assert len(daemon.started) == 2
    daemon.runner.stop()
    await running


async def test_no_more_jobs_run_at_once_than_there_are_workers() -> None:
    daemon = Daemon(workers=2)
    daemon.gate("a", "b", "c")
    running = await daemon.start("a", "b", "c")
    assert [job.entry for job in daemon.started] == ["a", "b"]
    daemon.gates["a"].set()
    await settle()
    assert [job.entry for job in daemon.started] == ["a", "b", "c"]
    daemon.runner.stop_now()
    await running


async def test_failed_images_are_told_and_counted() -> None:
    daemon = Daemon()
    daemon.script = {"a": lambda: 3, "b": lambda: 4}
    running = await daemon.start("a", "b", "c")
    daemon.runner.stop()
    await running
    assert daemon.events(JobFinished) == [JobFinished("a", 3), JobFinished("b", 4), JobFinished("c", 0)]
    assert (daemon.runner.failed, daemon.runner.crashed) == (7, 0)


@pytest.mark.parametrize(
    "bug",
    [
        ZeroDivisionError(),
        RegsyncError("escaped"),
        QueueClosed(),
        ExceptionGroup("several", [ValueError(), OSError()]),
        asyncio.CancelledError(),
        TimeoutError(),
    ],
    ids=lambda bug: type(bug).__name__,
)
async def test_a_job_that_crashes_is_told_and_the_daemon_goes_on(bug: BaseException) -> None:
    def crash() -> int:
        raise bug

    daemon = Daemon({"a": Every(60)}, workers=1)
    daemon.script = {"a": crash}
    running = await daemon.start("a")
    await daemon.clock.advance(60)
    assert daemon.events(JobFinished) == [JobFinished("a", 1, bug), JobFinished("a", 1, bug)]
    assert not running.done()
    daemon.runner.stop()
    await running
    assert (daemon.runner.failed, daemon.runner.crashed, daemon.runner.cut) == (2, 2, 0)


async def test_a_broken_scheduler_takes_the_daemon_down_and_its_work_with_it() -> None:
    daemon = Daemon({"b": BrokenSchedule()})
    daemon.gate("a")
    with pytest.raises(ExceptionGroup) as crash:
        await daemon.runner.run(first("a"))
    assert crash.group_contains(ZeroDivisionError)
    assert others() == set()


async def test_a_broken_queue_takes_the_daemon_down() -> None:
    class BrokenQueue(MemoryQueue):
        async def _next(self) -> Job:
            raise ConnectionResetError

    daemon = Daemon(queue=BrokenQueue())
    with pytest.raises(ExceptionGroup) as crash:
        await daemon.runner.run([])
    assert crash.group_contains(ConnectionResetError)


async def test_a_job_that_only_waits_leaves_its_place_to_another_and_takes_it_again_afterwards() -> None:
    daemon = Daemon({"d": Every(60), "e": Every(60)}, workers=2)
    daemon.gate("a", "b", "c", "d", "e")
    running = await daemon.start("a", "b", "c")
    assert [*daemon.began] == ["a", "b"]
    daemon.says["a"]("waiting")
    await settle()
    assert [*daemon.began] == ["a", "b", "c"]
    daemon.says["a"]("working")
    await daemon.clock.advance(60)
    daemon.gates["c"].set()
    await settle()
    assert [*daemon.began] == ["a", "b", "c"]  # two are under way again
    daemon.gates["b"].set()
    await settle()
    assert len(daemon.began) == 4
    for gate in daemon.gates.values():
        gate.set()
    daemon.runner.stop()
    await running
    assert not others()


async def test_however_often_jobs_wait_and_end_while_they_do_so_many_are_under_way_as_before() -> None:
    daemon = Daemon({"a": Every(10)}, workers=1)
    running = await daemon.start()
    for _ in range(50):
        daemon.gate("a")
        await daemon.clock.advance(10)
        daemon.says["a"]("waiting")
        daemon.gates["a"].set()
        await settle()
    assert len([name for name in others() if name.startswith("worker-")]) <= 2
    daemon.gate("a", "b", "c")
    daemon.runner.stop()
    await running


async def test_a_job_that_waits_when_it_is_told_to_stop_brings_nobody_in() -> None:
    daemon = Daemon(workers=1)
    daemon.gate("a")
    running = await daemon.start("a", "b")
    daemon.runner.stop()
    daemon.says["a"]("waiting")
    await settle()
    assert [*daemon.began] == ["a"]
    daemon.runner.stop_now()
    await running
    assert daemon.cancelled == ["a"]
