"""What every `Repository` promises of referrers: found from their subject, and listed as what they say they are."""

from __future__ import annotations

import asyncio

import pytest

from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.contract.places import Place
from tests.support.images import (
    Built,
    artifact_bytes,
    image_bytes,
    index_bytes,
    manifest_of,
    put_blobs,
    put_built,
)

SUBJECT = image_bytes(b"a layer")
ABOUT = Digest.parse(SUBJECT.digest)


async def _attached(place: Place, *referrers: Built) -> None:
    await put_built(place.repository, SUBJECT, tag="v1")
    for each in referrers:
        await put_built(place.repository, each, at=Digest.parse(each.digest))


async def _found(place: Place, subject: Digest = ABOUT, *, slow: bool = False) -> tuple[Descriptor, ...]:
    """Return what the place lists, to whoever writes there and to a stranger."""
    own = await place.repository.referrers(subject, slow=slow)
    others = await place.stranger.referrers(subject, slow=slow)
    assert [(each, each.artifact_type, each.annotations) for each in own] == [
        (each, each.artifact_type, each.annotations) for each in others
    ]
    return own


@pytest.mark.parametrize("slow", [False, True])
async def test_where_nothing_is_nothing_is_listed(place: Place, *, slow: bool) -> None:
    assert await _found(place, slow=slow) == ()


@pytest.mark.parametrize("slow", [False, True])
async def test_an_image_nobody_refers_to_has_no_referrers(place: Place, *, slow: bool) -> None:
    await _attached(place)
    assert await _found(place, slow=slow) == ()


@pytest.mark.parametrize("slow", [False, True])
async def test_a_referrer_is_listed_as_what_it_says_it_is(place: Place, *, slow: bool) -> None:
    notes = {"org.example.by": "me \u00e9", "org.example.empty": ""}
    sbom = artifact_bytes(b"sbom", artifact_type="application/vnd.example.sbom", subject=SUBJECT, annotations=notes)
    await _attached(place, sbom)
    (found,) = await _found(place, slow=slow)
    assert found == manifest_of(sbom).descriptor
    assert found.artifact_type == "application/vnd.example.sbom"
    assert dict(found.annotations) == notes


async def test_an_image_that_refers_is_of_the_type_of_its_config(place: Place) -> None:
    await _attached(place, image_bytes(b"attached", subject=SUBJECT))
    (found,) = await _found(place)
    assert (found.media_type, found.artifact_type) == (mediatype.OCI_MANIFEST, mediatype.OCI_CONFIG)


async def test_referrers_of_a_referrer_are_its_own(place: Place) -> None:
    sbom = artifact_bytes(b"sbom", subject=SUBJECT)
    signature = artifact_bytes(b"signature", subject=sbom)
    await _attached(place, sbom, signature)
    assert [str(each.digest) for each in await _found(place)] == [sbom.digest]
    assert [str(each.digest) for each in await _found(place, Digest.parse(sbom.digest))] == [signature.digest]


async def test_where_lists_are_said_to_be_under_tags_a_list_of_tags_shows_them(place: Place) -> None:
    await _attached(place, artifact_bytes(b"sbom", subject=SUBJECT))
    await place.stranger.referrers(ABOUT)
    tags = {tag async for tag in place.stranger.tags()}
    assert (fallback_tag(ABOUT) in tags) == place.stranger.lists_under_tags


async def test_one_put_twice_is_listed_once(place: Place) -> None:
    sbom = artifact_bytes(b"sbom", subject=SUBJECT)
    await _attached(place, sbom, sbom)
    assert [str(each.digest) for each in await _found(place)] == [sbom.digest]


async def test_a_long_list_is_listed_whole(place: Place) -> None:
    built = [artifact_bytes(f"signature {number}".encode(), subject=SUBJECT) for number in range(10)]
    await _attached(place, *built)
    assert {str(each.digest) for each in await _found(place)} == {each.digest for each in built}


@pytest.mark.parametrize("tagged", [True, False])
async def test_a_manifest_with_a_subject_is_findable_from_it(place: Place, *, tagged: bool) -> None:
    subject = image_bytes(b"a layer")
    await put_built(place.repository, subject, tag="v1")
    referrer = artifact_bytes(b"signature", subject=subject)
    at = "signed" if tagged else Digest.parse(referrer.digest)
    for _ in range(2):
        await put_built(place.repository, referrer, at=at)
    assert await place.referrers(Digest.parse(subject.digest)) == [referrer.digest]


async def test_a_subject_need_not_be_there(place: Place) -> None:
    absent = image_bytes(b"not here")
    referrer = artifact_bytes(b"signature", subject=absent)
    await put_built(place.repository, referrer, at=Digest.parse(referrer.digest))
    assert await place.referrers(Digest.parse(absent.digest)) == [referrer.digest]


async def test_referrers_written_at_once_are_all_findable(place: Place) -> None:
    subject = image_bytes(b"a layer")
    await put_built(place.repository, subject, tag="v1")
    referrers = [artifact_bytes(f"signature {number}".encode(), subject=subject) for number in range(8)]
    for referrer in referrers:
        await put_blobs(place.repository, referrer)
    manifests = [manifest_of(referrer) for referrer in referrers]
    await asyncio.gather(*(place.repository.put_manifest(each, at=each.digest) for each in manifests))
    assert sorted(await place.referrers(Digest.parse(subject.digest))) == sorted(each.digest for each in referrers)


async def test_an_index_can_be_a_referrer(place: Place) -> None:
    subject = image_bytes(b"a layer")
    await put_built(place.repository, subject, tag="v1")
    referrer = index_bytes(image_bytes(b"attached"), subject=subject)
    await put_built(place.repository, referrer, at=Digest.parse(referrer.digest))
    assert await place.referrers(Digest.parse(subject.digest)) == [referrer.digest]
