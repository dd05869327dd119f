"""What a daemon is told to do with one entry: run it now, cancel what runs, let its due times pass for a while."""

from __future__ import annotations

import asyncio

import pytest

from regsync.daemon.control import Control
from regsync.daemon.jobs import QueueClosed
from regsync.daemon.schedule import Every
from regsync.events import JobFinished, JobSkipped, PassedOver
from tests.support.clock import settle
from tests.unit.daemon.lab import GRACE, Daemon, others

MINUTE = 60.0


def control_of(daemon: Daemon) -> Control:
    return Control(daemon.turns, daemon.runner, clock=daemon.clock)


async def ended(daemon: Daemon, running: asyncio.Task[None]) -> None:
    daemon.runner.stop()
    await running
    assert others() == set()


async def test_an_entry_runs_at_once_when_that_is_asked_for_and_again_when_it_is_due() -> None:
    daemon = Daemon({"a": Every(MINUTE)})
    running = await daemon.start()
    await daemon.clock.advance(10)
    assert await control_of(daemon).run("a") == "idle"
    assert await control_of(daemon).run("never due") == "idle"
    await daemon.clock.advance(MINUTE)
    assert daemon.began == {"a": [10, 60], "never due": [10]}
    assert {job.scope for job in daemon.started} == {"changed"}
    await ended(daemon, running)


async def test_what_runs_or_waits_is_not_begun_twice_and_counts_for_nothing_skipped() -> None:
    daemon = Daemon(workers=1, before={"c": ["a"]})
    daemon.gate("a")
    running = await daemon.start("a", "b", "c")
    control = control_of(daemon)
    assert [await control.run(entry) for entry in "abc"] == ["running", "waiting", "waiting"]
    daemon.gates["a"].set()
    await settle()
    assert [job.entry for job in daemon.started] == ["a", "b", "c"]
    assert daemon.events(JobSkipped) == []
    assert {control.state(entry) for entry in "abc"} == {"idle"}
    await ended(daemon, running)


async def test_a_run_is_cancelled_and_nothing_but_it() -> None:
    daemon = Daemon({"a": Every(MINUTE)}, workers=2, before={"c": ["a"]})
    daemon.gate("a", "b")
    running = await daemon.start("a", "b", "c")
    control = control_of(daemon)
    assert await control.cancel("a") == "running"
    await settle()
    assert (daemon.cancelled, control.state("a"), control.state("b")) == (["a"], "idle", "running")
    assert "c" in daemon.began  # its leader has ended
    assert (daemon.runner.cut, daemon.runner.failed, daemon.runner.crashed) == (0, 0, 0)
    daemon.gates["a"].set()
    await daemon.clock.advance(MINUTE)
    assert daemon.began["a"] == [0, MINUTE]
    daemon.gates["b"].set()
    await ended(daemon, running)


class Careful:
    """A job that takes its time to clean up when it is cancelled."""

    def __init__(self) -> None:
        self.may_end = asyncio.Event()
        self.cleaned = False

    async def __call__(self, *_: object) -> int:
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.cleaned = True
        return 0


async def test_what_is_being_cancelled_is_not_cancelled_again_be_it_by_a_stop() -> None:
    daemon, job = Daemon(), Careful()
    daemon.runner._handle = job
    running = await daemon.start("a")
    assert [await control_of(daemon).cancel("a") for _ in range(3)] == ["running"] * 3
    await settle()
    daemon.runner.stop_now()
    await settle()
    job.may_end.set()
    await running
    assert (job.cleaned, daemon.runner.cut) == (True, 0)


async def test_a_worker_whose_run_is_cancelled_still_ends_when_somebody_else_ends_the_daemon() -> None:
    daemon, job = Daemon(), Careful()
    daemon.runner._handle = job
    running = await daemon.start("a")
    await control_of(daemon).cancel("a")
    await settle()
    running.cancel()
    async with asyncio.timeout(5):
        with pytest.raises(asyncio.CancelledError):
            await running
    assert others() == set()


async def test_a_run_that_ends_though_it_is_cancelled_has_ended_well_and_its_worker_goes_on() -> None:
    daemon = Daemon(workers=1)
    running = await daemon.start()

    async def heedless(*_: object) -> int:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return 0
        return 1

    daemon.runner._handle = heedless
    for _ in range(2):
        assert await control_of(daemon).run("a") == "idle"
        await settle()
        assert await control_of(daemon).cancel("a") == "running"
        await settle()
    assert daemon.events(JobFinished) == [JobFinished("a", 0)] * 2
    await ended(daemon, running)


