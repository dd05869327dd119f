"""What every `JobQueue` promises; adding a queue is adding one line to `QUEUES`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from regsync.daemon.jobs import Job, JobQueue, MemoryQueue, QueueClosed
from tests.support.clock import settle

QUEUES: dict[str, Callable[[], JobQueue]] = {"memory": MemoryQueue}
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(params=QUEUES)
def queue(request: pytest.FixtureRequest) -> JobQueue:
    name: str = request.param
    return QUEUES[name]()


def job(entry: str, *, minutes: int = 0) -> Job:
    return Job(entry, NOON + timedelta(minutes=minutes), "changed")


async def taken(queue: JobQueue) -> Job:
    async with queue.take() as leased:
        return leased


async def test_jobs_come_out_whole_and_in_the_order_they_went_in(queue: JobQueue) -> None:
    jobs = [Job("a", NOON, "missing"), job("b"), job("c")]
    for each in jobs:
        assert await queue.put(each)
    assert [await taken(queue) for _ in jobs] == jobs


async def test_a_twin_of_a_waiting_job_is_refused(queue: JobQueue) -> None:
    assert await queue.put(job("a"))
    assert not await queue.put(job("a", minutes=1))
    assert await queue.put(job("b"))
    assert (await taken(queue)).due == NOON
    assert (await taken(queue)).entry == "b"


async def test_a_twin_of_a_running_job_is_refused_until_its_lease_is_left(queue: JobQueue) -> None:
    await queue.put(job("a"))
    async with queue.take():
        assert not await queue.put(job("a", minutes=1))
    assert await queue.put(job("a", minutes=2))


async def test_an_entry_is_free_again_after_a_run_that_failed(queue: JobQueue) -> None:
    await queue.put(job("a"))
    with pytest.raises(ZeroDivisionError):
        async with queue.take():
            raise ZeroDivisionError
    assert await queue.put(job("a", minutes=1)) in {True, False}  # a remote queue has given the job back already
    assert (await taken(queue)).entry == "a"


async def test_a_taker_waits_for_a_job(queue: JobQueue) -> None:
    waiting = asyncio.create_task(taken(queue))
    await settle()
    assert not waiting.done()
    await queue.put(job("a"))
    assert (await waiting).entry == "a"


async def test_each_job_goes_to_one_taker(queue: JobQueue) -> None:
    takers = [asyncio.create_task(taken(queue)) for _ in range(5)]
    await settle()
    for entry in "abcde":
        await queue.put(job(entry))
    assert sorted(each.entry for each in await asyncio.gather(*takers)) == list("abcde")


async def test_a_taker_cancelled_while_it_waits_takes_no_job_with_it(queue: JobQueue) -> None:
    waiting = asyncio.create_task(taken(queue))
    await settle()
    await queue.put(job("a"))
    waiting.cancel()  # woken already, not yet run
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not await queue.put(job("a", minutes=1))
    assert (await taken(queue)).entry == "a"


async def test_a_worker_cancelled_at_work_frees_its_entry(queue: JobQueue) -> None:
    async def work() -> None:
        async with queue.take():
            await asyncio.Event().wait()

    await queue.put(job("a"))
    worker = asyncio.create_task(work())
    await settle()
    worker.cancel()
    await asyncio.wait([worker])
    await queue.put(job("a", minutes=1))
    assert (await taken(queue)).entry == "a"


async def test_closing_sends_everyone_home_who_waits(queue: JobQueue) -> None:
    takers = [asyncio.create_task(taken(queue)) for _ in range(3)]
    await settle()
    queue.close()
    outcomes = await asyncio.gather(*takers, return_exceptions=True)
    assert [type(each) for each in outcomes] == [QueueClosed] * 3


async def test_closing_drops_what_waits_and_leaves_what_runs(queue: JobQueue) -> None:
    await queue.put(job("a"))
    await queue.put(job("b"))
    async with queue.take() as running:
        queue.close()
        assert running.entry == "a"
    with pytest.raises(QueueClosed):
        await taken(queue)


async def test_a_closed_queue_takes_no_job_and_may_be_closed_again(queue: JobQueue) -> None:
    queue.close()
    queue.close()
    with pytest.raises(QueueClosed):
        await queue.put(job("a"))
