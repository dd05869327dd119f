"""Every way to stop the daemon: drained, cut off, at once, too early, twice, from outside."""

from __future__ import annotations

import asyncio

import pytest

from regsync.daemon.jobs import Job, MemoryQueue
from regsync.daemon.runner import Say
from regsync.daemon.schedule import Every
from regsync.events import JobFinished, JobQueued, Stopping
from tests.support.clock import settle
from tests.unit.daemon.lab import GRACE, START, Daemon, first, others


async def test_stopping_lets_running_jobs_finish_and_drops_waiting_ones() -> None:
    daemon = Daemon(workers=1)
    daemon.gate("a")
    running = await daemon.start("a", "b")
    daemon.runner.stop()
    await daemon.clock.advance(GRACE - 1)
    assert not running.done()
    daemon.gates["a"].set()
    await running
    assert [job.entry for job in daemon.started] == ["a"]
    assert (daemon.cancelled, daemon.runner.cut) == ([], 0)
    assert daemon.told[-2:] == [Stopping(GRACE), JobFinished("a", 0)]
    assert others() == set()


async def test_nothing_new_is_due_while_the_daemon_drains() -> None:
    daemon = Daemon({"a": Every(5), "b": Every(5)})
    daemon.gate("a")
    running = await daemon.start("a")
    daemon.runner.stop()
    await daemon.clock.advance(GRACE - 1)
    assert [job.entry for job in daemon.started] == ["a"]
    daemon.gates["a"].set()
    await running


async def test_a_stop_in_the_very_moment_an_entry_is_due_starts_nothing() -> None:
    daemon = Daemon({"a": Every(5)})
    running = await daemon.start()
    daemon.clock._passed = 5.0
    daemon.clock._wake()  # the scheduler is awake and has not had its turn
    daemon.runner.stop()
    await running
    assert daemon.started == []


async def test_jobs_still_running_when_the_grace_is_over_are_cancelled() -> None:
    daemon = Daemon()
    daemon.gate("a", "b")
    running = await daemon.start("a", "b")
    daemon.gates["b"].set()
    daemon.runner.stop()
    await daemon.clock.advance(GRACE)
    await running
    assert daemon.cancelled == ["a"]
    assert (daemon.runner.failed, daemon.runner.cut) == (0, 1)
    assert others() == set()


async def test_stopping_twice_is_stopping_once() -> None:
    daemon = Daemon()
    daemon.gate("a")
    running = await daemon.start("a")
    daemon.runner.stop()
    await daemon.clock.advance(GRACE / 2)
    daemon.runner.stop()
    await daemon.clock.advance(GRACE / 2)
    await running
    assert daemon.events(Stopping) == [Stopping(GRACE)]


async def test_stopping_now_waits_for_nobody() -> None:
    daemon = Daemon()
    daemon.gate("a")
    running = await daemon.start("a")
    daemon.runner.stop_now()
    await running
    assert daemon.cancelled == ["a"]
    assert daemon.clock.monotonic() == 0


async def test_stopping_now_cuts_a_drain_short() -> None:
    daemon = Daemon()
    daemon.gate("a")
    running = await daemon.start("a")
    daemon.runner.stop()
    await daemon.clock.advance(1)
    assert not running.done()
    daemon.runner.stop_now()
    await running
    assert (daemon.cancelled, daemon.clock.monotonic()) == (["a"], 1)


async def test_stopping_now_again_does_not_break_into_the_clean_up() -> None:
    daemon = Daemon()
    tidy = asyncio.Event()
    tidied: list[str] = []

    async def handle(job: Job, _since: float, _say: Say) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            await tidy.wait()
            tidied.append(job.entry)
        return 0

    daemon.runner._handle = handle
    running = await daemon.start("a")
    for _ in range(3):
        daemon.runner.stop_now()
        await settle()
    tidy.set()
    await running
    assert tidied == ["a"]


async def test_a_daemon_stopped_before_it_ran_starts_nothing() -> None:
    daemon = Daemon({"a": Every(1)})
    daemon.runner.stop()
    await daemon.runner.run(first("a"))
    assert daemon.started == []


async def test_a_stop_while_the_first_jobs_are_put_is_no_error() -> None:
    class StoppingQueue(MemoryQueue):
        async def put(self, job: Job) -> bool:
            if job.entry == "b":
                daemon.runner.stop()
            return await super().put(job)

    daemon = Daemon(queue=StoppingQueue())
    await daemon.runner.run(first("a", "b", "c"))
    assert daemon.started == []
    assert daemon.told == [JobQueued("a", START), Stopping(GRACE)]


@pytest.mark.parametrize("draining", [False, True], ids=["working", "draining"])
async def test_a_daemon_that_is_cancelled_leaves_no_task_behind(draining: bool) -> None:
    daemon = Daemon({"a": Every(60)})
    daemon.gate("a")
    running = await daemon.start("a", "b")
    if draining:
        daemon.runner.stop()
        await settle()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert daemon.cancelled == ["a"]
    assert others() == set()


async def test_a_daemon_with_nothing_scheduled_waits_for_its_stop() -> None:
    daemon = Daemon()
    running = await daemon.start("a")
    await daemon.clock.advance(86400)
    assert not running.done()
    daemon.runner.stop()
    await running


async def test_a_job_that_stops_the_daemon_still_has_its_failures_counted() -> None:
    daemon = Daemon()
    daemon.gate("b")

    def give_up() -> int:
        daemon.runner.stop_now()
        return 2

    daemon.script = {"a": give_up}
    await daemon.runner.run(first("b", "a", "c"))
    assert JobFinished("a", 2) in daemon.told
    assert (daemon.runner.failed, daemon.cancelled) == (2, ["b"])
    assert others() == set()