async def test_what_waits_is_dropped_and_those_that_wait_for_it_go_on() -> None:
    daemon = Daemon(workers=1, before={"b": ["a"], "c": ["b"], "d": ["a", "c"]})
    daemon.gate("z")
    running = await daemon.start("z", "a", "b", "c", "d")
    control = control_of(daemon)
    assert [await control.cancel(entry) for entry in ("b", "a", "b")] == ["waiting", "waiting", "idle"]
    daemon.gates["z"].set()
    await settle()
    assert [job.entry for job in daemon.started] == ["z", "c", "d"]
    assert await control.run("a") == "idle"
    await settle()
    assert daemon.started[-1].entry == "a"
    await ended(daemon, running)


async def test_one_that_is_dropped_and_asked_for_again_waits_for_its_leader_once() -> None:
    daemon = Daemon(before={"b": ["a"]})
    daemon.gate("a")
    running = await daemon.start("a", "b")
    control = control_of(daemon)
    for _ in range(3):
        assert await control.cancel("b") == "waiting"
        assert await control.run("b") == "idle"
    daemon.gates["a"].set()
    await settle()
    assert [job.entry for job in daemon.started] == ["a", "b"]
    await ended(daemon, running)


@pytest.mark.parametrize("turns", range(12))
async def test_one_that_is_dropped_in_the_moment_its_leader_ends_is_begun_once_when_asked_for_again(turns: int) -> None:
    daemon = Daemon(before={"b": ["a"], "c": ["a", "b"]})
    daemon.gate("a")
    running = await daemon.start("a", "b", "c")
    daemon.turns._count = 199  # so that the loop has its turn before a follower is put
    daemon.gates["a"].set()
    for _ in range(turns):
        await asyncio.sleep(0)
    control = control_of(daemon)
    dropped = await control.cancel("b")
    await settle()
    begun = [job.entry for job in daemon.started].count("b")
    assert begun == (0 if dropped == "waiting" else 1)
    assert await control.run("b") == "idle"
    await settle()
    assert [job.entry for job in daemon.started].count("b") == begun + 1
    assert [job.entry for job in daemon.started].count("c") == 1
    await ended(daemon, running)


async def test_due_times_of_a_paused_entry_pass_and_that_is_told_once_in_each_pause() -> None:
    daemon = Daemon({"a": Every(MINUTE), "b": Every(MINUTE)})
    running = await daemon.start()
    control = control_of(daemon)
    assert [await control.pause("a"), await control.pause("a")] == [True, False]
    await daemon.clock.advance(3 * MINUTE)
    assert (daemon.began.get("a"), len(daemon.began["b"])) == (None, 3)
    assert len(daemon.events(PassedOver)) == 1
    assert [control.resume("a"), control.resume("a")] == [True, False]
    await daemon.clock.advance(MINUTE)
    assert daemon.began["a"] == [4 * MINUTE]
    await control.pause("a")
    await daemon.clock.advance(2 * MINUTE)
    assert len(daemon.events(PassedOver)) == 2
    await ended(daemon, running)


async def test_a_pause_lets_go_on_what_runs_drops_what_waits_and_is_no_matter_to_who_is_asked_to_run() -> None:
    daemon = Daemon({"a": Every(MINUTE), "b": Every(MINUTE)}, workers=1)
    daemon.gate("a")
    running = await daemon.start("a", "b")
    control = control_of(daemon)
    for entry in "ab":
        await control.pause(entry)
    assert (control.state("a"), control.state("b")) == ("running", "idle")
    daemon.gates["a"].set()
    assert await control.run("b") == "idle"
    await daemon.clock.advance(5 * MINUTE)
    assert [job.entry for job in daemon.started] == ["a", "b"]
    assert daemon.cancelled == []
    assert control.paused == {"a", "b"}
    await ended(daemon, running)


async def test_a_paused_entry_has_no_first_visit_and_the_pause_of_one_that_is_gone_is_forgotten() -> None:
    daemon = Daemon({"a": Every(MINUTE), "b": Every(MINUTE)})
    for entry in "ab":
        await control_of(daemon).pause(entry)
    running = await daemon.start("a", "b")
    assert daemon.started == []
    daemon.turns.apply({}, {"b"})
    assert control_of(daemon).paused == {"b"}
    await ended(daemon, running)


async def test_nothing_is_begun_any_more_when_the_daemon_is_stopped() -> None:
    daemon = Daemon(before={"b": ["a"]})
    daemon.gate("a")
    running = await daemon.start("a", "b")
    control = control_of(daemon)
    daemon.runner.stop()
    with pytest.raises(QueueClosed):
        await control.run("c")
    assert control.stopping
    assert await control.cancel("b") == "waiting"
    assert await control.cancel("a") == "running"
    await daemon.clock.advance(GRACE)
    await running
    assert (daemon.cancelled, daemon.runner.cut) == (["a"], 0)
