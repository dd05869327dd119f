"""What every `Repository` promises of taking a blob from a neighbour."""

from __future__ import annotations

from tests.contract.places import Place
from tests.support.images import bytes_of, described, put_blob, some_bytes, verified_once
from tests.support.memory import MemoryRepository

LARGE = some_bytes(5 << 20)


async def test_a_blob_is_adopted_from_a_sibling_where_that_is_done_and_can_be_put_where_not(place: Place) -> None:
    blob = described(LARGE)
    await put_blob(place.sibling, verified_once(LARGE))
    if place.mounts:
        assert not await place.repository.has_blob(blob)
        assert await place.repository.adopt_blob(blob, place.sibling)
    else:
        assert not await place.repository.adopt_blob(blob, place.sibling)
        await put_blob(place.repository, verified_once(LARGE))
    assert await place.stranger.has_blob(blob)
    assert await bytes_of(place.stranger, blob) == LARGE


async def test_a_repository_asked_to_adopt_from_itself_says_whether_it_has_the_blob_where_blobs_are_adopted(
    place: Place,
) -> None:
    blob = described(LARGE)
    for has_it in (False, True):
        assert await place.repository.adopt_blob(blob, place.repository) is (has_it and place.mounts)
        await put_blob(place.repository, verified_once(LARGE))
        assert await bytes_of(place.stranger, blob) == LARGE


async def test_a_blob_the_sibling_lacks_is_not_adopted_and_can_be_put(place: Place) -> None:
    blob = described(LARGE)
    assert not await place.repository.adopt_blob(blob, place.sibling)
    assert not await place.stranger.has_blob(blob)
    await put_blob(place.repository, verified_once(LARGE))
    assert await place.stranger.has_blob(blob)


async def test_nothing_is_adopted_from_somewhere_else(place: Place) -> None:
    elsewhere = MemoryRepository("elsewhere/repository", host="elsewhere")
    await put_blob(elsewhere, verified_once(LARGE))
    assert not await place.repository.adopt_blob(described(LARGE), elsewhere)
    assert not await place.stranger.has_blob(described(LARGE))
