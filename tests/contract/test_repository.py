"""What every `Repository` promises, wherever it lies: blobs and manifests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from regsync.errors import Incomplete, IntegrityError, NotFound, RegsyncError, StorageError, Unavailable
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from tests.contract.places import Place, without
from tests.support.built import Built
from tests.support.images import (
    Verified,
    artifact_bytes,
    bytes_of,
    described,
    image_bytes,
    index_bytes,
    manifest_of,
    platforms_index,
    put_blob,
    put_blobs,
    put_built,
    some_bytes,
    verified_once,
)

ABSENT = described(b"nowhere")
LARGE = some_bytes(5 << 20)


async def test_a_place_nobody_has_used_has_nothing_and_says_so(place: Place) -> None:
    for repository in (place.repository, place.stranger):
        assert await repository.head_manifest("v1") is None
        assert await repository.head_manifest(ABSENT.digest) is None
        assert not await repository.has_blob(ABSENT)
        with pytest.raises(NotFound):
            await repository.get_manifest("v1")
        with pytest.raises(NotFound):
            await repository.get_manifest(ABSENT.digest)
        with pytest.raises(NotFound):
            await bytes_of(repository, ABSENT)


async def test_what_is_missing_beside_an_image_is_missing(place: Place) -> None:
    await put_built(place.repository, image_bytes(b"a layer"), tag="v1")
    assert await place.repository.head_manifest("v2") is None
    assert await place.repository.head_manifest(ABSENT.digest) is None
    assert not await place.repository.has_blob(ABSENT)
    with pytest.raises(NotFound):
        await place.repository.get_manifest("v2")
    with pytest.raises(NotFound):
        await place.repository.get_manifest(ABSENT.digest)


async def test_a_missing_blob_is_told_on_entering_and_not_on_reading(place: Place) -> None:
    await put_built(place.repository, image_bytes(b"a layer"), tag="v1")
    entered = False
    with pytest.raises(NotFound):
        async with place.repository.open_blob(ABSENT):
            entered = True
    assert not entered


@pytest.mark.parametrize("size", [0, 1, 65536, 1 << 20, (1 << 20) + 1, len(LARGE)])
async def test_a_blob_comes_back_as_it_was_put(place: Place, size: int) -> None:
    blob = described(LARGE[:size])
    assert not await place.repository.has_blob(blob)
    await put_blob(place.repository, verified_once(LARGE[:size]))
    for repository in (place.repository, place.stranger):
        assert await repository.has_blob(blob)
        assert await bytes_of(repository, blob) == LARGE[:size]


async def test_a_large_blob_comes_in_pieces(place: Place) -> None:
    blob = described(LARGE)
    await put_blob(place.repository, verified_once(LARGE, size=1 << 20))
    async with place.stranger.open_blob(blob) as chunks:
        sizes = [len(chunk) async for chunk in chunks]
    assert sum(sizes) == len(LARGE)
    assert max(sizes) <= 1 << 20


@without("ferro", "crane")  # ferro knows no sha384; crane takes a blob by sha512 and denies that it has it
@pytest.mark.parametrize("algorithm", ["sha384", "sha512"])
async def test_a_blob_of_another_algorithm_is_found_by_it(place: Place, algorithm: str) -> None:
    blob = described(b"a layer", algorithm=algorithm)
    await put_blob(place.repository, verified_once(b"a layer", blob=blob))
    assert await place.stranger.has_blob(blob)
    assert await bytes_of(place.stranger, blob) == b"a layer"


async def test_a_blob_put_twice_is_there_once(place: Place) -> None:
    for _ in range(2):
        await put_blob(place.repository, verified_once(b"a layer"))
    assert await bytes_of(place.stranger, described(b"a layer")) == b"a layer"


async def test_a_blob_put_by_many_at_once_is_there(place: Place) -> None:
    data = LARGE[: 1 << 20]
    await asyncio.gather(*(put_blob(place.repository, verified_once(data)) for _ in range(8)))
    assert await bytes_of(place.stranger, described(data)) == data


async def _breaking(data: bytes, error: Exception) -> AsyncIterator[bytes]:
    for start in range(0, len(data), 65536):
        yield data[start : start + 65536]
    raise error


@pytest.mark.parametrize("sent", [0, 1, 65536, 3 << 20])
async def test_a_blob_that_fails_half_way_leaves_nothing_behind(place: Place, sent: int) -> None:
    blob, error = described(LARGE), Unavailable("the source went away")
    with pytest.raises(Unavailable) as caught:
        await put_blob(place.repository, Verified(blob, _breaking(LARGE[:sent], error)))
    assert caught.value is error
    assert not await place.repository.has_blob(blob)
    assert not await place.stranger.has_blob(blob)
    await put_blob(place.repository, verified_once(LARGE))
    assert await place.stranger.has_blob(blob)


@pytest.mark.parametrize(
    "came",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(LARGE[:-1], id="too short"),
        pytest.param(LARGE + b"!", id="too long"),
        pytest.param(b"!" + LARGE[1:], id="other bytes"),
        pytest.param(LARGE[:-1] + b"!", id="another last byte"),
    ],
)
async def test_a_blob_that_is_not_what_was_described_leaves_nothing_behind(place: Place, came: bytes) -> None:
    blob = described(LARGE)
    with pytest.raises(IntegrityError):
        await put_blob(place.repository, verified_once(came, blob=blob))
    assert not await place.repository.has_blob(blob)
    assert not await place.stranger.has_blob(blob)


async def test_a_blob_whose_put_is_cancelled_leaves_nothing_behind(place: Place) -> None:
    stuck = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield LARGE[: 1 << 20]
        yield LARGE[1 << 20 : 2 << 20]
        stuck.set()
        await asyncio.Event().wait()

    blob = described(LARGE)
    task = asyncio.create_task(put_blob(place.repository, Verified(blob, endless())))
    await stuck.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not await place.stranger.has_blob(blob)
    await put_blob(place.repository, verified_once(LARGE))
    assert await place.stranger.has_blob(blob)


async def test_a_blob_left_half_read_can_be_read_again(place: Place) -> None:
    blob = described(LARGE)
    await put_blob(place.repository, verified_once(LARGE))
    for _ in range(20):
        async with place.stranger.open_blob(blob) as chunks:
            assert await anext(chunks)
    assert await bytes_of(place.stranger, blob) == LARGE


async def test_a_blob_is_read_by_many_at_once(place: Place) -> None:
    blob = described(LARGE)
    await put_blob(place.repository, verified_once(LARGE))
    assert set(await asyncio.gather(*(bytes_of(place.stranger, blob) for _ in range(5)))) == {LARGE}


async def test_a_blob_of_another_length_is_not_there(place: Place) -> None:
    data = some_bytes(100_000, "cut where it lies")  # of this test alone: registries share blobs among repositories
    blob = described(data)
    await put_blob(place.repository, verified_once(data))
    place.spoil(blob.digest, data[:-1])
    assert not await place.repository.has_blob(blob)
    assert not await place.stranger.has_blob(blob)
    if place.heals:
        await put_blob(place.repository, verified_once(data))
        assert await place.stranger.has_blob(blob)
        assert await bytes_of(place.stranger, blob) == data


async def test_bytes_that_rotted_where_they_lie_never_pass_as_the_blob(place: Place) -> None:
    data = some_bytes(100_000, "rotten where it lies")
    blob = described(data)
    await put_blob(place.repository, verified_once(data))
    place.spoil(blob.digest, b"!" + data[1:])
    with pytest.raises((IntegrityError, NotFound, StorageError)):
        async with place.stranger.open_blob(blob) as chunks:
            [chunk async for chunk in Verified(blob, chunks)]


_KINDS = {
    "an OCI image": image_bytes(b"a layer", b"another layer"),
    "a Docker image": image_bytes(b"a layer", docker=True),
    "an image with an empty layer": image_bytes(b"", b"a layer"),
    "an image with the same layer twice": image_bytes(b"a layer", b"a layer"),
    "an image without a layer": image_bytes(),
    "an index": platforms_index("linux/amd64", "linux/arm64", "linux/arm/v7"),
    "a Docker list": platforms_index("linux/amd64", "linux/arm64", docker=True),
    "a nested index": index_bytes(platforms_index("linux/amd64", "linux/arm64"), image_bytes(b"beside")),
    "an index of nothing": index_bytes(),
    "an artifact": artifact_bytes(b"a file", annotations={"org.example.key": "a value, ünïcöde"}),
}


@pytest.mark.parametrize("built", [pytest.param(built, id=name) for name, built in _KINDS.items()])
async def test_an_image_comes_back_byte_for_byte(place: Place, built: Built) -> None:
    await put_built(place.repository, built, tag="v1")
    for repository in (place.repository, place.stranger):
        found = await repository.get_manifest("v1")
        assert (found.raw, found.media_type, str(found.digest)) == (built.raw, built.media_type, built.digest)
        assert await repository.head_manifest("v1") == found.descriptor
    for each in built.walk():
        child = await place.stranger.get_manifest(Digest.parse(each.digest))
        assert (child.raw, child.media_type) == (each.raw, each.media_type)
        assert await place.stranger.head_manifest(child.digest) == child.descriptor
        for digest, data in each.blobs.items():
            blob = Descriptor("application/octet-stream", Digest.parse(digest), len(data))
            assert await bytes_of(place.stranger, blob) == data


@without("crane")  # which files a manifest under whatever digest it is told
async def test_a_manifest_by_sha512_is_found_by_its_tag_and_where_that_is_kept_by_its_digest(place: Place) -> None:
    built = image_bytes(b"a layer", algorithm="sha512")
    manifest = await put_built(place.repository, built, tag="v1")
    assert manifest.digest.algorithm == "sha512"
    assert (await place.stranger.get_manifest("v1")).raw == built.raw
    if place.keeps_algorithm:
        assert await place.stranger.head_manifest("v1") == manifest.descriptor
        assert (await place.stranger.get_manifest(manifest.digest)).raw == built.raw
    else:  # docker-registry 2.8 knows manifests by sha256 alone
        assert await place.stranger.head_manifest(manifest.digest) is None
        with pytest.raises(RegsyncError):
            await place.repository.put_manifest(manifest, at=manifest.digest)


async def test_a_manifest_without_its_parts_is_refused(place: Place) -> None:
    built = platforms_index("linux/amd64", "linux/arm64")
    with pytest.raises(Incomplete):
        await place.repository.put_manifest(manifest_of(built), at="v1")
    await put_blobs(place.repository, built.children[0])
    await place.repository.put_manifest(manifest_of(built.children[0]))
    with pytest.raises(Incomplete):
        await place.repository.put_manifest(manifest_of(built), at="v1")
    assert await place.stranger.head_manifest("v1") is None


@without("ferro", "crane")  # whose manifests lie in their memory
async def test_a_manifest_that_rotted_where_it_lies_is_never_handed_out(place: Place) -> None:
    built = image_bytes(b"a layer", annotations={"org.example.test": "rotten where it lies"})
    manifest = await put_built(place.repository, built, tag="v1")
    place.spoil(manifest.digest, built.raw.replace(b"sha256:", b"sha256:0", 1)[: len(built.raw)])
    for ref in ("v1", manifest.digest):
        with pytest.raises(RegsyncError):
            await place.stranger.get_manifest(ref)
