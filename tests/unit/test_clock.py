from __future__ import annotations

import asyncio

from regsync.clock import Breath
from tests.support.clock import FakeClock


async def test_however_many_share_a_breath_so_many_steps_are_done_in_one_turn_of_the_loop() -> None:
    breath, turn, steps = Breath(FakeClock(), steps=10), 0, list[int]()

    async def work() -> None:
        for _ in range(20):
            await breath.step()
            steps.append(turn)

    workers = [asyncio.ensure_future(work()) for _ in range(30)]
    while not all(worker.done() for worker in workers):
        await asyncio.sleep(0)
        turn += 1
    assert len(steps) == 600
    assert max(map(steps.count, set(steps))) <= 20  # a turn seen from here may be the end of one and all of the next


async def test_few_steps_wait_for_nobody() -> None:
    clock = FakeClock()
    breath = Breath(clock, steps=10)
    for _ in range(9):
        await breath.step()
    assert clock.slept == []
