from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regsync.limits import KeyedLock, Limits, Slots
from tests.support.clock import settle


@pytest.mark.parametrize("hosts", [("a",), ("a", "b")])
async def test_a_thousand_contenders_never_exceed_the_cap_and_all_get_in(hosts: tuple[str, ...]) -> None:
    limits, inside, most, entered = Limits(lambda host: 3), 0, 0, 0

    async def contend() -> None:
        nonlocal inside, most, entered
        async with limits.hold(*hosts):
            inside += 1
            entered += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async with asyncio.timeout(10):
        await asyncio.gather(*(contend() for _ in range(1000)))
    assert entered == 1000
    assert most == (3 if len(hosts) == 1 else 2)


async def test_transfers_leave_one_slot_for_a_look_up() -> None:
    limits = Limits(lambda host: 2)
    async with limits.hold("a", "b"), asyncio.timeout(1), limits.hold("c", "d"):
        pass
    release = asyncio.Event()

    async def transfer() -> None:
        async with limits.hold("a", "b"):
            await release.wait()

    tasks = [asyncio.create_task(transfer()) for _ in range(3)]
    await settle()

    async def look_up() -> None:
        async with limits.hold("a"):
            pass

    async with asyncio.timeout(1):
        await asyncio.create_task(look_up())
    release.set()
    await asyncio.gather(*tasks)


async def test_who_waits_for_a_slot_is_counted_at_each_host_that_is_wanted() -> None:
    limits = Limits(lambda host: 1)

    async def hold(*hosts: str) -> None:
        async with limits.hold(*hosts):
            pass

    await limits.take(("a", "b"))
    waiting = [asyncio.create_task(hold(*hosts)) for hosts in (("a",), ("a", "b"), ("a", "b"))]
    await settle()
    assert limits.slots() == {"a": Slots(1, 1, waiting=3), "b": Slots(1, 1, waiting=2)}
    waiting[0].cancel()
    await settle()
    assert limits.slots()["a"] == Slots(1, 1, waiting=2)
    limits.leave(("a", "b"))
    await asyncio.gather(*waiting[1:])
    assert limits.slots() == {"a": Slots(0, 1), "b": Slots(0, 1)}


async def test_a_host_with_one_slot_still_transfers() -> None:
    limits = Limits(lambda host: 1)
    async with asyncio.timeout(1), limits.hold("a", "b"):
        pass


async def test_a_request_inside_a_transfer_rides_on_its_slot() -> None:
    limits = Limits(lambda host: 1)
    async with asyncio.timeout(1), limits.hold("a", "b"), limits.hold("a"), limits.hold("b"):
        pass


async def test_a_cancelled_waiter_gives_its_place_back() -> None:
    limits = Limits(lambda host: 1)
    release = asyncio.Event()

    async def hold() -> None:
        async with limits.hold("a"):
            await release.wait()

    holder = asyncio.create_task(hold())
    await settle()
    waiters = [asyncio.create_task(hold()) for _ in range(3)]
    await settle()
    waiters[0].cancel()
    release.set()
    async with asyncio.timeout(1):
        await asyncio.gather(holder, *waiters, return_exceptions=True)
        async with limits.hold("a"):
            pass
    assert waiters[0].cancelled()


async def test_a_slot_granted_to_somebody_just_cancelled_is_passed_on() -> None:
    limits = Limits(lambda host: 1)
    release = [asyncio.Event() for _ in range(3)]

    async def hold(n: int) -> None:
        async with limits.hold("a"):
            await release[n].wait()

    tasks = [asyncio.create_task(hold(n)) for n in range(3)]
    await settle()
    release[0].set()
    await asyncio.sleep(0)  # the holder leaves and grants the second, which has not run yet
    tasks[1].cancel()
    release[2].set()
    async with asyncio.timeout(1):
        await tasks[2]


def test_a_host_without_cap_is_probed_upwards_and_halved_by_trouble() -> None:
    limits = Limits(lambda host: None)
    assert limits.limit_of("a") == 8
    for _ in range(8):
        limits.went_well("a")
    assert limits.limit_of("a") == 16
    limits.went_badly("a")
    assert limits.limit_of("a") == 8
    for _ in range(8):
        limits.went_well("a")
    assert limits.limit_of("a") == 9


def test_probing_ends_somewhere() -> None:
    limits = Limits(lambda host: None)
    for _ in range(10_000):
        limits.went_well("a")
    assert limits.limit_of("a") == 64


def test_a_cap_is_never_exceeded() -> None:
    limits = Limits(lambda host: 3)
    for _ in range(100):
        limits.went_well("a")
    assert limits.limit_of("a") == 3


