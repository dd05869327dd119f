"""What every `Repository` promises of names: tags and digests without a tag. Referrers: `test_referrers.py`."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from regsync.errors import NotFound
from regsync.oci.digest import Digest
from tests.contract.places import Place, without
from tests.support.images import (
    image_bytes,
    index_bytes,
    manifest_of,
    platforms_index,
    put_blobs,
    put_built,
)


async def _tags(place: Place) -> Counter[str]:
    return Counter([tag async for tag in place.stranger.tags()])


@without("ferro")  # which has an empty list of any name
async def test_a_place_nobody_has_used_has_no_list_of_tags(place: Place) -> None:
    for repository in (place.repository, place.stranger):
        with pytest.raises(NotFound):
            [tag async for tag in repository.tags()]


async def test_a_tag_moves(place: Place) -> None:
    first = await put_built(place.repository, image_bytes(b"first"), tag="v1")
    assert await place.repository.head_manifest("v1") == first.descriptor
    second = await put_built(place.repository, image_bytes(b"second"), tag="v1")
    for repository in (place.repository, place.stranger):
        assert await repository.head_manifest("v1") == second.descriptor
        assert (await repository.get_manifest("v1")).raw == second.raw
    assert await _tags(place) == {"v1": 1}


async def test_a_tag_moves_from_an_image_to_an_index_and_back(place: Place) -> None:
    image, index = image_bytes(b"a layer"), platforms_index("linux/amd64", "linux/arm64")
    for built in (image, index, image):
        await put_built(place.repository, built, tag="v1")
        found = await place.stranger.get_manifest("v1")
        assert (str(found.digest), found.media_type) == (built.digest, built.media_type)


async def test_every_tag_is_listed_once_however_many_there_are(place: Place) -> None:
    wanted = [f"v{number}" for number in range(25)] + ["latest", "UPPER", "under_score", "dotted.1", "a" * 128]
    built = image_bytes(b"a layer")
    await put_built(place.repository, built)
    for tag in wanted:
        await place.repository.put_manifest(manifest_of(built), at=tag)
    assert await _tags(place) == dict.fromkeys(wanted, 1)


async def test_a_list_of_tags_left_half_read_can_be_read_again(place: Place) -> None:
    for tag in ("v1", "v2", "v3", "v4", "v5"):
        await put_built(place.repository, image_bytes(b"a layer"), tag=tag)
    async for _ in place.stranger.tags():
        break
    assert len(await _tags(place)) == 5


async def test_an_image_put_twice_is_put_once(place: Place) -> None:
    for _ in range(2):
        await put_built(place.repository, platforms_index("linux/amd64", "linux/arm64"), tag="v1")
    assert await _tags(place) == {"v1": 1}


async def test_tags_of_one_image_live_side_by_side(place: Place) -> None:
    built = image_bytes(b"a layer")
    for tag in ("v1", "v1.2", "v1.2.3"):
        await put_built(place.repository, built, tag=tag)
    await put_built(place.repository, image_bytes(b"another"), tag="v1")
    descriptor = await place.stranger.head_manifest("v1.2")
    assert descriptor is not None
    assert str(descriptor.digest) == built.digest
    assert await _tags(place) == dict.fromkeys(("v1", "v1.2", "v1.2.3"), 1)


async def test_tags_written_at_once_are_all_there(place: Place) -> None:
    built = {f"v{number}": image_bytes(b"shared", f"layer {number}".encode()) for number in range(20)}
    for image in built.values():  # first: docker-registry refuses manifests while a blob of theirs is written again
        await put_blobs(place.repository, image)
    await asyncio.gather(*(put_built(place.repository, image, tag=tag) for tag, image in built.items()))
    assert await _tags(place) == dict.fromkeys(built, 1)
    for tag, image in built.items():
        assert (await place.stranger.get_manifest(tag)).raw == image.raw


async def test_one_tag_written_by_many_at_once_holds_what_one_of_them_wrote(place: Place) -> None:
    built = [image_bytes(f"layer {number}".encode()) for number in range(8)]
    await asyncio.gather(*(put_built(place.repository, image, tag="v1") for image in built))
    assert (await place.stranger.get_manifest("v1")).raw in {image.raw for image in built}
    assert await _tags(place) == {"v1": 1}


async def test_children_are_found_by_digest_and_have_no_tag(place: Place) -> None:
    built = index_bytes(platforms_index("linux/amd64", "linux/arm64"), image_bytes(b"beside"))
    await put_built(place.repository, built, tag="v1")
    for each in built.walk():
        assert (await place.stranger.get_manifest(Digest.parse(each.digest))).raw == each.raw
    assert await _tags(place) == {"v1": 1}


async def test_an_image_put_at_its_digest_is_found_by_it_and_has_no_tag(place: Place) -> None:
    tagged, bare = image_bytes(b"tagged"), image_bytes(b"bare")
    await put_built(place.repository, tagged, tag="v1")
    manifest = await put_built(place.repository, bare, at=Digest.parse(bare.digest))
    assert await place.stranger.head_manifest(manifest.digest) == manifest.descriptor
    assert (await place.stranger.get_manifest(manifest.digest)).raw == bare.raw
    assert await _tags(place) == {"v1": 1}


async def test_names_say_where_a_repository_lies_and_hosts_are_shared(place: Place) -> None:
    assert place.repository.name == place.stranger.name
    assert place.repository.name != place.sibling.name
    assert place.repository.host == place.sibling.host


async def test_where_nobody_counts_no_quota_is_known(place: Place) -> None:
    await put_built(place.repository, image_bytes(b"a layer"), tag="v1")
    await place.repository.head_manifest("v1")
    quota = place.repository.quota
    assert (quota.remaining, quota.limit) == (None, None)
    assert quota.heard > float("-inf")  # so that nobody asks once more
