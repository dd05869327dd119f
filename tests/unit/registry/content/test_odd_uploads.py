"""Uploads into registries that take blobs in one way only, count in a way of their own, or answer other successes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from regsync.errors import Forbidden, IntegrityError, RegsyncError, Unavailable
from regsync.events import Warned
from regsync.registry.repository import RegistryRepository
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import BitFlip, Change, Fault, Html200, Redirect, ResetRequest, Status
from tests.support.images import bytes_of, described, put_built, put_bytes, some_bytes
from tests.support.odd.registry import OddRegistry
from tests.support.odd.uploads import ChunksUpTo
from tests.unit.registry.content.lab import lab

DATA = some_bytes(250_000, "odd")
BLOB = described(DATA)
TRIES = 4  # as often as the copier begins a blob


async def stored(repository: RegistryRepository) -> None:
    """Push as the copier does: again while that may help."""
    for attempt in range(TRIES):
        try:
            await put_bytes(repository, DATA)
        except (Unavailable, IntegrityError):
            if attempt == TRIES - 1:
                raise
        else:
            break
    assert await bytes_of(repository, BLOB) == DATA


@pytest.mark.parametrize("status", [404, 405, 411, 413, 501])
async def test_chunks_are_sent_where_a_whole_blob_is_refused(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.fail(Fault(Status(status), kind="commit"))
    async with lab(fake_registry.host, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert (fake_registry.count(method="PATCH"), fake_registry.count(kind="commit")) == (3, 2)


@pytest.mark.parametrize("status", [404, 405, 411, 413, 501])
async def test_a_whole_blob_is_sent_where_chunks_are_refused(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.fail(Fault(Status(status), kind="patch", times=9))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert (fake_registry.count(method="PATCH"), fake_registry.count(kind="commit")) == (1, 1)


async def test_a_whole_blob_is_sent_where_chunks_are_too_large_for_their_place() -> None:
    async with OddRegistry((ChunksUpTo(50_000),)) as fake:
        async with lab(fake.host, blob_max=1000, blob_chunk=100_000) as at:
            await stored(at.repository())
        assert fake.count(kind="commit") == 1


async def test_one_chunk_that_is_unsatisfiable_and_wanted_is_sent_once_more(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(416), kind="patch"))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert (fake_registry.count(method="PATCH"), fake_registry.count(kind="commit")) == (4, 1)


async def test_what_a_refusal_taught_holds_for_other_blobs(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(405), kind="patch", times=9))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
        await put_bytes(at.repository(), DATA[1:])
    assert fake_registry.count(method="PATCH") == 1


async def test_one_lost_blob_decides_nothing_for_others(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(404), kind="commit"))
    async with lab(fake_registry.host, blob_chunk=100_000) as at:
        await stored(at.repository())
        await put_bytes(at.repository(), DATA[1:])
    assert fake_registry.count(method="PATCH") == 3


@pytest.mark.parametrize("status", [405, 501])
async def test_a_registry_that_takes_blobs_in_no_way_is_given_up(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.fail(Fault(Status(status), kind="patch", times=99))
    fake_registry.fail(Fault(Status(status), kind="commit", times=99))
    async with lab(fake_registry.host) as at:
        with pytest.raises(Unavailable, match=str(status)):
            await stored(at.repository())


@pytest.mark.parametrize("size", [1 << 20, 250_000])
async def test_chunks_are_sent_where_whole_blobs_break_twice_at_the_same_place(
    fake_registry: FakeRegistry, size: int
) -> None:
    fake_registry.fail(Fault(ResetRequest(1000), kind="commit", times=2))
    async with lab(fake_registry.host, blob_chunk=size) as at:
        await stored(at.repository())
    assert fake_registry.count(method="PATCH") == 1


async def test_who_forbids_a_whole_blob_is_not_sent_chunks(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(403), kind="commit"))
    async with lab(fake_registry.host) as at:
        with pytest.raises(Forbidden):
            await stored(at.repository())
    assert fake_registry.count(method="PATCH") == 0


@pytest.mark.parametrize(
    "said",
    [
        lambda _start, end: f"0-{end + 1}",
        lambda _start, end: f"bytes=0-{end + 1}",
        lambda start, end: f"0-{end - start}" if start != 50_000 else f"0-{end}",
        lambda start, end: f"{start}-{end}",
    ],
)
async def test_a_range_that_is_miscounted_is_told_once_and_not_believed(
    fake_registry: FakeRegistry, said: Callable[[int, int], str]
) -> None:
    for start in range(0, len(DATA), 50_000):
        odd = Change({"Range": said(start, min(start + 50_000, len(DATA)) - 1)})
        fake_registry.fail(Fault(odd, kind="patch", nth=start // 50_000 + 1))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=50_000) as at:
        await stored(at.repository())
        told = [event for event in at.told if isinstance(event, Warned)]
    assert fake_registry.count(method="PATCH") == 5
    assert len(told) <= 1


@pytest.mark.parametrize("said", ["0-99998", "0-49999"])
async def test_a_range_that_may_mean_that_less_was_kept_is_asked_about(fake_registry: FakeRegistry, said: str) -> None:
    fake_registry.fail(Fault(Change({"Range": said}), kind="patch", nth=2))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=50_000) as at:
        await stored(at.repository())
    assert fake_registry.count(kind="status") == 1


async def test_a_portal_between_two_puts_of_a_manifest_does_no_harm(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Html200(), kind="manifest", method="PUT"))
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), image_bytes(DATA), tag="v1")
        assert await at.repository().head_manifest("v1") is not None


async def test_what_is_miscounted_is_refused_by_its_digest_if_bytes_are_missing(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(BitFlip(), kind="patch", times=99))
    fake_registry.fail(Fault(Change({"Range": "0-50000"}), kind="patch"))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=50_000) as at:
        with pytest.raises(IntegrityError):
            await stored(at.repository())
        assert not await at.repository().has_blob(BLOB)


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_other_successes_than_created_are_looked_after_and_nothing_is_sent_again(
    fake_registry: FakeRegistry, status: int
) -> None:
    for kind in ("commit", "manifest"):
        fake_registry.fail(
            Fault(Change(status=status, without=("Docker-Content-Digest",)), kind=kind, method="PUT", times=9)
        )
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), image_bytes(DATA), tag="v1")
        assert await at.repository().head_manifest("v1") is not None
    assert fake_registry.count(method="PUT", kind="commit") == 2


@pytest.mark.parametrize("status", [200, 201, 204])
async def test_a_session_is_one_whatever_success_it_came_with(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.fail(Fault(Change(status=status), kind="upload", times=9))
    async with lab(fake_registry.host) as at:
        await stored(at.repository())


@pytest.mark.parametrize("status", [200, 204])
async def test_a_chunk_is_taken_with_any_success(fake_registry: FakeRegistry, status: int) -> None:
    fake_registry.fail(Fault(Change(status=status, without=("Range",)), kind="patch", times=9))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
    assert fake_registry.count(method="PATCH") == 3


@pytest.mark.parametrize("kind", ["commit", "manifest"])
async def test_a_portal_that_says_200_has_stored_nothing(fake_registry: FakeRegistry, kind: str) -> None:
    fake_registry.fail(Fault(Html200(), kind=kind, method="PUT", times=99))
    async with lab(fake_registry.host) as at:
        with pytest.raises(RegsyncError, match="does not have it"):
            await put_built(at.repository(), image_bytes(DATA), tag="v1")


@pytest.mark.parametrize("code", [307, 308])
async def test_a_closing_request_without_a_body_is_followed(fake_registry: FakeRegistry, code: int) -> None:
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        async with FakeRegistry() as other:
            fake_registry.fail(Fault(Redirect(f"http://{other.host}/elsewhere", code), kind="commit"))
            other.fail(Fault(Status(201)))
            await put_bytes(at.repository(), DATA)
        assert [(each.method, each.bytes_in) for each in other.journal] == [("PUT", 0)]
