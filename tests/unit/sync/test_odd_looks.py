"""Runs at registries that answer looks oddly: a source's GET has the last word, a target's push decides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import (
    AccessDenied,
    Failing,
    Forbidden,
    Malformed,
    Misled,
    Refused,
    RegsyncError,
    Unavailable,
    Unreadable,
    Unsupported,
)
from regsync.events import ImageNeeded, ImageSkipped
from regsync.oci.digest import Digest
from regsync.sync.entry import Scope
from tests.support.built import image_bytes, index_bytes
from tests.support.images import put_built
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import MemoryEndpoints, image, ran

SCHEMA1 = "application/vnd.docker.distribution.manifest.v1+prettyjws"
INDEX = index_bytes(image_bytes(b"first"), image_bytes(b"second", platform="linux/arm64"))


async def endpoints() -> MemoryEndpoints:
    ends = MemoryEndpoints()
    await put_built(ends.at("a.x/app"), INDEX, tag="v1")
    return ends


@pytest.mark.parametrize("error", [Forbidden("403"), AccessDenied("401"), Unsupported("400")])
async def test_children_that_may_not_be_looked_at_are_pushed(error: RegsyncError) -> None:
    ends = await endpoints()
    ends.at("b.x/app").fail("head_manifest", error, nth=2, times=99)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").tagged["v1"] == Digest.parse(INDEX.digest)


async def test_children_at_a_target_in_trouble_end_the_image() -> None:
    ends = await endpoints()
    ends.at("b.x/app").fail("head_manifest", Unavailable("503"), nth=2, times=99)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1


@pytest.mark.parametrize("error", [Forbidden("403"), Misled("away"), Malformed("307"), Failing("500", status=500)])
@pytest.mark.parametrize("missing", [True, False])
async def test_a_target_that_cannot_be_looked_at_is_pushed_to(error: RegsyncError, *, missing: bool) -> None:
    ends = await endpoints()
    ends.at("b.x/app").fail("head_manifest", error, times=99)
    scope: Scope = "missing" if missing else "changed"
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope=scope)
    assert failed == 0
    assert ends.at("b.x/app").tagged["v1"] == Digest.parse(INDEX.digest)


async def test_check_takes_a_target_that_cannot_be_looked_at_for_one_that_lacks_the_image() -> None:
    ends = await endpoints()
    ends.at("b.x/app").fail("head_manifest", Misled("away"), times=99)
    failed, told = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope="check")
    assert failed == 0
    assert [event for event in told if isinstance(event, ImageNeeded)]


@pytest.mark.parametrize("error", [AccessDenied("password"), Refused("TLS"), Failing("503", status=503)])
async def test_a_target_that_cannot_be_reached_is_named_before_anything_is_fetched(error: RegsyncError) -> None:
    ends = await endpoints()
    ends.at("b.x/app").fail("head_manifest", error, times=99)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1
    assert ends.at("a.x/app").calls["get_manifest"] == 0


@pytest.mark.parametrize("error", [Forbidden("403"), Misled("away"), Malformed("307"), Unsupported("400")])
async def test_a_source_that_refuses_a_look_is_asked_for_the_manifest(error: RegsyncError) -> None:
    ends = await endpoints()
    ends.at("a.x/app").fail("head_manifest", error, times=99)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0


async def test_a_source_that_refuses_the_manifest_as_well_fails_the_image() -> None:
    ends = await endpoints()
    ends.at("a.x/app").fail("head_manifest", Forbidden("403"), times=99)
    ends.at("a.x/app").fail("get_manifest", Forbidden("403"), times=99)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1


@pytest.mark.parametrize("kinds", [(), (SCHEMA1,)])
async def test_schema_1_that_cannot_be_read_is_skipped_unless_it_is_wanted(kinds: tuple[str, ...]) -> None:
    ends = await endpoints()
    ends.at("a.x/app").fail("head_manifest", Unreadable(SCHEMA1, Unavailable("500")), times=99)
    entry = image("a.x/app:v1", "b.x/app:v1")
    failed, told = await ran(ends, replace(entry, media_types=(*entry.media_types, *kinds)))
    skipped = [event.media_type for event in told if isinstance(event, ImageSkipped)]
    assert (failed, skipped) == ((1, []) if kinds else (0, [SCHEMA1]))


class _NoHead(MemoryRepository):
    """HEAD calls missing what GET has."""

    async def head_manifest(self, ref: str | Digest, *, sparse: object = None) -> None:
        await self.called("head_manifest", str(ref))


async def test_a_source_that_calls_its_manifests_missing_by_head_is_copied_by_get() -> None:
    ends = await endpoints()
    odd = _NoHead("a.x/app", host="a.x")
    odd.manifests, odd.blobs, odd.tagged = (
        ends.at("a.x/app").manifests,
        ends.at("a.x/app").blobs,
        ends.at("a.x/app").tagged,
    )
    ends.repositories_by_name["a.x/app"] = odd
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert "v1" in ends.at("b.x/app").tagged


async def test_what_get_does_not_have_either_is_not_there_and_was_asked_for_twice() -> None:
    ends = await endpoints()
    failed, _ = await ran(ends, image("a.x/app:v9", "b.x/app:v9"))
    assert failed == 1
    source = ends.at("a.x/app")
    assert (source.calls["head_manifest"], source.calls["get_manifest"]) == (1, 1)


async def test_a_target_is_not_asked_by_get_for_what_it_lacks() -> None:
    ends = await endpoints()
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").calls["get_manifest"] == 0


async def test_a_source_that_has_all_it_names_is_not_asked_once_more() -> None:
    ends = await endpoints()
    await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    source = ends.at("a.x/app")
    assert (source.calls["head_manifest"], source.calls["get_manifest"]) == (1, 3)
