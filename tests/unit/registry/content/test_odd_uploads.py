"""Uploads into registries that take blobs in one way only, count in a way of their own, or answer other successes."""

from __future__ import annotations

import pytest

from regsync.errors import Forbidden, IntegrityError, RegsyncError, Unavailable
from regsync.events import Warned
from regsync.registry.repository import RegistryRepository
from tests.support.built import image_bytes
from tests.support.fake_registry import FakeRegistry
from tests.support.faults import Action, Change, Fault, Html200, Redirect, ResetRequest, Status
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


def complaint(code: str, status: int = 400) -> Status:
    return Status(status, {"Content-Type": "application/json"}, b'{"errors":[{"code":"%s"}]}' % code.encode())


IN_CHUNKS = "blobs in one request are refused; sending chunks"
WHOLE = "chunks are refused or lost; sending whole blobs"


def odd(host: str, what: str, **fields: str) -> Warned:
    return Warned(f"Registry is odd: {what}", {"host": host, **fields})


REFUSING = [Status(status) for status in (400, 405, 409, 411, 412, 413, 415, 422, 501)] + [complaint("UNSUPPORTED")]


@pytest.mark.parametrize("refusing", [*REFUSING, Status(404), Redirect("/elsewhere", 307), Redirect("/elsewhere", 302)])
async def test_a_whole_blob_that_is_refused_goes_up_in_chunks(fake_registry: FakeRegistry, refusing: Action) -> None:
    fake_registry.fail(Fault(refusing, kind="commit"))
    async with lab(fake_registry.host, blob_chunk=100_000) as at:
        await stored(at.repository())
        assert [event.message for event in at.warned] == [f"Registry is odd: {IN_CHUNKS}"]
    assert (fake_registry.count(method="PATCH"), fake_registry.count(kind="commit")) == (3, 2)


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("refusing", [*REFUSING, Status(404), Status(500), ResetRequest(1000)])
async def test_a_chunk_that_is_refused_lost_or_breaks_again_and_again_has_the_blob_go_up_whole(
    fake_registry: FakeRegistry, refusing: Action, nth: int
) -> None:
    fake_registry.fail(Fault(refusing, kind="patch", nth=nth, times=99))
    async with lab(fake_registry.host, blob_max=1000, blob_chunk=100_000) as at:
        await stored(at.repository())
        assert odd(fake_registry.host, WHOLE) in at.warned


async def test_the_other_way_is_told_of_once_for_the_host(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Status(405), kind="commit"))
    async with lab(fake_registry.host, blob_chunk=100_000) as at:
        for path in ("app", "other"):
            await stored(at.repository(path))
            await put_bytes(at.repository(path), DATA[1:])
        assert at.warned == [odd(fake_registry.host, IN_CHUNKS, example="405")]


CODES = ["DIGEST_INVALID", "SIZE_INVALID", "BLOB_UPLOAD_INVALID"]


@pytest.mark.parametrize("code", CODES)
async def test_bytes_that_are_called_wrong_are_sent_again_in_the_same_way(
    fake_registry: FakeRegistry, code: str
) -> None:
    fake_registry.fail(Fault(complaint(code), kind="commit"))
    async with lab(fake_registry.host) as at:
        with pytest.raises(IntegrityError):
            await put_bytes(at.repository(), DATA)
        await stored(at.repository())
        assert at.warned == []
    assert fake_registry.count(method="PATCH") == 0


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


async def test_a_portal_between_two_puts_of_a_manifest_does_no_harm(fake_registry: FakeRegistry) -> None:
    fake_registry.fail(Fault(Html200(), kind="manifest", method="PUT"))
    async with lab(fake_registry.host) as at:
        await put_built(at.repository(), image_bytes(DATA), tag="v1")
        assert await at.repository().head_manifest("v1") is not None


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
