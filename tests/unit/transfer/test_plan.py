from __future__ import annotations

import asyncio
from typing import Any

import pytest

from regsync.errors import CopyFailed, Malformed, Unavailable, Unsupported
from regsync.oci import mediatype
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.plan import CopyPlan, plan_copy
from regsync.transfer.step import Step
from tests.support.images import (
    a_nested_index,
    an_image,
    an_index,
    image_bytes,
    index_bytes,
    manifest_of,
    put_built,
)
from tests.support.memory import MemoryRepository
from tests.unit.oci.documents import descriptor, encode, image, index
from tests.unit.transfer.lab import DIRECTLY


async def planned(source: Repository, target: Repository, root: Manifest, *, trusting: bool = True) -> CopyPlan:
    return await plan_copy(source, target, root.descriptor, at="v1", asking=DIRECTLY, trusting=trusting)


async def test_an_image_needs_its_config_and_its_layers() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    image = await an_image(source, b"one", b"two", tag="v1")
    plan = await planned(source, target, image)
    assert {step.content.digest for step in plan.blobs} == set(source.blobs)
    assert plan.waves == ()
    assert plan.root is image
    assert image.config is not None
    assert plan.configs == {image.config.digest}
    assert plan.size == sum(map(len, source.blobs.values()))


async def test_children_come_in_waves_before_their_parents_and_the_root_in_none() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    root = await a_nested_index(source, tag="v1")
    plan = await planned(source, target, root)
    pushed: set[Digest] = set()
    for wave in plan.waves:
        for step in wave:
            assert {child.digest for child in source.manifests[step.content.digest].children} <= pushed
        pushed |= {step.content.digest for step in wave}
    assert pushed == set(source.manifests) - {root.digest}


async def test_a_child_shared_by_two_depths_is_pushed_before_both_parents() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    leaf = image_bytes(b"leaf")
    deep = index_bytes(index_bytes(leaf))
    root = await put_built(source, index_bytes(leaf, deep), tag="v1")
    plan = await planned(source, target, root)
    order = [step.content.digest for wave in plan.waves for step in wave]
    assert order[0] == manifest_of(leaf).digest
    assert len(order) == len(set(order)) == 3


async def test_what_the_target_holds_is_not_looked_into() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    root = await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    kept = await source.get_manifest(root.children[0].digest)
    target.manifests[kept.digest] = kept
    source.calls.clear()
    plan = await planned(source, target, root)
    assert [step.content.digest for wave in plan.waves for step in wave] == [root.children[1].digest]
    assert source.calls["get_manifest"] == 2  # the root and the other child


async def test_a_target_that_is_not_trusted_is_not_asked() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    root = await an_index(source, "linux/amd64", tag="v1")
    target.manifests[root.children[0].digest] = await source.get_manifest(root.children[0].digest)
    plan = await planned(source, target, root, trusting=False)
    assert len(plan.waves) == 1
    assert not target.calls


async def test_within_one_repository_only_the_name_is_new() -> None:
    source = MemoryRepository("a/b", host="a")
    root = await an_index(source, "linux/amd64", tag="v1")
    assert await planned(source, source, root) == CopyPlan(root, Step(source, source, root.descriptor, "v1"))


async def test_a_digest_named_a_hundred_times_is_fetched_once() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    leaf = image_bytes(b"leaf")
    root = await put_built(source, index_bytes(*[leaf] * 100), tag="v1")
    source.calls.clear()
    await planned(source, target, root)
    assert source.calls["get_manifest"] == 2  # the root and its child
    assert target.calls["head_manifest"] == 1


async def test_indexes_nested_too_deep_are_refused_by_name() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    built = image_bytes(b"leaf")
    for _ in range(18):
        built = index_bytes(built)
    root = await put_built(source, built, tag="v1")
    with pytest.raises(CopyFailed) as caught:
        await planned(source, target, root)
    assert isinstance(caught.value.__cause__, Unsupported)


async def test_a_source_in_trouble_fails_the_plan_and_says_where() -> None:
    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    root = await an_index(source, "linux/amd64", "linux/arm64", tag="v1")
    source.fail("get_manifest", Unavailable("no answer"))
    with pytest.raises(CopyFailed) as caught:
        await planned(source, target, root)
    assert caught.value.step == "plan"
    assert "a/b@sha256:" in str(caught.value)
    assert "no answer" in str(caught.value)


def read(document: dict[str, Any]) -> Manifest:
    return Manifest.read(encode(document), content_type=document["mediaType"])


async def planned_alone(root: Manifest, fetched: dict[Digest, Manifest] | None = None) -> CopyPlan:
    """Plan with nothing at either end but what can be fetched."""

    source, target = MemoryRepository("a/b", host="a"), MemoryRepository("c/d", host="c")
    source.manifests = {**(fetched or {}), root.digest: root}
    return await planned(source, target, root)


FOREIGN = "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
ORDINARY = [mediatype.OCI_LAYER, "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/x-own"]


@pytest.mark.parametrize("media_type", [FOREIGN, "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"])
async def test_a_layer_of_a_foreign_type_that_lies_elsewhere_stays_there(media_type: str) -> None:
    foreign = descriptor("foreign", media_type, urls=["https://elsewhere.example/layer"])
    plan = await planned_alone(read(image(layers=[descriptor("one"), foreign])))
    assert [str(step.content.digest) for step in plan.blobs] == [
        descriptor("config")["digest"],
        descriptor("one")["digest"],
    ]


