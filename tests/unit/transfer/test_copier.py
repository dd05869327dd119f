from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from regsync.errors import AccessDenied, CopyFailed, Incomplete, IntegrityError, Unavailable
from regsync.events import BlobDone, BlobRetried, Event, ManifestPushed
from regsync.oci.descriptor import Descriptor
from regsync.repository import BlobWriter
from tests.support.clock import settle
from tests.support.images import a_nested_index, an_image, an_index, artifact_bytes, image_bytes, index_bytes, put_built
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import copy, shared


def ends() -> tuple[MemoryRepository, MemoryRepository]:
    return MemoryRepository("a.example/app", host="a.example"), MemoryRepository("b.example/app", host="b.example")


async def test_everything_arrives_children_before_parents_and_the_tag_last() -> None:
    source, target = ends()
    root = await a_nested_index(source, tag="v1")
    seen: list[Event] = []
    await copy(shared(), source, target, tell=seen.append)
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
    await copy(shared(), source, target, tell=seen.append)
    assert source.calls["open_blob"] == 0
    assert {event.how for event in seen if isinstance(event, BlobDone)} == {"present"}


async def test_a_layer_two_images_need_is_asked_for_and_read_once() -> None:
    source, target = ends()
    await an_image(source, b"shared", b"1", tag="v1")
    await an_image(source, b"shared", b"2", tag="v2")
    state = shared()
    await asyncio.gather(copy(state, source, target, "v1"), copy(state, source, target, "v2"))
    assert source.calls["open_blob"] == len(source.blobs)
    assert target.calls["has_blob"] == len(source.blobs)


async def test_a_blob_another_repository_of_the_target_has_is_mounted_from_there() -> None:
    source = MemoryRepository("a.example/app", host="a.example")
    await an_image(source, b"layer", tag="v1")
    one, two = MemoryRepository("b.example/one", host="b.example"), MemoryRepository("b.example/two", host="b.example")
    seen: list[Event] = []
    state = shared()
    await copy(state, source, one, tell=seen.append)
    source.calls.clear()
    await copy(state, source, two, tell=seen.append)
    assert source.calls["open_blob"] == 0
    assert two.blobs == source.blobs
    assert [event.how for event in seen if isinstance(event, BlobDone)] == ["copied", "copied", "adopted", "adopted"]


async def test_a_broken_blob_is_begun_again_and_told() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("write_blob", Unavailable("cut"), times=2)
    seen: list[Event] = []
    await copy(shared(), source, target, tell=seen.append)
    assert target.blobs == source.blobs
    assert sum(isinstance(event, BlobRetried) for event in seen) == 2


class StoresSilently(MemoryRepository):
    """Stores every blob and loses the answer."""

    @asynccontextmanager
    async def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AsyncIterator[BlobWriter]:
        async with super().write_blob(blob, insisting=insisting) as writer:
            yield writer
        raise Unavailable("the answer was lost")


async def test_an_upload_whose_answer_was_lost_is_not_sent_again() -> None:
    source, target = MemoryRepository("a.example/app", host="a.example"), StoresSilently("b.example/app", host="b")
    await an_image(source, b"layer", tag="v1")
    await copy(shared(), source, target)
    assert source.calls["open_blob"] == len(source.blobs)
    assert target.blobs == source.blobs


async def test_lying_bytes_never_arrive_and_the_tag_does_not_move() -> None:
    source, target = ends()
    await an_image(source, b"old", tag="v1")
    await copy(shared(), source, target)
    before = target.tagged["v1"]
    image = await an_image(source, b"new", tag="v1")
    source.lies[image.layers[0].digest] = b"nxw"
    with pytest.raises(CopyFailed) as caught:
        await copy(shared(), source, target)
    assert isinstance(caught.value.__cause__, IntegrityError)
    assert caught.value.attempts == 4
    assert target.tagged["v1"] == before
    assert image.layers[0].digest not in target.blobs


async def test_a_refusal_is_final_at_once() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("write_blob", AccessDenied("no"), times=9)
    with pytest.raises(CopyFailed) as caught:
        await copy(shared(), source, target)
    assert isinstance(caught.value.__cause__, AccessDenied)
    assert not target.manifests


async def test_a_target_that_lacks_what_it_said_it_had_gets_it_when_no_longer_trusted() -> None:
    source, target = ends()
    image = await an_image(source, b"layer", tag="v1")
    target.phantoms.add(image.layers[0].digest)
    state = shared()
    with pytest.raises(CopyFailed) as caught:
        await copy(state, source, target)
    assert isinstance(caught.value.__cause__, Incomplete)
    await copy(state, source, target, trusting=False)
    assert target.blobs == source.blobs


async def test_when_the_mover_is_cancelled_the_next_one_takes_over() -> None:
    source, target = ends()
    await an_image(source, b"shared", tag="v1")
    await an_image(source, b"shared", b"more", tag="v2")
    gate = target.gate("write_blob")
    state = shared()
    first = asyncio.create_task(copy(state, source, target, "v1"))
    await gate.reached()
    second = asyncio.create_task(copy(state, source, target, "v2"))
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
    state = shared(limit=1)
    async with asyncio.timeout(10):
        await asyncio.gather(copy(state, left, right, "v1"), copy(state, right, left, "v2"))
    assert left.tagged.keys() == right.tagged.keys() == {"v1", "v2"}


async def test_the_first_failure_cancels_the_siblings_and_is_no_group() -> None:
    source, target = ends()
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    gate = source.gate("chunk")
    target.fail("has_blob", AccessDenied("no"))
    with pytest.raises(CopyFailed):
        await copy(shared(), source, target)
    assert gate.waiting == 0


async def test_a_child_two_indexes_share_is_pushed_once() -> None:
    source, target = ends()
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    await an_index(source, "linux/amd64", "linux/s390x", tag="v2")
    state = shared()
    await asyncio.gather(copy(state, source, target, "v1"), copy(state, source, target, "v2"))
    assert target.calls["put_manifest"] == 5
    assert target.manifests == source.manifests


async def test_a_manifest_refused_for_its_bytes_is_sent_once_more() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_manifest", IntegrityError("400 DIGEST_INVALID"))
    await copy(shared(), source, target)
    assert target.tagged == source.tagged


async def test_a_manifest_refused_for_its_bytes_twice_fails() -> None:
    source, target = ends()
    await an_image(source, b"layer", tag="v1")
    target.fail("put_manifest", IntegrityError("400 DIGEST_INVALID"), times=2)
    with pytest.raises(CopyFailed):
        await copy(shared(), source, target)


async def test_a_digest_that_is_a_manifest_here_and_a_layer_there_arrives_as_both() -> None:
    source, target = ends()
    archived = image_bytes(b"layer")
    archive = artifact_bytes(archived.raw)
    root = await put_built(source, index_bytes(archived, archive), tag="v1")
    await copy(shared(), source, target)
    assert target.manifests == source.manifests
    assert target.blobs == source.blobs
    assert target.tagged == {"v1": root.digest}
