from __future__ import annotations

import asyncio

import pytest

from regsync.errors import AccessDenied, CopyFailed, Incomplete, IntegrityError, Unavailable
from regsync.events import BlobDone, BlobRetried, Event, ManifestPushed, Tell, ignore
from regsync.limits import KeyedLock, Limits
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository, Verified
from regsync.transfer.copier import TRANSFERS, Copier
from regsync.transfer.plan import plan_copy
from tests.support.clock import FakeClock, settle
from tests.support.images import a_nested_index, an_image, an_index
from tests.support.memory import MemoryRepository


async def fetch(source: Repository, digest: Digest) -> Manifest:
    return await source.get_manifest(digest)


def a_copier(*, limit: int | None = None, tell: Tell = ignore, movers: KeyedLock | None = None) -> Copier:
    limits = Limits(lambda host: 32 if host == TRANSFERS else limit)
    return Copier(limits, movers or KeyedLock(), clock=FakeClock(instant=True), tell=tell)


async def copy(
    copier: Copier, source: Repository, target: Repository, tag: str = "v1", *, trusting: bool = True
) -> None:
    root = await source.get_manifest(tag)
    plan = await plan_copy(source, target, root, at=tag, fetch=fetch, trusting=trusting)
    await copier.run(plan, source, target, trusting=trusting)


def ends() -> tuple[MemoryRepository, MemoryRepository]:
    return MemoryRepository("a.example/app", host="a.example"), MemoryRepository("b.example/app", host="b.example")


async def test_everything_arrives_children_before_parents_and_the_tag_last() -> None:
    source, target = ends()
    root = await a_nested_index(source, tag="v1")
    seen: list[Event] = []
    await copy(a_copier(tell=seen.append), source, target)
    assert target.blobs == source.blobs
    assert target.manifests == source.manifests
    assert target.tagged == {"v1": root.digest}
    pushes = [event.ref for event in seen if isinstance(event, ManifestPushed)]
    assert pushes[-1] == "v1"
    assert pushes.count("v1") == 1


async def test_a_blob_that_is_there_is_not_read() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.blobs.update(source.blobs)
    seen: list[Event] = []
    await copy(a_copier(tell=seen.append), source, target)
    assert source.calls["open_blob"] == 0
    assert {event.how for event in seen if isinstance(event, BlobDone)} == {"present"}


async def test_a_layer_two_images_need_is_asked_for_and_read_once() -> None:
    source, target = ends()
    await an_image(source, b"shared", b"1", tag="v1")
    await an_image(source, b"shared", b"2", tag="v2")
    copier = a_copier()
    await asyncio.gather(copy(copier, source, target, "v1"), copy(copier, source, target, "v2"))
    assert source.calls["open_blob"] == len(source.blobs)
    assert target.calls["has_blob"] == len(source.blobs)


async def test_a_blob_another_repository_of_the_target_has_is_mounted_from_there() -> None:
    source = MemoryRepository("a.example/app", host="a.example")
    await an_image(source, b"layer", tag="v1")
    one, two = MemoryRepository("b.example/one", host="b.example"), MemoryRepository("b.example/two", host="b.example")
    seen: list[Event] = []
    copier = a_copier(tell=seen.append)
    await copy(copier, source, one)
    source.calls.clear()
    await copy(copier, source, two)
    assert source.calls["open_blob"] == 0
    assert two.blobs == source.blobs
    assert [event.how for event in seen if isinstance(event, BlobDone)] == ["copied", "copied", "adopted", "adopted"]


async def test_a_broken_blob_is_begun_again_and_told() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_blob", Unavailable("cut"), times=2)
    seen: list[Event] = []
    await copy(a_copier(tell=seen.append), source, target)
    assert target.blobs == source.blobs
    assert sum(isinstance(event, BlobRetried) for event in seen) == 2


class StoresSilently(MemoryRepository):
    """Stores every blob and loses the answer."""

    async def put_blob(self, content: Verified) -> None:
        await super().put_blob(content)
        raise Unavailable("the answer was lost")


