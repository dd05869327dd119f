"""Images that stand at the target already, with more to look after: what is told, asked and copied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from regsync.errors import Forbidden, Unavailable
from regsync.events import Event, ImageCopied, ImageCurrent, ImageFailed, ImageNeeded, ImageRefreshing
from regsync.oci.digest import Digest
from regsync.oci.platform import Platform
from regsync.oci.reference import parse_reference
from regsync.oci.referrers import ReferrerOptions, fallback_tag
from regsync.sync.entry import Scope, SyncEntry
from regsync.sync.run import Run
from regsync.sync.select import Filter, Selection
from regsync.transfer.options import PLAIN, CopyOptions
from tests.support.clock import FakeClock
from tests.support.images import Built, artifact_bytes, image_bytes, index_bytes, platforms_index, put_built
from tests.unit.sync.lab import ALL, MemoryEndpoints, engine_of, ran

IMAGE = image_bytes(b"layer")
INDEX = platforms_index("linux/amd64", "linux/arm64")
SBOM = artifact_bytes(b"sbom", subject=IMAGE)
OF_CHILD = artifact_bytes(b"sbom of a child", subject=INDEX.children[1])
REFERRERS = CopyOptions(referrers=ReferrerOptions())
FORCED = CopyOptions(force_recursive=True)
TAGS = CopyOptions(digest_tags=True)
SIGNED = f"sha256-{IMAGE.digest[7:]}.sig"


def app(options: CopyOptions, target: str = "b.x/app:v1") -> SyncEntry:
    return SyncEntry(target, "image", "a.x/app:v1", target, ALL, options=options)


async def world(image: Built = IMAGE, *besides: Built) -> MemoryEndpoints:
    """A source with this image, and a target that has it, too; only the source has what is besides."""
    ends = MemoryEndpoints()
    await put_built(ends.at("a.x/app"), image, tag="v1")
    await put_built(ends.at("b.x/app"), image, tag="v1")
    for one in besides:
        await put_built(ends.at("a.x/app"), one, at=Digest.parse(one.digest))
    forget(ends)
    return ends


def forget(ends: MemoryEndpoints) -> None:
    for end in ends.repositories_by_name.values():
        end.calls.clear()


def of_kind(seen: Sequence[Event], *kinds: type) -> list[Event]:
    return [event for event in seen if isinstance(event, kinds)]


APP = ("a.x/app:v1", "b.x/app:v1")
TOLD = (ImageNeeded, ImageRefreshing, ImageCopied, ImageCurrent)


async def test_an_image_that_has_all_that_belongs_to_it_is_current_and_nothing_is_told_as_copied() -> None:
    ends = await world(IMAGE, SBOM)
    await ran(ends, app(REFERRERS))
    forget(ends)
    failed, seen = await ran(ends, app(REFERRERS))
    assert (failed, of_kind(seen, *TOLD)) == (0, [ImageCurrent("a.x/app:v1", "b.x/app:v1", "same", IMAGE.digest)])
    assert dict(ends.at("a.x/app").calls) == {"head_manifest": 1, "referrers": 2}
    assert dict(ends.at("b.x/app").calls) == {"head_manifest": 1, "referrers": 1}


VERSIONS = Selection((Filter(allow=("v.*",)),))
VERSIONED = SyncEntry("all", "repository", "a.x/app", "b.x/app", ALL, tags=VERSIONS, options=REFERRERS)


async def test_where_tags_were_listed_referrers_of_referrers_cost_nothing() -> None:
    ends = await world(IMAGE, *(artifact_bytes(f"{number}".encode(), subject=IMAGE) for number in range(5)))
    await ran(ends, VERSIONED)
    forget(ends)
    await ran(ends, VERSIONED)
    assert (ends.at("a.x/app").calls["referrers"], ends.at("b.x/app").calls["referrers"]) == (1, 1)


async def test_a_referrer_of_a_referrer_is_found_where_tags_were_listed() -> None:
    ends = await world(IMAGE, SBOM)
    await ran(ends, VERSIONED)
    signature = artifact_bytes(b"signature", subject=SBOM)
    await put_built(ends.at("a.x/app"), signature)
    failed, _ = await ran(ends, VERSIONED)
    assert failed == 0
    assert [str(one.digest) for one in await ends.at("b.x/app").referrers(Digest.parse(SBOM.digest))] == [
        signature.digest
    ]


@pytest.mark.parametrize("slow", [False, True])
async def test_where_a_list_of_tags_may_not_tell_each_referrer_is_asked_about(slow: bool) -> None:
    ends = await world()
    ends.at("a.x/app").lists_referrers = not slow
    for number in range(3):
        await put_built(ends.at("a.x/app"), artifact_bytes(f"{number}".encode(), subject=IMAGE))
    entry = replace(VERSIONED, options=CopyOptions(referrers=ReferrerOptions(slow=slow)))
    await ran(ends, entry)
    forget(ends)
    await ran(ends, entry)
    assert ends.at("a.x/app").calls["referrers"] == 4


async def test_an_image_without_referrers_costs_one_list() -> None:
    ends = await world()
    await ran(ends, app(REFERRERS))
    assert dict(ends.at("a.x/app").calls) == {"head_manifest": 1, "referrers": 1}
    assert dict(ends.at("b.x/app").calls) == {"head_manifest": 1}


async def test_what_was_added_to_an_image_is_told_as_a_refreshing_and_copied() -> None:
    ends = await world(IMAGE, SBOM)
    failed, seen = await ran(ends, app(CopyOptions(referrers=ReferrerOptions(), digest_tags=True)))
    assert failed == 0
    assert of_kind(seen, *TOLD) == [
        ImageRefreshing(
            "a.x/app:v1", "b.x/app:v1", forced=False, digest_tags=True, referrers=True, digest=IMAGE.digest
        ),
        ImageCopied("a.x/app:v1", "b.x/app:v1", IMAGE.digest),
    ]
    assert Digest.parse(SBOM.digest) in ends.at("b.x/app").manifests


async def test_a_check_says_truly_whether_something_would_be_copied_and_writes_nothing() -> None:
    ends = await world(IMAGE, SBOM)
    _, seen = await ran(ends, app(REFERRERS), scope="check")
    assert len(of_kind(seen, ImageRefreshing)) == 1
    assert ends.at("b.x/app").calls["put_manifest"] == 0
    await ran(ends, app(REFERRERS))
    _, seen = await ran(ends, app(REFERRERS), scope="check")
    assert of_kind(seen, *TOLD) == [ImageCurrent("a.x/app:v1", "b.x/app:v1", "same", IMAGE.digest)]


@pytest.mark.parametrize("options", [REFERRERS, FORCED, TAGS])
async def test_a_tag_that_is_there_is_enough_where_only_what_is_missing_is_wanted(options: CopyOptions) -> None:
    ends = await world(IMAGE, SBOM)
    failed, seen = await ran(ends, app(options), scope="missing")
    assert (failed, of_kind(seen, *TOLD)) == (0, [ImageCurrent("a.x/app:v1", "b.x/app:v1", "present")])
    assert not ends.at("a.x/app").calls


@pytest.mark.parametrize("scope", ["changed", "check"])
async def test_a_fast_check_compares_the_image_s_own_digest_and_nothing_else(scope: Scope) -> None:
    ends = await world(IMAGE, SBOM)
    fast = CopyOptions(referrers=ReferrerOptions(), digest_tags=True, force_recursive=True, fast_check=True)
    _, seen = await ran(ends, app(fast), scope=scope)
    assert of_kind(seen, *TOLD) == [ImageCurrent("a.x/app:v1", "b.x/app:v1", "same", IMAGE.digest)]
    assert dict(ends.at("a.x/app").calls) == dict(ends.at("b.x/app").calls) == {"head_manifest": 1}


async def test_a_fast_check_copies_an_image_that_is_new_with_all_that_belongs_to_it() -> None:
    ends = await world(IMAGE, SBOM)
    await ran(ends, app(CopyOptions(referrers=ReferrerOptions(), fast_check=True), "c.x/app:v1"))
    assert Digest.parse(SBOM.digest) in ends.at("c.x/app").manifests


async def test_the_referrers_of_the_image_of_a_platform_are_refreshed() -> None:
    ends = MemoryEndpoints()
    source, target = ends.at("a.x/app"), ends.at("b.x/app")
    await put_built(source, INDEX, tag="v1")
    await put_built(target, INDEX.children[1], tag="v1")
    await put_built(source, OF_CHILD)
    options = CopyOptions(platform=Platform("linux", "arm64"), referrers=ReferrerOptions())
    failed, seen = await ran(ends, app(options))
    assert failed == 0
    assert len(of_kind(seen, ImageRefreshing)) == 1
    assert Digest.parse(OF_CHILD.digest) in target.manifests
    assert target.tagged["v1"] == Digest.parse(INDEX.children[1].digest)


async def test_a_child_and_a_blob_that_got_lost_under_an_unchanged_index_come_back_when_that_is_forced() -> None:
    ends = await world(INDEX)
    target = ends.at("b.x/app")
    lost = Digest.parse(INDEX.children[0].digest)
    layer = next(iter(INDEX.children[1].blobs))
    del target.manifests[lost], target.blobs[Digest.parse(layer)]
    _, seen = await ran(ends, app(PLAIN))
    assert len(of_kind(seen, ImageCurrent)) == 1
    _, seen = await ran(ends, app(FORCED), scope="check")
    assert len(of_kind(seen, ImageRefreshing)) == 1
    failed, seen = await ran(ends, app(FORCED))
    assert failed == 0
    assert lost in target.manifests
    assert Digest.parse(layer) in target.blobs
    assert target.calls["put_manifest"] == 3  # all of them, whether they were there or not
    _, seen = await ran(ends, app(FORCED), scope="check")
    assert len(of_kind(seen, ImageCurrent)) == 1


async def test_what_refers_to_a_referrer_is_asked_for_once_an_hour_and_to_an_image_each_time() -> None:
    ends, clock = await world(IMAGE, SBOM), FakeClock()
    engine = engine_of(ends, clock=clock)
    asked = []
    for pause in (0, 60, 3500, 60):
        await clock.advance(pause)
        forget(ends)
        await Run(engine, [app(REFERRERS)], scope="changed", abort_on_error=False, tell=lambda _: None).run()
        asked.append(ends.at("a.x/app").calls["referrers"])
    assert asked == [2, 1, 1, 2]


async def test_entries_of_one_image_that_want_different_things_get_them() -> None:
    ends = await world(IMAGE, SBOM)
    await put_built(ends.at("a.x/app"), artifact_bytes(b"signature"), tag=SIGNED)
    entries = [app(PLAIN, "c.x/app:v1"), app(REFERRERS, "d.x/app:v1"), app(TAGS, "e.x/app:v1")]
    failed, _ = await ran(ends, *entries)
    assert failed == 0
    sbom = Digest.parse(SBOM.digest)
    assert [sbom in ends.at(f"{host}.x/app").manifests for host in "cd"] == [False, True]
    assert [SIGNED in ends.at(f"{host}.x/app").tagged for host in "cde"] == [False, False, True]
    assert all(count == 1 for count in [ends.at("a.x/app").calls["tags"]])


async def test_tags_that_cannot_be_listed_fail_the_image() -> None:
    ends = await world()
    ends.at("a.x/app").fail("tags", Forbidden("no"), times=9)
    failed, seen = await ran(ends, app(TAGS))
    [failure] = of_kind(seen, ImageFailed)
    assert failed == 1
    assert isinstance(failure, ImageFailed)
    assert failure.message == "Failed to copy image"


async def test_a_registry_in_trouble_while_it_is_asked_for_referrers_puts_its_image_off() -> None:
    ends = await world(IMAGE, SBOM)
    ends.at("a.x/app").fail("referrers", Unavailable("429", retry_after=30))
    failed, _ = await ran(ends, app(REFERRERS))
    assert failed == 0
    assert Digest.parse(SBOM.digest) in ends.at("b.x/app").manifests


async def test_referrers_go_to_a_target_of_their_own() -> None:
    ends = await world(IMAGE, SBOM)
    aside = ReferrerOptions(target=parse_reference("b.x/notes"))
    failed, _ = await ran(ends, app(CopyOptions(referrers=aside)))
    assert failed == 0
    assert Digest.parse(SBOM.digest) in ends.at("b.x/notes").manifests
    assert Digest.parse(SBOM.digest) not in ends.at("b.x/app").manifests
    assert ends.tidied == ["b.x/app", "b.x/notes"]


async def test_a_digest_tag_the_target_lacks_is_fetched_by_its_tag_and_looked_at_no_more() -> None:
    ends = await world()
    tags = [f"{SIGNED}{number}" for number in range(3)]
    for tag in tags:
        await put_built(ends.at("a.x/app"), artifact_bytes(tag.encode()), tag=tag)
    forget(ends)
    failed, _ = await ran(ends, app(TAGS))
    assert failed == 0
    assert set(tags) <= set(ends.at("b.x/app").tagged)
    source = ends.at("a.x/app").calls
    assert (source["head_manifest"], source["get_manifest"], source["tags"]) == (1, 3, 1)


async def test_a_referrer_that_an_index_lists_too_and_that_no_list_names_is_put_again() -> None:
    """BuildKit's attestations are both; one whose list could not be written is there, and nobody finds it."""
    image = image_bytes(b"layer", platform="linux/amd64")
    ends = await world(index_bytes(image, artifact_bytes(b"attestation", subject=image)))
    listed = fallback_tag(Digest.parse(image.digest))
    del ends.at("b.x/app").tagged[listed]
    failed, seen = await ran(ends, app(REFERRERS))
    assert failed == 0
    assert listed in ends.at("b.x/app").tagged
    assert ends.at("b.x/app").calls["put_manifest"] == 1
    assert of_kind(seen, ImageCopied)
