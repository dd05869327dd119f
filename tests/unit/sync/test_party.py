from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from regsync.sync.party import Party
from tests.support.clock import FakeClock, settle


async def doubled(needs: Sequence[int]) -> list[int]:
    return [2 * need for need in needs]


async def test_all_that_is_needed_is_met_together_and_each_gets_its_own() -> None:
    met: list[Sequence[int]] = []

    async def meet(needs: Sequence[int]) -> list[int]:
        met.append(list(needs))
        return await doubled(needs)

    party = Party(4, meet, FakeClock())
    party.needs_nothing()
    assert list(await asyncio.gather(party.meet(1), party.meet(2), party.meet(3))) == [2, 4, 6]
    assert met == [[1, 2, 3]]


async def test_who_comes_late_is_not_waited_for_for_long_and_goes_alone() -> None:
    clock = FakeClock()
    party = Party(2, doubled, clock)
    first = asyncio.create_task(party.meet(1))
    await clock.advance(4.9)
    assert not first.done()
    await clock.advance(0.1)
    assert await first == 2
    assert await party.meet(5) == 10


async def test_a_failure_of_the_meeting_is_everybody_s() -> None:
    async def broken(_: Sequence[int]) -> list[int]:
        raise ZeroDivisionError

    party = Party(2, broken, FakeClock())
    found = await asyncio.gather(party.meet(1), party.meet(2), return_exceptions=True)
    assert [type(one) for one in found] == [ZeroDivisionError] * 2


async def test_when_the_leader_is_cancelled_nobody_waits_for_ever() -> None:
    party = Party(3, doubled, FakeClock())
    leader, member = asyncio.create_task(party.meet(1)), asyncio.create_task(party.meet(2))
    await settle()
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await member
    assert await party.meet(3) == 6


async def test_a_member_that_was_cancelled_hurts_nobody() -> None:
    party = Party(2, doubled, FakeClock())
    leader, member = asyncio.create_task(party.meet(1)), asyncio.create_task(party.meet(2))
    await asyncio.sleep(0)
    member.cancel()
    assert await leader == 2
