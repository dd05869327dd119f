"""Indexes of which only some children are copied."""

from __future__ import annotations

import pytest

from regsync.errors import CopyFailed, Incomplete, Unsupported
from regsync.oci.platform import Platforms
from regsync.transfer.copier import Copier
from regsync.transfer.options import CopyOptions
from regsync.transfer.plan import CopyPlan, plan_copy
from tests.support.images import Built, image_bytes, index_bytes, manifest_of, platforms_index, put_built
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import DIRECTLY, shared

INDEX = platforms_index("linux/amd64", "linux/arm64", "unknown/unknown")


async def planned(built: Built, target: MemoryRepository, *platforms: str) -> CopyPlan:
    source = MemoryRepository("a/b", host="a")
    root = await put_built(source, built, tag="v1")
    options = CopyOptions(platforms=Platforms.parse(platforms))
    return await plan_copy(source, target, root.descriptor, at="v1", asking=DIRECTLY, options=options)


async def copied(built: Built, target: MemoryRepository, *platforms: str) -> CopyFailed | None:
    plan = await planned(built, target, *platforms)
    copier = Copier(shared(), fetch=DIRECTLY.manifest, since=0, tell=lambda _: None)
    (failure,) = await copier.run([plan])
    return failure


async def test_the_index_arrives_as_it_is_and_of_its_children_those_that_are_listed() -> None:
    target = MemoryRepository("c/d", host="c")
    assert await copied(INDEX, target, "linux/arm64") is None
    assert {str(digest) for digest in target.manifests} == {INDEX.digest, INDEX.children[1].digest}
    assert target.manifests[target.tagged["v1"]].raw == INDEX.raw


async def test_attestations_come_along_only_if_they_are_listed() -> None:
    target = MemoryRepository("c/d", host="c")
    assert await copied(INDEX, target, "linux/arm64", "unknown/unknown") is None
    assert {str(digest) for digest in target.manifests} == {INDEX.digest, *(c.digest for c in INDEX.children[1:])}


async def test_children_are_chosen_at_every_level() -> None:
    nested = index_bytes(INDEX, image_bytes(b"beside", platform="linux/arm64"))
    target = MemoryRepository("c/d", host="c")
    assert await copied(nested, target, "linux/arm64") is None
    assert manifest_of(INDEX).digest not in target.manifests
    target = MemoryRepository("c/e", host="c")
    assert await copied(nested, target, "linux/arm64", "") is None
    assert {str(digest) for digest in target.manifests} == {
        nested.digest, INDEX.digest, INDEX.children[1].digest, nested.children[1].digest
    }  # fmt: skip


async def test_an_image_that_is_no_index_is_copied_whatever_it_runs_on() -> None:
    built = image_bytes(b"layer", platform="linux/s390x")
    target = MemoryRepository("c/d", host="c")
    assert await copied(built, target, "linux/arm64") is None
    assert [str(digest) for digest in target.manifests] == [built.digest]


async def test_a_target_that_lacks_something_else_is_not_said_to_lack_what_was_left_out() -> None:
    target = MemoryRepository("c/d", host="c")
    target.fail("put_manifest", Incomplete("BLOB_UNKNOWN"), nth=4)
    failure = await copied(INDEX, target, "linux/amd64", "linux/arm64", "unknown/unknown")
    assert failure is not None
    assert isinstance(failure.__cause__, Incomplete)


async def test_a_target_that_wants_all_children_is_named_with_the_option() -> None:
    target = MemoryRepository("c/d", host="c")
    target.takes_sparse = False
    failure = await copied(INDEX, target, "linux/arm64")
    assert failure is not None
    assert isinstance(failure.__cause__, Unsupported)
    assert "c takes no index without all of its images, and platforms leaves some out" in str(failure)
    assert not target.tagged


@pytest.mark.parametrize("built", [INDEX, index_bytes(INDEX, image_bytes(b"beside", platform="linux/arm64"))])
async def test_what_the_target_has_of_it_stays(built: Built) -> None:
    target = MemoryRepository("c/d", host="c")
    await put_built(target, built, tag="old")
    before = dict(target.manifests)
    assert await copied(built, target, "linux/arm64") is None
    assert target.manifests == before


async def test_an_index_of_which_nothing_is_listed_arrives_alone() -> None:
    target = MemoryRepository("c/d", host="c")
    assert await copied(INDEX, target, "linux/s390x") is None
    assert [str(digest) for digest in target.manifests] == [INDEX.digest]
