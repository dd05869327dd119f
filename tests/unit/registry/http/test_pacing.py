"""Requests to one host, as far as they depend on each other."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import Unavailable
from regsync.registry.http.pacing import Pacing, Rest
from tests.support.clock import FakeClock, settle


def pacing_of(clock: FakeClock, *, per_second: float = 0) -> Pacing:
    return Pacing("r.example", per_second, clock=clock, draw=lambda: 1.0)


def silent(pacing: Pacing, times: int) -> None:
    for _ in range(times):
        pacing.failed("connection refused", silent=True)


async def test_starts_are_spaced_by_the_rate() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock, per_second=4)
    for expected in (0.0, 0.25, 0.5):
        async with pacing.under_way(streaming=False):
            assert clock.monotonic() == expected


async def test_an_unused_rate_is_not_saved_up() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock, per_second=4)
    await clock.sleep(100)
    for expected in (100.0, 100.25):
        async with pacing.under_way(streaming=False):
            assert clock.monotonic() == expected


async def test_a_pause_holds_everybody_and_a_shorter_one_does_not_cut_it() -> None:
    clock = FakeClock()
    pacing = pacing_of(clock)
    pacing.pause(10)
    pacing.pause(1)
    waiting = asyncio.create_task(pacing.opened())
    await clock.advance(9.5)
    assert not waiting.done()
    assert pacing.closed
    await clock.advance(0.5)
    assert waiting.done()


async def test_a_suspect_host_is_asked_by_one_at_a_time() -> None:
    pacing = pacing_of(FakeClock())
    silent(pacing, 6)
    await pacing.opened()
    async with pacing.under_way(streaming=False):
        others = [asyncio.create_task(pacing.opened()) for _ in range(5)]
        await settle()
        assert not any(other.done() for other in others)
        pacing.answered()
        await asyncio.gather(*others)
    assert not pacing.closed


async def test_a_probe_that_was_cancelled_lets_another_one_go() -> None:
    pacing = pacing_of(FakeClock())
    silent(pacing, 6)

    async def probe() -> None:
        async with pacing.under_way(streaming=False):
            await asyncio.Event().wait()

    probing = asyncio.create_task(probe())
    await settle()
    other = asyncio.create_task(pacing.opened())
    await settle()
    assert not other.done()
    probing.cancel()
    await other
    assert probing.cancelled()


async def test_a_host_that_stays_away_is_left_alone_for_a_while() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock)
    silent(pacing, 6)
    for _ in range(6):
        await pacing.opened()
        async with pacing.under_way(streaming=False):
            silent(pacing, 1)
    assert clock.slept == [0.5, 1, 2, 4, 8]
    with pytest.raises(Unavailable, match=r"^r\.example is left alone since 00:00:15 for 30 s: connection refused$"):
        await pacing.opened()
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"^r\.example is left alone since 00:00:15$"):
            await pacing.opened()
    assert not pacing.may_retry(1)
    await clock.sleep(10)
    resting = pacing.rest
    await clock.sleep(20)
    assert (resting, pacing.rest) == (Rest(clock.now(), "connection refused"), None)
    await pacing.opened()
    async with pacing.under_way(streaming=False):
        silent(pacing, 1)
    assert pacing.out


async def test_many_failures_at_once_do_not_write_a_host_off() -> None:
    pacing = pacing_of(FakeClock())
    silent(pacing, 64)
    assert not pacing.out
    assert pacing.may_retry(1)


async def test_retries_beyond_the_first_come_out_of_a_budget() -> None:
    pacing = pacing_of(FakeClock())
    assert [pacing.may_retry(2) for _ in range(11)] == [True] * 10 + [False]
    assert pacing.may_retry(1)
    for _ in range(5):
        pacing.began()
    assert [pacing.may_retry(3), pacing.may_retry(3)] == [True, False]


async def test_not_even_first_retries_are_free_where_nothing_works() -> None:
    pacing = pacing_of(FakeClock())
    for _ in range(64):
        pacing.failed("it answers 500", silent=False)
    assert [pacing.may_retry(1) for _ in range(11)] == [True] * 10 + [False]
    pacing.answered()
    assert pacing.may_retry(1)


async def test_a_host_that_asked_for_an_hour_is_not_asked_for_an_hour() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock)
    pacing.defer(3600, "429")
    with pytest.raises(Unavailable) as caught:
        await pacing.opened()
    assert caught.value.retry_after == 3600
    await clock.sleep(3600)
    await pacing.opened()


async def test_a_wait_longer_than_a_nap_is_left_to_those_who_hold_nothing() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock)
    pacing.pause(11)
    with pytest.raises(Unavailable) as caught:
        await pacing.opened()
    assert caught.value.retry_after == 11
    assert clock.slept == []
    await clock.advance(2)
    await pacing.opened()
    assert clock.slept == [9]


async def test_a_request_that_streams_a_body_is_never_the_probe() -> None:
    pacing = pacing_of(FakeClock(instant=True))
    for _ in range(6):
        pacing.failed("no answer", silent=True)
    async with pacing.under_way(streaming=True):
        assert not pacing.closed
        async with pacing.under_way(streaming=False):
            assert pacing.closed


async def test_a_probe_is_over_when_its_answer_begins() -> None:
    pacing = pacing_of(FakeClock(instant=True))
    for _ in range(6):
        pacing.failed("no answer", silent=True)
    async with pacing.under_way(streaming=False):
        assert pacing.closed
        pacing.answered()
        for _ in range(6):
            pacing.failed("no answer", silent=True)
        assert not pacing.closed, "its body is still coming, and nobody has to wait for that"


async def test_a_probe_that_fails_late_does_not_shorten_the_hour_that_was_asked_for() -> None:
    clock = FakeClock(instant=True)
    pacing = pacing_of(clock)
    silent(pacing, 6)
    for probe in range(6):
        async with pacing.under_way(streaming=False):
            if probe == 5:
                pacing.defer(3600, "it answers 429")
            silent(pacing, 1)
    with pytest.raises(Unavailable, match="it answers 429") as caught:
        await pacing.opened()
    assert caught.value.retry_after == 3600
