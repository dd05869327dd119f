"""What a check finds out besides, when it is asked what would change."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import Unavailable
from regsync.events import ImageDiffers, ImageFailed
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import ReferrerOptions
from regsync.repository import Quota
from regsync.sync.entry import PullLimit
from regsync.sync.survey import Looking
from regsync.transfer.options import CopyOptions
from tests.support.built import Built, artifact_bytes, index_bytes
from tests.support.images import put_built
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import MemoryEndpoints, image, ran, repository
from tests.unit.sync.surveyed import JUNE, MAY, NEW, OLD, differences, differing, forget, looked, made, size_of


@pytest.fixture
async def ends() -> MemoryEndpoints:
    return await differing()


async def test_a_changed_and_a_new_image_are_told_with_digests_times_and_bytes(ends: MemoryEndpoints) -> None:
    changed, new = sorted(await looked(ends, repository("a.x/app", "b.x/app")), key=lambda one: one.target)
    size = size_of(NEW, without=OLD)
    assert replace(changed, more=0) == ImageDiffers(
        "a.x/app:v1", "b.x/app:v1", "changed", OLD.digest, NEW.digest, MAY, JUNE, size
    )
    assert replace(new, more=0) == ImageDiffers("a.x/app:v2", "b.x/app:v2", "new", "", NEW.digest, None, JUNE, size)
    assert changed.more + new.more == size + len(NEW.raw)  # blobs once, the manifest under both names


async def test_each_blob_is_looked_for_once_and_each_config_read_once(ends: MemoryEndpoints) -> None:
    await looked(ends, repository("a.x/app", "b.x/app"))
    source, target = ends.at("a.x/app").calls, ends.at("b.x/app").calls
    assert (source["head_manifest"], source["get_manifest"], source["open_blob"], source["tags"]) == (2, 1, 1, 1)
    assert (target["head_manifest"], target["get_manifest"], target["open_blob"], target["tags"]) == (2, 1, 1, 1)
    assert target["has_blob"] == len(NEW.blobs)
    assert source["has_blob"] == 0


async def test_what_is_equal_is_asked_for_no_more_than_a_check_does(ends: MemoryEndpoints) -> None:
    await put_built(ends.at("b.x/app"), NEW, tag="v1")
    forget(ends)
    assert await looked(ends, image("a.x/app:v1", "b.x/app:v1")) == []
    assert sum(sum(one.calls.values()) for one in ends.repositories_by_name.values()) == 2


async def test_a_target_that_is_not_there_yet_is_asked_for_no_blob(ends: MemoryEndpoints) -> None:
    found = await looked(ends, repository("a.x/app", "c.x/new"))
    assert [(one.change, one.size) for one in found] == [("new", size_of(NEW))] * 2
    assert ends.at("c.x/new").calls["has_blob"] == 0


async def test_what_lies_elsewhere_at_the_targets_host_is_not_counted(ends: MemoryEndpoints) -> None:
    (found,) = await looked(ends, image("b.x/app:v1", "b.x/copy:v1"))
    assert found.size == len(OLD.raw)


async def test_what_a_target_has_no_name_for_is_all_that_missing_asks_for(ends: MemoryEndpoints) -> None:
    found = await looked(ends, repository("a.x/app", "b.x/app"), missing=True)
    assert [(one.change, one.target) for one in found] == [("new", "b.x/app:v2")]


async def test_an_image_that_lacks_what_refers_to_it_is_there_in_part(ends: MemoryEndpoints) -> None:
    sbom = artifact_bytes(b"a list of parts", subject=NEW)
    for name in ("a.x/app", "b.x/app"):
        await put_built(ends.at(name), NEW, tag="v1")
        ends.at(name).lists_referrers = True
    await put_built(ends.at("a.x/app"), sbom)
    forget(ends)
    entry = replace(image("a.x/app:v1", "b.x/app:v1"), options=CopyOptions(referrers=ReferrerOptions()))
    (found,) = await looked(ends, entry)
    assert (found.change, found.before, found.digest) == ("partial", NEW.digest, NEW.digest)
    assert (found.before_created, found.created, found.size) == (JUNE, JUNE, size_of(sbom))


async def test_of_an_index_the_platforms_that_are_wanted_are_counted_and_one_of_them_dates_it() -> None:
    ends = MemoryEndpoints()
    arm = replace_platform(made(JUNE, b"arm"), "arm64")
    index = index_bytes(replace_platform(made(MAY, b"amd"), "amd64"), arm)
    await put_built(ends.at("a.x/app"), index, tag="v1")
    forget(ends)
    entry = image("a.x/app:v1", "b.x/app:v1")
    (whole,) = await looked(ends, entry)
    assert (whole.created, whole.size) == (MAY, len(index.raw) + sum(map(size_of, index.children)))
    (part,) = await looked(ends, replace(entry, options=CopyOptions(platforms=Platforms.parse(["linux/arm64"]))))
    assert (part.created, part.size) == (JUNE, len(index.raw) + size_of(arm))


def replace_platform(built: Built, architecture: str) -> Built:
    return replace(built, platform={"os": "linux", "architecture": architecture})


async def test_a_config_that_cannot_be_had_leaves_the_time_open(ends: MemoryEndpoints) -> None:
    config = next(Digest.parse(digest) for digest, data in NEW.blobs.items() if b"created" in data)
    ends.at("a.x/app").lies[config] = b"{}"
    ends.at("b.x/app").fail("open_blob", Unavailable("b.x: 503"), times=9)
    (found,) = await looked(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert (found.before_created, found.created, found.size) == (None, None, size_of(NEW, without=OLD))


async def test_blobs_that_cannot_be_looked_for_leave_the_bytes_open(ends: MemoryEndpoints) -> None:
    ends.at("b.x/app").fail("has_blob", Unavailable("b.x: 503"), times=99)
    (found,) = await looked(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert (found.size, found.more, found.created) == (None, 0, JUNE)


async def test_what_could_not_be_copied_fails(ends: MemoryEndpoints) -> None:
    index = index_bytes(replace_platform(OLD, "amd64"))
    await put_built(ends.at("a.x/app"), index, tag="v3")
    del ends.at("a.x/app").manifests[Digest.parse(OLD.digest)]
    failed, seen = await ran(ends, image("a.x/app:v3", "c.x/new:v3"), scope="check", looking=Looking())
    assert (failed, differences(seen)) == (1, [])
    (event,) = [event for event in seen if isinstance(event, ImageFailed)]
    assert "have it pushed anew" in event.error


class Counting(MemoryRepository):
    """A source that lets three more images be fetched."""

    @property
    def quota(self) -> Quota:
        return Quota(3, 100, float("inf"))


async def test_an_image_whose_source_lets_too_few_be_fetched_is_not_looked_into() -> None:
    ends = MemoryEndpoints()
    ends.repositories_by_name["a.x/app"] = Counting("a.x/app", host="a.x")
    await put_built(ends.at("a.x/app"), NEW, tag="v1")
    forget(ends)
    entry = replace(image("a.x/app:v1", "b.x/app:v1"), limit=PullLimit(10, 60.0))
    assert await looked(ends, entry) == [ImageDiffers("a.x/app:v1", "b.x/app:v1", "new", "", NEW.digest)]
    assert ends.at("a.x/app").calls["get_manifest"] == 0


class Moving(MemoryRepository):
    """A source whose tag stood for what is gone by now, and stands for another image."""

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        found = await super().head_manifest(ref, sparse=sparse)
        first = self.calls["head_manifest"] == 1
        return Descriptor(OLD.media_type, Digest.parse(OLD.digest), len(OLD.raw)) if first else found


async def test_a_tag_that_moves_meanwhile_is_compared_as_what_it_stands_for_now() -> None:
    ends = MemoryEndpoints()
    ends.repositories_by_name["a.x/app"] = Moving("a.x/app", host="a.x")
    await put_built(ends.at("a.x/app"), NEW, tag="v1")
    forget(ends)
    (found,) = await looked(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert (found.digest, found.size) == (NEW.digest, size_of(NEW))
