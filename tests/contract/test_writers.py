"""What every `BlobWriter` promises, wherever its repository lies."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import Forbidden, IntegrityError, RegsyncError, Unavailable
from regsync.repository import BlobWriter
from tests.contract.places import Place, without
from tests.support.images import bytes_of, chunked, described, put_bytes, some_bytes

LARGE = some_bytes(5 << 20, "written")
BLOB = described(LARGE)
PIECE = 64 << 10


async def push(writer: BlobWriter, data: bytes) -> None:
    """Write what the writer has not got, of this much."""
    async for chunk in chunked(data[writer.offset :], PIECE):
        await writer.write(chunk)


async def broken_off(place: Place, data: bytes, error: BaseException) -> None:
    """Write this much and leave with an error."""

    async def write() -> None:
        async with place.repository.write_blob(BLOB) as writer:
            await push(writer, data)
            raise error

    with pytest.raises(type(error)):
        await write()


async def committed(place: Place, data: bytes) -> None:
    """Say that this is the blob."""
    async with place.repository.write_blob(BLOB) as writer:
        await push(writer, data)
        await writer.commit()


async def completed(place: Place, data: bytes = LARGE) -> int:
    """Write the blob to its end; return where the writer began.

    Once more where that breaks, as a copy does: distribution 3 may still be storing what came before the way broke.
    """

    async def write() -> int:
        async with place.repository.write_blob(described(data)) as writer:
            began = writer.offset
            await push(writer, data)
            await writer.commit()
        return began

    try:
        began = await write()
    except Unavailable:
        began = await write()
    assert await bytes_of(place.stranger, described(data)) == data
    return began


async def test_a_writer_begins_with_nothing_and_counts_what_it_was_handed(place: Place) -> None:
    async with place.repository.write_blob(BLOB) as writer:
        assert writer.offset == 0
        await writer.write(LARGE[:1000])
        assert writer.offset == 1000
        await writer.write(b"")
        await writer.write(LARGE[1000 : 1 << 20])
        assert writer.offset == 1 << 20


@pytest.mark.parametrize("size", [0, 1, PIECE, PIECE + 1, len(LARGE)])
async def test_a_blob_is_visible_when_it_is_committed_and_not_before(place: Place, size: int) -> None:
    data = LARGE[:size]
    async with place.repository.write_blob(described(data)) as writer:
        await push(writer, data)
        assert writer.offset == size
        assert not await place.stranger.has_blob(described(data))
        await writer.commit()
        assert await place.stranger.has_blob(described(data))
    assert await bytes_of(place.stranger, described(data)) == data


@pytest.mark.parametrize("size", [0, 1, PIECE, len(LARGE)])
async def test_a_writer_left_without_commit_leaves_nothing(place: Place, size: int) -> None:
    async with place.repository.write_blob(BLOB) as writer:
        await push(writer, LARGE[:size])
    assert not await place.stranger.has_blob(BLOB)
    assert await completed(place) == 0


@pytest.mark.parametrize("size", [0, 1, PIECE, 3 << 20, len(LARGE)])
async def test_a_writer_broken_off_by_what_may_pass_is_gone_on_with(place: Place, size: int) -> None:
    await broken_off(place, LARGE[:size], Unavailable("the source went away"))
    assert not await place.stranger.has_blob(BLOB)
    assert 0 <= await completed(place) <= size


async def test_a_writer_may_be_broken_off_again_and_again(place: Place) -> None:
    for size in range(1 << 20, len(LARGE) + 1, 1 << 20):
        await broken_off(place, LARGE[:size], Unavailable("the source went away"))
    assert 0 <= await completed(place) <= len(LARGE)


@pytest.mark.parametrize("error", [IntegrityError("other bytes"), Forbidden("not for you"), ZeroDivisionError()])
async def test_a_writer_broken_off_by_anything_else_leaves_nothing(place: Place, error: Exception) -> None:
    await broken_off(place, LARGE[: 3 << 20], error)
    assert not await place.stranger.has_blob(BLOB)
    assert await completed(place) == 0


async def test_a_writer_cancelled_leaves_nothing(place: Place) -> None:
    stuck = asyncio.Event()

    async def write() -> None:
        async with place.repository.write_blob(BLOB) as writer:
            await push(writer, LARGE[: 3 << 20])
            stuck.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(write())
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await place.stranger.has_blob(BLOB)
    assert await completed(place) == 0


async def test_a_writer_of_other_bytes_restarts_with_the_right_ones(place: Place) -> None:
    await broken_off(place, b"!" * (1 << 20), Unavailable("the source went away"))
    async with place.repository.write_blob(BLOB) as writer:
        await writer.restart()
        assert writer.offset == 0
        await writer.write(b"?" * (2 << 20))
        await writer.restart()
        assert writer.offset == 0
        await push(writer, LARGE)
        await writer.commit()
    assert await bytes_of(place.stranger, BLOB) == LARGE


@without("crane")  # which reads one body at a time
async def test_two_writers_are_fed_by_one_source(place: Place) -> None:
    async with (
        place.repository.write_blob(BLOB) as one,
        place.sibling.write_blob(BLOB) as other,
    ):
        async for chunk in chunked(LARGE, PIECE):
            await one.write(chunk)
            await other.write(chunk)
        await asyncio.gather(one.commit(), other.commit())
    for repository in (place.repository, place.sibling):
        assert await bytes_of(repository, BLOB) == LARGE


@without("crane")  # which reads one body at a time
async def test_two_writers_of_one_blob_do_not_mix(place: Place) -> None:
    async with (
        place.repository.write_blob(BLOB) as one,
        place.repository.write_blob(BLOB) as other,
    ):
        await push(one, LARGE[: 2 << 20])
        await push(other, LARGE)
        await other.commit()
        await push(one, LARGE)
        await one.commit()
    assert await bytes_of(place.stranger, BLOB) == LARGE


@pytest.mark.parametrize("size", [0, 1, PIECE, len(LARGE) - 1])
async def test_too_few_bytes_are_not_committed(place: Place, size: int) -> None:
    with pytest.raises(IntegrityError):
        await committed(place, LARGE[:size])
    assert not await place.stranger.has_blob(BLOB)


async def test_too_many_bytes_are_not_committed(place: Place) -> None:
    with pytest.raises(IntegrityError):
        await committed(place, LARGE + b"!")
    assert not await place.stranger.has_blob(BLOB)


async def test_a_blob_that_is_there_may_be_written_again(place: Place) -> None:
    await put_bytes(place.repository, LARGE)
    for insisting in (False, True):
        async with place.repository.write_blob(BLOB, insisting=insisting) as writer:
            await push(writer, LARGE)
            await writer.commit()
    assert await bytes_of(place.stranger, BLOB) == LARGE


@pytest.mark.parametrize("start", [0, 1, PIECE, len(LARGE) - 1, len(LARGE)])
async def test_a_blob_is_read_from_any_byte_on(place: Place, start: int) -> None:
    await put_bytes(place.repository, LARGE)
    async with place.stranger.open_blob(BLOB, start=start) as chunks:
        assert b"".join([chunk async for chunk in chunks]) == LARGE[start:]


async def test_a_blob_that_is_not_there_is_not_read_from_its_middle(place: Place) -> None:
    with pytest.raises(RegsyncError):
        async with place.repository.open_blob(BLOB, start=PIECE) as chunks:
            [chunk async for chunk in chunks]


async def test_a_blob_that_is_named_without_its_size_has_one(place: Place) -> None:
    await put_bytes(place.repository, b"a layer")
    for repository in (place.repository, place.stranger):
        assert await repository.blob_size(described(b"a layer").digest) == 7
        assert await repository.blob_size(BLOB.digest) is None