async def test_an_upload_whose_answer_was_lost_is_not_sent_again() -> None:
    source, target = MemoryRepository("a.example/app", host="a.example"), StoresSilently("b.example/app", host="b")
    await an_image(source, b"layer", tag="v1")
    await copy(a_copier(), source, target)
    assert source.calls["open_blob"] == len(source.blobs)
    assert target.blobs == source.blobs


async def test_lying_bytes_never_arrive_and_the_tag_does_not_move() -> None:
    source, target = ends()
    await an_image(source, b"old", tag="v1")
    await copy(a_copier(), source, target)
    before = target.tagged["v1"]
    image = await an_image(source, b"new", tag="v1")
    source.lies[image.layers[0].digest] = b"nxw"
    with pytest.raises(CopyFailed) as caught:
        await copy(a_copier(), source, target)
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert caught.value.attempts == 4
    assert target.tagged["v1"] == before
    assert image.layers[0].digest not in target.blobs


async def test_a_refusal_is_final_at_once() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_blob", AccessDenied("no"), times=9)
    with pytest.raises(CopyFailed) as caught:
        await copy(a_copier(), source, target)
    assert isinstance(caught.value.__cause__, AccessDenied)
    assert not target.manifests


async def test_a_target_that_lacks_what_it_said_it_had_gets_it_when_no_longer_trusted() -> None:
    source, target = ends()
    image = await an_image(source, b"layer", tag="v1")
    target.phantoms.add(image.layers[0].digest)
    copier = a_copier()
    with pytest.raises(CopyFailed) as caught:
        await copy(copier, source, target)
    assert isinstance(caught.value.__cause__, Incomplete)
    await copy(copier, source, target, trusting=False)
    assert target.blobs == source.blobs


async def test_when_the_mover_is_cancelled_the_next_one_takes_over() -> None:
    source, target = ends()
    await an_image(source, b"shared", tag="v1")
    await an_image(source, b"shared", b"more", tag="v2")
    gate = target.gate("put_blob")
    copier = a_copier()
    first = asyncio.create_task(copy(copier, source, target, "v1"))
    await gate.reached()
    second = asyncio.create_task(copy(copier, source, target, "v2"))
    await settle()
    first.cancel()
    gate.open()
    await second
    with pytest.raises(asyncio.CancelledError):
        await first
    assert "v2" in target.tagged
    assert "v1" not in target.tagged


async def test_two_directions_with_one_slot_each_do_not_wait_for_each_other() -> None:
    left, right = ends()
    await an_image(left, *(bytes([n]) for n in range(20)), tag="v1")
    await an_image(right, *(bytes([n, n]) for n in range(20)), tag="v2")
    copier = a_copier(limit=1)
    async with asyncio.timeout(10):
        await asyncio.gather(copy(copier, left, right, "v1"), copy(copier, right, left, "v2"))
    assert left.tagged.keys() == right.tagged.keys() == {"v1", "v2"}


async def test_the_first_failure_cancels_the_siblings_and_is_no_group() -> None:
    source, target = ends()
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    gate = source.gate("chunk")
    target.fail("has_blob", AccessDenied("no"))
    with pytest.raises(CopyFailed):
        await copy(a_copier(), source, target)
    assert gate.waiting == 0


async def test_a_child_two_indexes_share_is_pushed_once() -> None:
    source, target = ends()
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    await an_index(source, "linux/amd64", "linux/s390x", tag="v2")
    copier = a_copier()
    await asyncio.gather(copy(copier, source, target, "v1"), copy(copier, source, target, "v2"))
    assert target.calls["put_manifest"] == 5
    assert target.manifests == source.manifests


async def test_a_manifest_refused_for_its_bytes_is_sent_once_more() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_manifest", IntegrityError("400 DIGEST_INVALID"))
    await copy(a_copier(), source, target)
    assert target.tagged == source.tagged


async def test_a_manifest_refused_for_its_bytes_twice_fails() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_manifest", IntegrityError("400 DIGEST_INVALID"), times=2)
    with pytest.raises(CopyFailed):
        await copy(a_copier(), source, target)
