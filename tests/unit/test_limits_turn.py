"""A transfer whose source is read from another host than was held for it."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter

import pytest

from regsync.limits import Limits
from tests.support.clock import settle
from tests.support.slots import is_free

EITHER = {"mirror", "upstream"}


async def holds(limits: Limits, entered: asyncio.Event, leave: asyncio.Event, *hosts: str, turning: str = "") -> None:
    async with limits.hold(*hosts):
        entered.set()
        await settle()
        if turning:
            await limits.turn(turning, among=EITHER)
        await leave.wait()


@pytest.mark.parametrize(
    ("hosts", "turning", "held"),
    [
        (("mirror", "target", "all"), "upstream", {"upstream", "target", "all"}),
        (("mirror", "target", "all"), "mirror", {"mirror", "target", "all"}),
        (("mirror", "mirror", "all"), "upstream", {"mirror", "upstream", "all"}),  # which is the target, too
        (("upstream", "mirror", "all"), "mirror", {"mirror", "all"}),
        (("other", "target", "all"), "upstream", {"other", "target", "all"}),
    ],
)
async def test_it_holds_the_host_it_reads_from_and_gives_back_the_one_it_does_not(
    hosts: tuple[str, ...], turning: str, held: set[str]
) -> None:
    limits = Limits(lambda _: 1)
    entered, leave = asyncio.Event(), asyncio.Event()
    transfer = asyncio.create_task(holds(limits, entered, leave, *hosts, turning=turning))
    await entered.wait()
    await settle()
    everything = {"mirror", "upstream", "target", "other", "all"}
    assert {host for host in everything if not await is_free(limits, host)} == held
    leave.set()
    await transfer
    assert {host for host in everything if not await is_free(limits, host)} == set()


async def test_requests_ride_on_the_slot_that_was_turned_to() -> None:
    limits = Limits(lambda _: 1)
    async with asyncio.timeout(5), limits.hold("mirror", "target"):
        await limits.turn("upstream", among=EITHER)
        async with limits.hold("upstream"), limits.hold("target"):
            pass


async def test_transfers_that_turn_to_what_the_other_one_holds_do_not_wait_for_each_other_for_ever() -> None:
    limits = Limits(lambda _: 1)
    leave = asyncio.Event()
    leave.set()
    async with asyncio.timeout(5):
        await asyncio.gather(
            holds(limits, asyncio.Event(), leave, "mirror", "a", turning="upstream"),
            holds(limits, asyncio.Event(), leave, "upstream", "b", turning="mirror"),
        )


async def test_whoever_is_cancelled_while_it_turns_holds_nothing_any_more() -> None:
    limits = Limits(lambda _: 1)
    entered, leave = asyncio.Event(), asyncio.Event()
    other = asyncio.create_task(holds(limits, asyncio.Event(), leave, "upstream", "elsewhere"))
    transfer = asyncio.create_task(holds(limits, entered, leave, "mirror", "target", turning="upstream"))
    await entered.wait()
    await settle()
    assert await is_free(limits, "mirror")
    transfer.cancel()
    await asyncio.gather(transfer, return_exceptions=True)
    leave.set()
    await other
    assert await is_free(limits, "mirror", "target", "upstream")


async def test_hundreds_that_turn_never_exceed_the_cap_and_all_end() -> None:
    limits = Limits(lambda _: 2)
    used, most, ended = Counter[str](), Counter[str](), 0

    async def transfer(first: str, target: str, then: str) -> None:
        nonlocal ended
        async with limits.hold(first, target, "all"):
            for host in (first, then):
                await limits.turn(host, among=EITHER)
                inside = {host, target, "all"}
                used.update(inside)
                most.update({one: used[one] - most[one] for one in inside if used[one] > most[one]})
                await asyncio.sleep(0)
                used.subtract(inside)
        ended += 1

    choices = list(itertools.product(EITHER, ("mirror", "upstream", "target"), EITHER)) * 25
    async with asyncio.timeout(20):
        await asyncio.gather(*(transfer(*choice) for choice in choices))
    assert ended == 300
    assert max(most.values()) <= 2


async def test_who_makes_no_transfer_has_nothing_to_turn() -> None:
    limits = Limits(lambda _: 1)
    async with limits.hold("mirror"):
        await limits.turn("upstream", among=EITHER)
        async with limits.hold("upstream"):
            pass
