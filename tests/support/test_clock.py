"""The tests' own time moves when it is told to, and wakes sleepers at their own moments."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from regsync.clock import Clock
from tests.support.clock import FakeClock, settle


async def test_sleepers_wake_at_their_moments_and_in_their_order() -> None:
    clock = FakeClock()
    woke: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woke.append((name, clock.monotonic()))
        await clock.sleep(seconds)
        woke.append((name, clock.monotonic()))

    tasks = [asyncio.create_task(sleeper("slow", 5)), asyncio.create_task(sleeper("quick", 2))]
    await clock.advance(4.5)
    assert woke == [("quick", 2), ("quick", 4)]
    await clock.advance(100)
    assert woke == [("quick", 2), ("quick", 4), ("slow", 5), ("slow", 10)]
    await asyncio.gather(*tasks)
    assert clock.slept == [5, 2, 2, 5]


async def test_an_instant_clock_waits_for_nobody() -> None:
    clock: Clock = FakeClock(instant=True)
    before = clock.now()
    await clock.sleep(3600)
    assert clock.now() - before == timedelta(hours=1)
    await clock.sleep_until(before + timedelta(days=1))
    assert clock.now() - before == timedelta(days=1)


async def test_a_jump_of_the_wall_clock_wakes_those_who_wait_for_a_moment_alone() -> None:
    clock = FakeClock()
    until = asyncio.create_task(clock.sleep_until(clock.now() + timedelta(hours=1)))
    during = asyncio.create_task(clock.sleep(3600))
    await settle()
    clock.jump(3600)
    await settle()
    assert until.done()
    assert not during.done()
    during.cancel()
    await asyncio.gather(during, return_exceptions=True)
    assert clock.asleep == 0


async def test_the_next_waking_is_found() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(7.5))
    assert await clock.next() == 7.5
    await task
