"""What belongs to an image besides what lies below it: referrers, and tags made of its digest."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from regsync.errors import CopyFailed, Malformed, Unsupported
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import ReferrerFilter, ReferrerOptions, fallback_tag
from regsync.transfer.copier import Copier
from regsync.transfer.options import CopyOptions
from regsync.transfer.plan import CopyPlan, plan_copy
from regsync.transfer.step import Detour
from tests.support.images import (
    Built,
    artifact_bytes,
    image_bytes,
    index_bytes,
    manifest_of,
    platforms_index,
    put_built,
)
from tests.support.memory import MemoryRepository
from tests.unit.transfer.lab import DIRECTLY, shared

IMAGE = image_bytes(b"layer")
INDEX = platforms_index("linux/amd64", "linux/arm64")
SBOM = artifact_bytes(b"sbom", subject=IMAGE)
SIGNATURE = artifact_bytes(b"signature", subject=IMAGE, artifact_type="application/vnd.example.signature")
OF_SBOM = artifact_bytes(b"signature of the sbom", subject=SBOM, artifact_type="application/vnd.example.signature")
OF_CHILD = artifact_bytes(b"sbom of a child", subject=INDEX.children[1])
ALL = CopyOptions(referrers=ReferrerOptions())
TAGS = CopyOptions(digest_tags=True)


class World:
    """A source with an image under `v1`, and a target."""

    def __init__(self) -> None:
        self.source = MemoryRepository("a/b", host="a")
        self.target = MemoryRepository("c/d", host="c")

    async def with_image(self, image: Built, *besides: Built, tags: Mapping[str, Built] | None = None) -> World:
        await put_built(self.source, image, tag="v1")
        for one in besides:
            await put_built(self.source, one, at=Digest.parse(one.digest))
        for tag, one in (tags or {}).items():
            await put_built(self.source, one, tag=tag)
        return self

    async def plan(self, options: CopyOptions, *, there: bool = False, detour: Detour | None = None) -> CopyPlan:
        root = self.source.manifests[self.source.tagged["v1"]].descriptor
        return await plan_copy(
            self.source, self.target, root, at="v1", asking=DIRECTLY, options=options, there=there,
            detour=detour or Detour(),
        )  # fmt: skip

    async def copy(self, options: CopyOptions, *, there: bool = False, detour: Detour | None = None) -> CopyPlan:
        plan = await self.plan(options, there=there, detour=detour)
        copier = Copier(shared(), fetch=DIRECTLY.manifest, since=0, tell=lambda _: None)
        assert await copier.run([plan]) == [None]
        return plan

    async def listed(self, built: Built) -> set[str]:
        found = await self.target.referrers(Digest.parse(built.digest))
        return {str(each.digest) for each in found}


def digests(*built: Built) -> set[str]:
    return {each.digest for each in built}


def pushed(plan: CopyPlan) -> list[str]:
    steps = [step for wave in plan.waves for step in wave] + ([plan.last] if plan.last else [])
    return [str(step.at or step.content.digest) for step in steps]


async def test_what_refers_to_an_image_and_to_its_referrers_arrives_before_its_tag_and_is_listed() -> None:
    world = await World().with_image(IMAGE, SBOM, SIGNATURE, OF_SBOM)
    plan = await world.copy(ALL)
    assert await world.listed(IMAGE) == digests(SBOM, SIGNATURE)
    assert await world.listed(SBOM) == digests(OF_SBOM)
    assert pushed(plan)[-1] == "v1"
    assert set(world.source.blobs) == set(world.target.blobs)


async def test_what_refers_to_a_child_of_an_index_arrives() -> None:
    world = await World().with_image(INDEX, OF_CHILD)
    await world.copy(ALL)
    assert await world.listed(INDEX.children[1]) == digests(OF_CHILD)


async def test_nothing_but_the_image_is_looked_for_unless_that_is_wanted() -> None:
    world = await World().with_image(IMAGE, SBOM, tags={f"sha256-{IMAGE.digest[7:]}.sig": SIGNATURE})
    await world.copy(CopyOptions())
    assert {str(digest) for digest in world.target.manifests} == digests(IMAGE)
    assert world.source.calls["referrers"] == world.source.calls["tags"] == 0


async def test_a_filter_lets_through_what_it_takes_and_nothing_else() -> None:
    world = await World().with_image(IMAGE, SBOM, SIGNATURE)
    only = ReferrerOptions((ReferrerFilter("application/vnd.example.signature"),))
    await world.copy(CopyOptions(referrers=only))
    assert await world.listed(IMAGE) == digests(SIGNATURE)


async def test_where_all_is_there_nothing_is_planned_and_one_list_of_each_side_says_so() -> None:
    world = await World().with_image(IMAGE, SBOM, SIGNATURE)
    await world.copy(ALL)
    for end in (world.source, world.target):
        end.calls.clear()
    plan = await world.plan(ALL, there=True)
    assert plan.empty
    assert dict(world.source.calls) == {"referrers": 3}  # of the image, and of each of its referrers
    assert dict(world.target.calls) == {"referrers": 1}


async def test_what_was_added_to_an_image_that_is_there_is_copied_alone() -> None:
    world = await World().with_image(INDEX)
    await world.copy(ALL)
    await put_built(world.source, OF_CHILD)
    plan = await world.copy(ALL, there=True)
    assert plan.last is None
    assert await world.listed(INDEX.children[1]) == digests(OF_CHILD)


async def test_the_target_s_own_referrers_stay() -> None:
    world = await World().with_image(IMAGE, SBOM)
    await put_built(world.target, IMAGE)
    await put_built(world.target, SIGNATURE)
    await world.copy(ALL)
    assert await world.listed(IMAGE) == digests(SBOM, SIGNATURE)


async def test_a_referrer_that_leads_back_to_the_image_comes_after_it_and_ends() -> None:
    """An index that refers to a child and lists the image it is of: the image needs its tag last, and yet is part."""
    back = index_bytes(INDEX, subject=INDEX.children[1])
    world = await World().with_image(INDEX, back)
    plan = await world.copy(ALL)
    order = pushed(plan)
    assert order.index(INDEX.digest) < order.index(back.digest) < order.index("v1")
    assert await world.listed(INDEX.children[1]) == digests(back)
    assert (await world.plan(ALL, there=True)).empty


async def test_referrers_come_from_elsewhere_and_go_elsewhere_where_that_is_said() -> None:
    world = await World().with_image(IMAGE, SBOM)
    outside, aside = MemoryRepository("a/notes", host="a"), MemoryRepository("c/notes", host="c")
    await put_built(outside, IMAGE)
    await put_built(outside, SIGNATURE)
    await world.copy(ALL, detour=Detour(source=outside))
    assert await world.listed(IMAGE) == digests(SIGNATURE)
    await world.copy(ALL, detour=Detour(source=outside, target=aside), there=True)
    assert {str(digest) for digest in aside.manifests} & digests(SIGNATURE, SBOM, IMAGE) == digests(SIGNATURE)
    assert {str(each.digest) for each in await aside.referrers(Digest.parse(IMAGE.digest))} == digests(SIGNATURE)


async def test_within_one_repository_what_refers_to_an_image_is_there() -> None:
    world = await World().with_image(IMAGE, SBOM, tags={f"sha256-{IMAGE.digest[7:]}.sig": SIGNATURE})
    world.target = world.source
    plan = await world.plan(CopyOptions(referrers=ReferrerOptions(), digest_tags=True))
    assert (plan.waves, plan.blobs) == ((), ())


def lie(world: World, subject: Built, *referrers: Manifest) -> None:
    """Have the source list these with a subject they do not name."""
    listed = index_bytes(*(Built(each.media_type, each.raw, str(each.digest)) for each in referrers))
    world.source.manifests[Digest.parse(listed.digest)] = manifest_of(listed)
    world.source.tagged[fallback_tag(Digest.parse(subject.digest))] = Digest.parse(listed.digest)


@pytest.mark.parametrize("stranger", [SIGNATURE, image_bytes(b"refers to nothing")], ids=["another", "none"])
async def test_a_referrer_that_does_not_name_its_subject_is_refused(stranger: Built) -> None:
    world = await World().with_image(INDEX)
    world.source.manifests[Digest.parse(stranger.digest)] = manifest_of(stranger)
    lie(world, INDEX, manifest_of(stranger))
    with pytest.raises(CopyFailed, match="is listed as a referrer of") as caught:
        await world.plan(ALL)
    assert isinstance(caught.value.__cause__, Malformed)


async def test_one_referrer_of_two_subjects_is_refused_although_the_target_has_it() -> None:
    world = await World().with_image(INDEX, OF_CHILD)
    await world.copy(ALL)
    lie(world, INDEX, manifest_of(OF_CHILD))
    lie_at = MemoryRepository("c/d", host="c")
    lie_at.manifests, lie_at.tagged, lie_at.blobs = world.target.manifests, world.target.tagged, world.target.blobs
    with pytest.raises(CopyFailed, match="is listed as a referrer of"):
        await world.plan(ALL, there=True)


async def test_referrers_of_referrers_end_somewhere() -> None:
    chain = [IMAGE]
    for number in range(20):
        chain.append(artifact_bytes(str(number).encode(), subject=chain[-1]))
    world = await World().with_image(*chain)
    with pytest.raises(CopyFailed, match="nested more than 16 deep") as caught:
        await world.plan(ALL)
    assert isinstance(caught.value.__cause__, Unsupported)


def tag_of(built: Built, suffix: str = ".sig") -> str:
    return f"sha256-{built.digest[7:]}{suffix}"


async def test_tags_made_of_a_digest_come_along_for_the_image_and_for_its_children() -> None:
    tags = {tag_of(INDEX): SIGNATURE, tag_of(INDEX.children[0], ".att"): SBOM, tag_of(IMAGE): image_bytes(b"no part")}
    world = await World().with_image(INDEX, tags=tags)
    plan = await world.copy(TAGS)
    assert set(world.target.tagged) - {fallback_tag(Digest.parse(IMAGE.digest))} == {
        "v1", tag_of(INDEX), tag_of(INDEX.children[0], ".att")
    }  # fmt: skip
    assert pushed(plan)[-1] == "v1"


async def test_a_digest_tag_of_the_image_itself_ends() -> None:
    world = await World().with_image(IMAGE, tags={tag_of(IMAGE, ".me"): IMAGE})
    await world.copy(TAGS)
    assert world.target.tagged == {"v1": Digest.parse(IMAGE.digest), tag_of(IMAGE, ".me"): Digest.parse(IMAGE.digest)}
    assert (await world.plan(TAGS, there=True)).empty


async def test_a_child_has_its_digest_tag_and_is_part_of_its_index() -> None:
    child = INDEX.children[0]
    world = await World().with_image(INDEX, tags={tag_of(child, ".me"): child})
    await world.copy(TAGS)
    assert world.target.tagged[tag_of(child, ".me")] == Digest.parse(child.digest)


async def test_a_digest_tag_that_is_the_same_at_the_target_costs_a_look_at_each_end() -> None:
    tags = {tag_of(IMAGE): artifact_bytes(b"signature"), tag_of(IMAGE, ".att"): artifact_bytes(b"attestation")}
    world = await World().with_image(IMAGE, tags=tags)
    await world.copy(TAGS)
    for end in (world.source, world.target):
        end.calls.clear()
    assert (await world.plan(TAGS, there=True)).empty
    assert world.source.calls["head_manifest"] == world.target.calls["head_manifest"] == 2


async def test_a_digest_tag_that_moved_is_moved_at_the_target() -> None:
    world = await World().with_image(IMAGE, tags={tag_of(IMAGE): SIGNATURE})
    await world.copy(TAGS)
    newer = await put_built(world.source, artifact_bytes(b"newer"), tag=tag_of(IMAGE))
    plan = await world.copy(TAGS, there=True)
    assert plan.last is None
    assert world.target.tagged[tag_of(IMAGE)] == newer.digest


async def test_a_list_of_referrers_is_a_digest_tag_unless_referrers_are_looked_after() -> None:
    subject = Digest.parse(IMAGE.digest)
    world = await World().with_image(IMAGE, SBOM)
    await world.copy(TAGS)
    assert world.target.tagged[fallback_tag(subject)] == world.source.tagged[fallback_tag(subject)]
    plan = await (await World().with_image(IMAGE, SBOM)).plan(
        CopyOptions(digest_tags=True, referrers=ReferrerOptions())
    )
    assert fallback_tag(subject) not in pushed(plan)


async def test_fast_checks_leave_what_is_there_alone() -> None:
    world = await World().with_image(INDEX, OF_CHILD, tags={tag_of(INDEX): SIGNATURE})
    await put_built(world.target, INDEX, tag="v1")
    fast = CopyOptions(digest_tags=True, referrers=ReferrerOptions(), fast_check=True)
    assert (await world.plan(fast, there=True)).empty
    assert world.source.calls["referrers"] == world.source.calls["tags"] == 0


async def test_a_digest_tag_that_the_target_keeps_under_another_algorithm_is_there() -> None:
    signed = image_bytes(b"signature", algorithm="sha512")
    world = await World().with_image(IMAGE)
    raw = Manifest.read(signed.raw, content_type=signed.media_type, expected=Digest.parse(signed.digest))
    world.source.manifests[raw.digest], world.source.tagged[tag_of(IMAGE)] = raw, raw.digest
    kept = Manifest.read(signed.raw, content_type=signed.media_type)
    world.target.manifests[kept.digest], world.target.tagged[tag_of(IMAGE)] = kept, kept.digest
    assert kept.digest != raw.digest
    assert (await world.plan(TAGS, there=True)).empty
