"""Blobs that break and go on, and blobs that several targets want."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager

import pytest

from regsync.errors import AccessDenied, CopyFailed, IntegrityError, RegsyncError, StorageError, Unavailable
from regsync.events import BlobDone, BlobProgress, Event
from regsync.oci.descriptor import Descriptor
from regsync.repository import Chunks
from tests.support.clock import FakeClock, settle
from tests.support.images import an_image, an_index, some_bytes
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import copied, copy, shared

LARGE = some_bytes(4 << 20)


def a_source() -> MemoryRepository:
    return MemoryRepository("a.x/app", host="a.x")


def a_target(name: str, *, host: str = "") -> MemoryRepository:
    return MemoryRepository(name, host=host or name.partition("/")[0])


def chunks_of(repository: MemoryRepository) -> int:
    return repository.calls["chunk"]


async def test_a_blob_whose_upload_breaks_goes_on_where_it_stands() -> None:
    source, target = a_source(), a_target("b.x/app")
    await an_image(source, LARGE, tag="v1")
    target.fail("write", Unavailable("reset"), nth=40, times=1)
    await copy(shared(), source, target)
    assert target.blobs == source.blobs
    assert chunks_of(source) <= 64 + 1 + 17  # 64 chunks and the config; at most one state of the hash is gone back


async def test_a_blob_that_breaks_again_and_again_arrives_as_long_as_it_gets_further() -> None:
    source, target = a_source(), a_target("b.x/app")
    await an_image(source, LARGE, tag="v1")
    for nth in range(5, 65, 5):
        target.fail("write", Unavailable("reset"), nth=nth)
    await copy(shared(), source, target)
    assert target.blobs == source.blobs


async def test_a_blob_that_never_gets_further_is_given_up_after_four_attempts() -> None:
    source, target = a_source(), a_target("b.x/app")
    made = await an_image(source, LARGE, tag="v1")
    target.fail("write", Unavailable("reset"), times=99)
    with pytest.raises(CopyFailed) as caught:
        await copy(shared(), source, target)
    assert caught.value.attempts == 4
    assert made.layers[0].digest not in target.blobs


async def test_a_blob_whose_source_breaks_goes_on_in_the_copy_that_comes_later() -> None:
    source, target, state = a_source(), a_target("b.x/app"), shared()
    made = await an_image(source, LARGE, tag="v1")
    source.breaks[made.layers[0].digest] = (3 << 20, Unavailable("gone", retry_after=600))
    with pytest.raises(CopyFailed):
        await copy(state, source, target)
    source.breaks.clear()
    source.calls.clear()
    await copy(state, source, target)
    assert target.blobs == source.blobs
    assert chunks_of(source) <= 16 + 2 + 17


async def test_what_a_target_holds_and_nobody_has_proved_is_thrown_away() -> None:
    source, target = a_source(), a_target("b.x/app")
    made = await an_image(source, LARGE, tag="v1")
    target.suspended[made.layers[0].digest] = b"x" * 1000
    await copy(shared(), source, target)
    assert target.blobs == source.blobs


class Changing(MemoryRepository):
    """A source that serves other bytes whenever it is asked to go on with a blob."""

    def open_blob(self, blob: Descriptor, *, start: int = 0) -> AbstractAsyncContextManager[Chunks]:
        if start:
            data = bytearray(self.blobs[blob.digest])
            data[start + 1] ^= 1
            self.lies[blob.digest] = bytes(data)
        return super().open_blob(blob, start=start)


async def test_a_source_that_serves_other_bytes_after_a_break_completes_nothing() -> None:
    source, target = Changing("a.x/app", host="a.x"), a_target("b.x/app")
    made = await an_image(source, LARGE, tag="v1")
    target.fail("write", Unavailable("reset"), nth=40)
    (failure,) = await copied(shared(), source, target)
    assert isinstance(failure, CopyFailed)
    assert isinstance(failure.__cause__, IntegrityError)
    assert made.layers[0].digest not in target.blobs
    assert not target.tagged


async def test_three_targets_get_an_image_by_one_reading_of_each_blob() -> None:
    source, targets = a_source(), [a_target(f"{name}.x/app") for name in "bcd"]
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    source.calls.clear()
    assert await copied(shared(), source, *targets) == [None, None, None]
    assert source.calls["open_blob"] == len(source.blobs)
    for target in targets:
        assert (target.blobs, target.manifests, target.tagged) == (source.blobs, source.manifests, source.tagged)


async def test_of_two_targets_at_one_host_one_gets_the_bytes_and_the_other_mounts() -> None:
    source, one, two = a_source(), a_target("b.x/one"), a_target("b.x/two")
    await an_image(source, b"layer", tag="v1")
    seen: list[Event] = []
    assert await copied(shared(), source, one, two, tell=seen.append) == [None, None]
    assert source.calls["open_blob"] == len(source.blobs)
    how = [(event.target, event.how) for event in seen if isinstance(event, BlobDone)]
    assert sorted(how) == [("b.x/one", "copied")] * 2 + [("b.x/two", "adopted")] * 2


async def test_targets_of_one_host_that_mount_nothing_get_the_bytes_together_once_that_is_known() -> None:
    source, one, two, state = a_source(), a_target("b.x/one"), a_target("b.x/two"), shared()
    one.adopts = two.adopts = False
    await an_image(source, b"first", tag="v1")
    assert await copied(state, source, one, two) == [None, None]
    await an_image(source, b"second", b"third", tag="v2")
    source.calls.clear()
    assert await copied(state, source, one, two, tag="v2") == [None, None]
    assert one.blobs == two.blobs == source.blobs
    assert source.calls["open_blob"] == 3


@pytest.mark.parametrize("method", ["has_blob", "write_blob", "write", "commit", "put_manifest"])
@pytest.mark.parametrize("error", [AccessDenied("no"), StorageError("disk full"), Unavailable("429", retry_after=800)])
async def test_a_target_that_fails_anywhere_drops_out_alone(method: str, error: RegsyncError) -> None:
    source, sound, broken, last = a_source(), a_target("b.x/app"), a_target("c.x/app"), a_target("d.x/app")
    await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    source.calls.clear()
    broken.fail(method, error, times=99)
    failures = await copied(shared(), source, sound, broken, last)
    assert [failure is None for failure in failures] == [True, False, True]
    assert failures[1] is not None
    assert failures[1].__cause__ is error
    assert sound.tagged == last.tagged == source.tagged
    assert sound.blobs == last.blobs == source.blobs
    assert not broken.tagged
    assert source.calls["open_blob"] == len(source.blobs)


async def test_a_target_that_stumbles_goes_on_without_the_others_being_sent_anything_twice() -> None:
    source, sound, shaky = a_source(), a_target("b.x/app"), a_target("c.x/app")
    await an_image(source, LARGE, tag="v1")
    shaky.fail("write", Unavailable("reset"), nth=30)
    assert await copied(shared(), source, sound, shaky) == [None, None]
    assert sound.blobs == shaky.blobs == source.blobs
    assert sound.calls["write_blob"] == len(source.blobs)


async def test_what_the_source_does_wrong_is_the_failure_of_all_its_targets() -> None:
    source, targets = a_source(), [a_target("b.x/app"), a_target("c.x/app")]
    made = await an_image(source, b"layer", tag="v1")
    source.lies[made.layers[0].digest] = b"lxyer"
    failures = await copied(shared(), source, *targets)
    assert all(failure is not None and isinstance(failure.__cause__, IntegrityError) for failure in failures)
    assert all(made.layers[0].digest not in target.blobs for target in targets)


async def test_a_target_whose_blobs_are_there_gets_its_name_while_another_still_waits_for_its_own() -> None:
    source, quick, slow = a_source(), a_target("b.x/app"), a_target("c.x/app")
    made = await an_image(source, b"layer", tag="v1")
    quick.blobs.update(source.blobs)
    gate = slow.gate("write")
    copying = asyncio.create_task(copied(shared(), source, quick, slow))
    await gate.reached()
    await settle()
    assert quick.tagged == {"v1": made.digest}
    assert not slow.tagged
    gate.open()
    assert await copying == [None, None]


async def test_a_copy_to_several_targets_that_is_cancelled_leaves_nothing_open() -> None:
    source, targets = a_source(), [a_target("b.x/app"), a_target("c.x/app")]
    made = await an_image(source, LARGE, tag="v1")
    gate = targets[1].gate("write")
    state = shared(limit=2)
    copying = asyncio.create_task(copied(state, source, *targets))
    await gate.reached()
    copying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copying
    gate.open()
    assert all(made.layers[0].digest not in target.blobs and not target.suspended for target in targets)
    assert await copied(state, source, *targets) == [None, None]


async def test_how_far_a_blob_is_is_told_four_times_a_second_at_most() -> None:
    clock, seen = FakeClock(), list[Event]()
    source, target = a_source(), a_target("b.x/app")
    made = await an_image(source, LARGE, tag="v1")

    copying = asyncio.create_task(copy(shared(clock=clock), source, target, tell=seen.append))
    gate = source.gate("chunk")
    await gate.reached()
    gate.open()
    while not copying.done():
        await clock.advance(0.1)
    told = [event for event in seen if isinstance(event, BlobProgress)]
    assert all(event.digest == str(made.layers[0].digest) and 0 < event.offset < event.size for event in told)
    assert [event.offset for event in told] == sorted({event.offset for event in told})


async def test_what_one_target_holds_is_not_proved_by_what_another_was_given() -> None:
    source, one, two, state = a_source(), a_target("b.x/app"), a_target("c.x/app"), shared()
    made = await an_image(source, LARGE, tag="v1")
    source.breaks[made.layers[0].digest] = (3 << 20, Unavailable("gone", retry_after=600))
    await copied(state, source, one)
    source.breaks.clear()
    two.suspended[made.layers[0].digest] = b"x" * 1000
    assert await copied(state, source, two) == [None]
    assert two.blobs == source.blobs


async def test_a_target_that_is_new_is_asked_for_a_blob_by_opening_its_upload() -> None:
    source, target, state = a_source(), a_target("b.x/app"), shared()
    made = await an_image(source, b"a layer", b"another", tag="v1")
    target.blobs[made.layers[0].digest] = b"a layer"  # as a run leaves it that was killed
    state.seen.found_new(target)
    await copy(state, source, target)
    assert target.blobs == source.blobs
    assert (target.calls["has_blob"], target.calls["write_blob"]) == (0, 2)


async def test_a_target_that_is_new_is_looked_into_where_a_neighbour_s_blob_was_not_to_be_had() -> None:
    source, neighbour, target, state = a_source(), a_target("b.x/other"), a_target("b.x/app"), shared()
    await an_image(source, b"a layer", tag="v1")
    await copy(state, source, neighbour)
    target.blobs.update(source.blobs)  # what one repository has, all of that registry have
    target.adopts = False
    state.seen.found_new(target)
    await copy(state, source, target)
    assert target.calls["write_blob"] == 0