@pytest.mark.parametrize("media_type", ORDINARY)
async def test_a_layer_of_an_ordinary_type_is_copied_and_its_urls_are_not_asked(media_type: str) -> None:
    layer = descriptor("layer", media_type, urls=["https://elsewhere.example/layer"])
    plan = await planned_alone(read(image(layers=[layer])))
    assert [(str(step.content.digest), step.content.urls) for step in plan.blobs][1:] == [(layer["digest"], ())]


async def test_a_layer_of_a_foreign_type_without_urls_can_only_lie_here() -> None:
    foreign = descriptor("foreign", FOREIGN)
    plan = await planned_alone(read(image(layers=[foreign])))
    assert foreign["digest"] in [str(step.content.digest) for step in plan.blobs]


ELSEWHERE: dict[str, Any] = {"media_type": FOREIGN, "urls": ["https://elsewhere.example/blob"]}


@pytest.mark.parametrize(
    "document",
    [
        image(config=descriptor("config", **ELSEWHERE)),
        image(layers=[descriptor("one", **ELSEWHERE), descriptor("one"), descriptor("two")]),
        image(layers=[descriptor("one"), descriptor("two"), descriptor("one", **ELSEWHERE)]),
    ],
    ids=["a config", "a layer that is listed as lying here, too", "and the other way round"],
)
async def test_what_an_image_cannot_do_without_is_copied_whatever_urls_it_names(document: dict[str, Any]) -> None:
    plan = await planned_alone(read(document))
    assert {str(step.content.digest) for step in plan.blobs} == {
        str(Digest.of(content)) for content in (b"config", b"one", b"two")
    }


async def test_an_index_may_name_a_blob() -> None:
    blob = descriptor("cache", mediatype.BUILDKIT_CACHE)
    plan = await planned_alone(read(index(manifests=[blob])))
    assert [str(step.content.digest) for step in plan.blobs] == [blob["digest"]]
    assert plan.waves == ()


async def test_what_nobody_has_told_us_of_is_a_manifest_if_it_can_be_had_as_one() -> None:
    child = read(image())
    entry = {"mediaType": "application/vnd.example.new+json", "digest": str(child.digest), "size": len(child.raw)}
    plan = await planned_alone(read(index(manifests=[entry])), {child.digest: child})
    assert [step.content.digest for wave in plan.waves for step in wave] == [child.digest]


@pytest.mark.parametrize("size", [5, 20 << 20])
async def test_what_nobody_has_told_us_of_and_is_no_manifest_is_a_blob(size: int) -> None:
    entry = descriptor("what", "application/vnd.example.new") | {"size": size}
    plan = await planned_alone(read(index(manifests=[entry])))
    assert [(str(step.content.digest), step.content.size) for step in plan.blobs] == [(entry["digest"], size)]


async def test_a_digest_that_is_a_manifest_here_and_a_layer_there_is_planned_as_both() -> None:
    archived = read(image())
    kept = {"mediaType": archived.media_type, "digest": str(archived.digest), "size": len(archived.raw)}
    archive = read(image(layers=[kept]))
    entries = [kept, {"mediaType": archive.media_type, "digest": str(archive.digest), "size": len(archive.raw)}]
    plan = await planned_alone(read(index(manifests=entries)), {one.digest: one for one in (archived, archive)})
    assert archived.digest in {step.content.digest for step in plan.blobs}
    assert archived.digest in {step.content.digest for wave in plan.waves for step in wave}


async def test_one_digest_with_two_sizes_in_two_images_is_refused() -> None:
    one, other = read(image()), read(image(layers=[descriptor("one") | {"size": 99}]))
    entries = [
        {"mediaType": child.media_type, "digest": str(child.digest), "size": len(child.raw)} for child in (one, other)
    ]
    with pytest.raises(CopyFailed) as caught:
        await planned_alone(read(index(manifests=entries)), {one.digest: one, other.digest: other})
    assert isinstance(caught.value.__cause__, Malformed)


class OneAtATime(MemoryRepository):
    """A repository whose host has one slot."""

    def __init__(self, name: str, *, host: str) -> None:
        super().__init__(name, host=host)
        self._slot = asyncio.Semaphore(1)

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        async with self._slot:
            await asyncio.sleep(0)
            return await super().get_manifest(ref)


async def test_indexes_that_name_too_much_are_given_up_before_all_of_them_are_fetched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("regsync.transfer.graph._MOST", 100)
    source, target = OneAtATime("a/b", host="a"), MemoryRepository("c/d", host="c")
    lists = []
    for number in range(50):
        children = [descriptor(f"{number}.{child}", mediatype.OCI_MANIFEST) for child in range(40)]
        lists.append(read(index(manifests=children)))
    source.manifests = {each.digest: each for each in lists}
    entries = [{"mediaType": each.media_type, "digest": str(each.digest), "size": len(each.raw)} for each in lists]
    root = read(index(manifests=entries))
    source.manifests[root.digest] = root
    with pytest.raises(CopyFailed, match="more than 100 manifests"):
        await planned(source, target, root)
    assert source.calls["get_manifest"] < 10
