"""Registries, or what stands before them, that take small bodies only, or a single chunk."""

from __future__ import annotations

import pytest

from regsync.errors import Unavailable, Unsupported
from regsync.registry.host import HostSettings, Learnt
from tests.support.clock import FakeClock
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Change, Fault, Status
from tests.unit.registry.content.lab import lab
from tests.unit.registry.content.test_odd_uploads import stored

ALWAYS = 9999


async def test_chunks_become_smaller_until_they_get_through(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(413), kind="commit"))
    fake_registry.fail(Fault(Status(413), kind="patch"))
    async with lab(fake_registry.host) as at:
        await stored(at.repository())  # 250,000 whole, 125,000, then eight of 31,250
    assert fake_registry.count(method="PATCH") == 1 + 8


async def test_what_gets_through_is_remembered_for_other_blobs(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(413), kind="commit"))
    fake_registry.fail(Fault(Status(413), kind="patch"))
    async with lab(fake_registry.host) as at:
        await stored(at.repository())
        before = fake_registry.count(method="PATCH")
        await stored(at.repository("other"))
    assert fake_registry.count(method="PATCH") == before + 8


async def test_who_takes_no_body_at_all_is_told_to_look_before_the_registry(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(413), kind="commit", times=ALWAYS))
    fake_registry.fail(Fault(Status(413), kind="patch", times=ALWAYS))
    async with lab(fake_registry.host, blob_chunk=16 << 10) as at:
        with pytest.raises(Unsupported, match=r"refuses a body of 16384 bytes \(413\).*client_max_body_size"):
            await stored(at.repository())
    assert fake_registry.count(method="PATCH") == 1


async def test_chunks_stay_below_what_was_refused_and_above_what_makes_sense_for_an_hour() -> None:
    clock = FakeClock()
    learnt = Learnt(HostSettings("r.example", "r.example"), chunk_limit=10 << 20, clock=clock)
    learnt.demanded(5 << 20)
    assert learnt.chunk == 5 << 20
    assert learnt.too_large(8 << 20, parts=2)
    assert learnt.too_large(64 << 20, parts=2)
    assert learnt.chunk == 4 << 20
    assert learnt.too_large(20_000, parts=4)
    assert not learnt.too_large(16 << 10, parts=4)
    assert learnt.chunk == 16 << 10
    await clock.advance(3601)
    assert learnt.chunk == 1 << 20


async def test_a_blob_goes_up_whole_where_only_one_chunk_is_taken(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(416), kind="patch", nth=2, times=ALWAYS))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert fake_registry.count(kind="commit") == 1


async def test_a_blob_goes_up_whole_where_chunks_are_taken_and_nothing_is_said_to_come_of_them(
    fake_registry: FakeRegistry,
) -> None:
    fake_registry.fail(Fault(Change({"Range": "0-0"}), kind="patch", times=ALWAYS))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())


async def test_who_takes_neither_chunks_nor_the_whole_is_given_up(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(416), kind="patch", nth=2, times=ALWAYS))
    fake_registry.fail(Fault(Status(405), kind="commit", times=ALWAYS))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        with pytest.raises(Unavailable):
            await stored(at.repository())


async def test_chunks_go_on_where_what_is_said_of_them_stands_still(fake_registry: FakeRegistry) -> None:
    """ECR keeps every chunk and goes on naming the end of the first one (aws/containers-roadmap#2831)."""
    fake_registry.fail(Fault(Change({"Range": "0-99999"}), kind="patch", times=ALWAYS))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert fake_registry.count(method="PATCH") == 3