def test_a_host_with_a_cap_comes_back_to_it_after_trouble() -> None:
    limits = Limits(lambda host: 4)
    limits.went_badly("a")
    assert limits.limit_of("a") == 2
    for _ in range(100):
        limits.went_well("a")
    assert limits.limit_of("a") == 4


async def test_answers_sent_before_a_halving_do_not_halve_again() -> None:
    limits = Limits(lambda host: None)
    async with asyncio.TaskGroup() as group:
        release = asyncio.Event()

        async def hold() -> None:
            async with limits.hold("a"):
                await release.wait()

        for _ in range(8):
            group.create_task(hold())
        await settle()
        for _ in range(8):
            limits.went_badly("a")
        assert limits.limit_of("a") == 4
        release.set()


async def test_a_keyed_lock_is_one_lock_a_key() -> None:
    locks = KeyedLock()
    async with locks("one"), asyncio.timeout(1), locks("two"):
        assert locks("one").locked()
    assert not locks("one").locked()


async def test_holders_and_waiters_cancelled_in_one_breath_leave_the_slots_free() -> None:
    limits = Limits(lambda host: 2)

    async def hold() -> None:
        async with limits.hold("a", "b"):
            await asyncio.Event().wait()

    tasks = [asyncio.create_task(hold()) for _ in range(20)]
    await settle()
    for task in tasks:
        task.cancel()
    ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert {type(end) for end in ends} == {asyncio.CancelledError}
    async with asyncio.timeout(1), limits.hold("a", "b"):
        pass


async def _served(limits: Limits, order: list[str], name: str, *hosts: str) -> None:
    """Hold the slots for one turn of the event loop, and note that they were got."""
    async with limits.hold(*hosts):
        order.append(name)
        await asyncio.sleep(0)


@pytest.mark.parametrize("cap", [None, 1, 2, 3])
async def test_a_transfer_begins_before_any_look_up_that_came_after_it_when_both_its_hosts_are_full(
    cap: int | None,
) -> None:
    limits, order = Limits(lambda host: 32 if host == "memory" else cap), list[str]()
    async with asyncio.TaskGroup() as group:
        for _ in range(500):
            for host in ("a", "b"):
                group.create_task(_served(limits, order, "before", host))
        group.create_task(_served(limits, order, "transfer", "a", "b", "memory"))
        await asyncio.sleep(0)
        for at in range(500):
            for host in ("a", "b"):
                group.create_task(_served(limits, order, f"after {at}", host))
    assert len(order) == 2001
    most = 2 * (cap or 64)  # whoever holds or is granted a slot in the same breath
    assert sum(name.startswith("after") for name in order[: order.index("transfer")]) <= most


async def test_look_ups_pass_a_transfer_that_waits_for_its_other_end() -> None:
    limits, release = Limits(lambda host: 4), asyncio.Event()

    async def transfer(*hosts: str) -> None:
        async with limits.hold(*hosts):
            await release.wait()

    tasks = [asyncio.create_task(transfer("busy", "elsewhere")) for _ in range(3)]
    await settle()
    tasks += [asyncio.create_task(transfer("busy", "here")) for _ in range(20)]
    await settle()
    async with asyncio.timeout(1):
        await asyncio.gather(*(_served(limits, [], "look-up", "here") for _ in range(50)))
        await _served(limits, [], "transfer", "here", "third")
    release.set()
    await asyncio.gather(*tasks)


async def test_a_transfer_that_gives_up_leaves_its_reservation_to_others() -> None:
    limits, release = Limits(lambda host: 1), asyncio.Event()

    async def hold(*hosts: str) -> None:
        async with limits.hold(*hosts):
            await release.wait()

    holder = asyncio.create_task(hold("a"))
    await settle()
    transfer = asyncio.create_task(hold("a", "b"))
    await settle()
    look_up = asyncio.create_task(_served(limits, [], "look-up", "b"))
    await settle()
    assert not look_up.done()
    transfer.cancel()
    async with asyncio.timeout(1):
        await look_up
    release.set()
    await asyncio.gather(holder, transfer, return_exceptions=True)


@settings(max_examples=200)
@given(
    wants=st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=3), min_size=1, max_size=60),
    cap=st.integers(1, 5),
)
def test_whatever_is_wanted_in_whatever_order_everybody_is_served(wants: list[set[str]], cap: int) -> None:
    async def all_of_them() -> None:
        limits, order = Limits(lambda host: cap), list[str]()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            for at, hosts in enumerate(wants):
                group.create_task(_served(limits, order, str(at), *hosts))
        assert len(order) == len(wants)
        async with asyncio.timeout(10), limits.hold("a"), limits.hold("b"), limits.hold("c"), limits.hold("d"):
            pass

    asyncio.run(all_of_them())
