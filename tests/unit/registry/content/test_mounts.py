"""Mounts that are granted, refused or only claimed: none of them fails a blob."""

from __future__ import annotations

import pytest

from regsync.errors import Unavailable
from tests.support.fake_registry import FakeRegistry, Features
from tests.support.faults import Fault, Status
from tests.support.images import bytes_of, described, put_bytes, some_bytes
from tests.unit.registry.content.lab import Lab, lab

REFUSALS = [400, 401, 403, 404, 405, 409, 415, 422, 500, 501, 507]
DATA = some_bytes(1000, "mounted")
HOUR = 3600.0


def asked_to_mount(fake: FakeRegistry) -> int:
    return sum("mount" in each.query for each in fake.journal)


async def refused_twice(at: Lab, fake: FakeRegistry, status: int) -> None:
    """Have one anonymous mount refused, and then store another blob."""
    fake.fail(Fault(Status(status), kind="upload"))
    await put_bytes(at.repository(), DATA)
    assert await bytes_of(at.repository(), described(DATA)) == DATA
    await put_bytes(at.repository(), DATA[1:])


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refused_anonymous_mount_is_followed_by_a_plain_upload(
    fake_registry: FakeRegistry, status: int
) -> None:
    async with lab(fake_registry.host) as at:
        await refused_twice(at, fake_registry, status)
    assert fake_registry.count(kind="upload") == 3
    assert asked_to_mount(fake_registry) == (2 if status in {401, 500} else 1)


async def test_a_refusal_of_mounts_is_forgotten_after_an_hour(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        await refused_twice(at, fake_registry, 403)
        await at.clock.advance(HOUR - 1)
        await put_bytes(at.repository(), DATA[2:])
        assert asked_to_mount(fake_registry) == 1
        await at.clock.advance(1)
        await put_bytes(at.repository(), DATA[3:])
    assert asked_to_mount(fake_registry) == 2


async def test_mounts_that_end_in_500_three_times_in_a_row_are_not_asked_for(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        for number in range(5):
            if number < 3:
                fake_registry.fail(Fault(Status(500), kind="upload"))
            await put_bytes(at.repository(), DATA[number:])
    assert asked_to_mount(fake_registry) == 3


async def test_a_registry_in_trouble_has_not_refused_a_mount(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        fake_registry.fail(Fault(Status(503), kind="upload", times=6))
        with pytest.raises(Unavailable):
            await put_bytes(at.repository(), DATA)
        await put_bytes(at.repository(), DATA)
    assert asked_to_mount(fake_registry) == 7


@pytest.mark.parametrize("status", REFUSALS)
async def test_a_refused_mount_from_a_neighbour_is_no_mount_and_no_failure(
    fake_registry: FakeRegistry, status: int
) -> None:
    async with lab(fake_registry.host) as at:
        await put_bytes(at.repository("other"), DATA)
        fake_registry.fail(Fault(Status(status), kind="upload", path="/app/"))
        assert not await at.repository().adopt_blob(described(DATA), at.repository("other"))
        await put_bytes(at.repository(), DATA)
        assert await at.repository().has_blob(described(DATA))


async def test_a_granted_anonymous_mount_leaves_nothing_to_write() -> None:
    async with FakeRegistry(features=Features(anonymous_mount=True)) as fake, lab(fake.host) as at:
        await put_bytes(at.repository("other"), DATA)
        fake.journal.clear()
        async with at.repository().write_blob(described(DATA)) as writer:
            assert writer.offset == len(DATA)
            await writer.commit()
        assert [each.method for each in fake.journal] == ["POST", "HEAD"]
        assert await bytes_of(at.repository(), described(DATA)) == DATA


async def test_a_mount_that_was_only_claimed_is_followed_by_the_bytes(fake_registry: FakeRegistry) -> None:
    async with lab(fake_registry.host) as at:
        fake_registry.fail(Fault(Status(201, {"Location": "/v2/app/blobs/elsewhere"}), kind="upload"))
        await put_bytes(at.repository(), DATA)
        assert await bytes_of(at.repository(), described(DATA)) == DATA


async def test_whoever_insists_sends_the_bytes_where_every_mount_is_granted_and_every_look_lies() -> None:
    blob = described(DATA)
    async with FakeRegistry(features=Features(anonymous_mount=True)) as fake, lab(fake.host) as at:
        fake.seed("app", {}).phantoms[str(blob.digest)] = blob.size
        await put_bytes(at.repository("other"), DATA)
        fake.journal.clear()
        async with at.repository().write_blob(blob, insisting=True) as writer:
            assert writer.offset == 0
            await writer.write(DATA)
            await writer.commit()
        assert asked_to_mount(fake) == 0
        assert fake.repositories["app"].blobs[str(blob.digest)] == DATA


async def test_what_was_mounted_can_be_written_all_the_same() -> None:
    async with FakeRegistry(features=Features(anonymous_mount=True)) as fake, lab(fake.host) as at:
        await put_bytes(at.repository("other"), DATA)
        fake.journal.clear()
        async with at.repository().write_blob(described(DATA)) as writer:
            await writer.restart()
            assert writer.offset == 0
            await writer.write(DATA)
            await writer.commit()
        assert fake.count(kind="commit") == 1
