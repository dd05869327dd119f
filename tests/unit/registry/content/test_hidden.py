"""Lists of referrers at a registry that answers 403 for what is not there: missing, or not to be touched."""

from __future__ import annotations

import pytest

from regsync.errors import Forbidden
from regsync.oci.digest import Digest
from regsync.oci.referrers import fallback_tag
from tests.support.built import artifact_bytes, image_bytes, index_bytes
from tests.support.faults import Fault, Status
from tests.support.images import manifest_of, put_blobs
from tests.support.odd.looking import KeptBack, MissingIs
from tests.support.odd.registry import OddRegistry
from tests.unit.registry.content.lab import lab

IMAGE = image_bytes(b"a layer")
ABOUT = Digest.parse(IMAGE.digest)
TAG = fallback_tag(ABOUT)
OURS, THEIRS = artifact_bytes(b"ours", subject=IMAGE), artifact_bytes(b"theirs", subject=IMAGE)


async def attach(fake: OddRegistry) -> None:
    async with lab(fake.host) as at:
        repository = at.repository()
        await put_blobs(repository, OURS)
        await repository.put_manifest(manifest_of(OURS))


async def test_a_list_that_is_forbidden_and_not_among_the_tags_is_begun() -> None:
    async with OddRegistry((MissingIs(403),)) as fake:
        fake.seed("app", {"v1": IMAGE})
        await attach(fake)
        assert fake.count(kind="tags") == 1
    (entry,) = fake.repositories["app"].find(TAG)[1].document["manifests"]  # type: ignore[index]  # it is there
    assert entry["digest"] == OURS.digest


async def test_one_begun_in_a_repository_nobody_knows_needs_no_list_of_tags() -> None:
    async with OddRegistry((MissingIs(403),)) as fake:
        await attach(fake)
    assert TAG in fake.repositories["app"].tags


async def test_a_list_that_is_forbidden_and_among_the_tags_is_left_as_it_is() -> None:
    async with OddRegistry((KeptBack(403, "DENIED", "not for you"),)) as fake:
        fake.seed("app", {"v1": IMAGE, TAG: index_bytes(THEIRS)})
        with pytest.raises(Forbidden, match="not for you"):
            await attach(fake)
        assert fake.repositories["app"].tags[TAG] == index_bytes(THEIRS).digest


async def test_a_list_that_is_forbidden_where_tags_cannot_be_listed_is_left_as_it_is() -> None:
    async with OddRegistry((MissingIs(403),)) as fake:
        fake.seed("app", {"v1": IMAGE})
        fake.fail(Fault(Status(403), kind="tags", times=99))
        with pytest.raises(Forbidden):
            await attach(fake)
        assert TAG not in fake.repositories["app"].tags


async def test_many_subjects_without_a_list_cost_one_list_of_tags() -> None:
    async with OddRegistry((MissingIs(403),)) as fake:
        images = {f"v{number}": image_bytes(f"{number}".encode()) for number in range(5)}
        fake.seed("app", images)
        async with lab(fake.host) as at:
            for image in images.values():
                assert await at.repository().referrers(Digest.parse(image.digest)) == ()
        assert fake.count(kind="tags") == 1
