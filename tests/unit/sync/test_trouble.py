from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import get_args

import pytest

from regsync.errors import (
    AccessDenied,
    Forbidden,
    NoSuchRepository,
    NotFound,
    RegsyncError,
    StorageError,
    Unavailable,
    Unsupported,
)
from regsync.events import (
    ImageCopied,
    ImageFailed,
    ImagePostponed,
    NoTagsMatched,
    TagsSelected,
    Warned,
)
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.oci.reference import Reference
from regsync.repository import Repository
from regsync.sync.entry import Scope, SyncEntry
from tests.support.images import an_image
from tests.support.memory import MemoryRepository
from tests.unit.sync.lab import ALL, MemoryEndpoints, image, ran, repository


async def test_one_failing_image_does_not_stop_the_others() -> None:
    ends = MemoryEndpoints()
    for tag in ("v1", "v2", "v3"):
        await an_image(ends.at("a.x/app"), tag.encode(), tag=tag)
    ends.at("b.x/app").fail("write_blob", AccessDenied("no"))
    failed, seen = await ran(ends, repository("a.x/app", "b.x/app"))
    assert failed == 1
    assert len(ends.at("b.x/app").tagged) == 2
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed to copy image"]


async def test_abort_on_error_stops_at_the_first_failure() -> None:
    ends = MemoryEndpoints()
    for n in range(30):
        await an_image(ends.at("a.x/app"), bytes([n]), tag=f"v{n}")
    ends.at("b.x/app").fail("write_blob", AccessDenied("no"), times=99)
    failed, seen = await ran(ends, repository("a.x/app", "b.x/app"), images=1, abort_on_error=True)
    assert failed <= 2  # whoever got the slot in the same breath may fail too
    assert len([event for event in seen if isinstance(event, ImageFailed)]) == failed


async def test_a_missing_source_image_fails_with_the_line_people_know() -> None:
    failed, seen = await ran(MemoryEndpoints(), image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed to lookup source manifest"]


async def test_a_target_in_trouble_fails_before_anything_is_read_from_the_source() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("a.x/app").calls.clear()
    ends.at("b.x/app").fail("head_manifest", Unavailable("no answer"))
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 1
    assert ends.at("a.x/app").calls["get_manifest"] == 0


class Moving(MemoryRepository):
    """A source whose tag moves, and whose old image goes, while it is being copied."""

    moved = False

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        if not self.moved:
            self.moved = True
            self.manifests.clear()
            self.blobs.clear()
            await an_image(self, b"new", tag="v1")
            raise NotFound("gone")
        return await super().get_manifest(ref)


async def test_a_tag_that_moves_during_the_copy_is_resolved_once_more() -> None:
    ends = MemoryEndpoints()
    ends.repositories_by_name["a.x/app"] = Moving("a.x/app", host="a.x")
    await an_image(ends.at("a.x/app"), b"old", tag="v1")
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").tagged == ends.at("a.x/app").tagged


async def test_a_target_that_claims_to_have_what_it_lacks_is_healed() -> None:
    ends = MemoryEndpoints()
    made = await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("b.x/app").phantoms.add(made.layers[0].digest)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert ends.at("b.x/app").blobs == ends.at("a.x/app").blobs


async def test_a_registry_that_asks_to_be_left_alone_is_and_everything_else_goes_on() -> None:
    ends = MemoryEndpoints()
    for host in "ab":
        await an_image(ends.at(f"{host}.x/app"), host.encode(), tag="v1")
    ends.at("c.x/app").fail("write_blob", Unavailable("429", retry_after=800), times=1)
    failed, seen = await ran(ends, image("a.x/app:v1", "c.x/app:v1"), image("b.x/app:v1", "d.x/app:v1"), images=1)
    assert failed == 0
    postponed = [event for event in seen if isinstance(event, ImagePostponed)]
    assert [(event.target, event.pause) for event in postponed] == [("c.x/app:v1", 800)]
    copied = [event.target for event in seen if isinstance(event, ImageCopied)]
    assert copied == ["d.x/app:v1", "c.x/app:v1"]


async def test_a_registry_that_asks_for_too_long_or_too_often_fails_its_images() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("b.x/app").fail("head_manifest", Unavailable("429", retry_after=60), times=99)
    ends.at("c.x/app").fail("head_manifest", Unavailable("429", retry_after=3600), times=99)
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), image("a.x/app:v1", "c.x/app:v1"))
    assert failed == 2
    assert [event.target for event in seen if isinstance(event, ImagePostponed)] == ["b.x/app:v1"] * 15


async def test_a_repository_whose_mirror_cannot_be_named_fails_alone() -> None:
    ends = MemoryEndpoints()
    ends.catalogues["a.x"] = ["fine", "x" * 250]
    await an_image(ends.at("a.x/fine"), b"layer", tag="v1")
    failed, seen = await ran(ends, SyncEntry("all", "registry", "a.x", "b.x/mirror", ALL))
    assert failed == 1
    assert ends.at("b.x/mirror/fine").tagged
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed parsing target"]


@pytest.mark.parametrize("error", [NoSuchRepository("404 NAME_UNKNOWN"), NotFound("404"), None])
async def test_a_repository_without_tags_that_a_catalogue_lists_is_nothing_to_copy(error: NotFound | None) -> None:
    ends = MemoryEndpoints()
    ends.catalogues["a.x"] = ["empty", "kept"]
    await an_image(ends.at("a.x/kept"), b"layer", tag="v1")
    if error:
        ends.at("a.x/empty").fail("tags", error)
    failed, seen = await ran(ends, SyncEntry("all", "registry", "a.x", "b.x/m", ALL))
    assert (failed, set(ends.at("b.x/m/kept").tagged)) == (0, {"v1"})
    assert not [event for event in seen if isinstance(event, NoTagsMatched | ImageFailed)]
    assert TagsSelected("a.x/empty", 0, 0) in seen


@pytest.mark.parametrize("error", [Forbidden("403"), AccessDenied("401"), Unavailable("503"), Unsupported("405")])
async def test_a_repository_that_a_catalogue_lists_and_nobody_may_list_fails(error: RegsyncError) -> None:
    ends = MemoryEndpoints()
    ends.catalogues["a.x"] = ["closed"]
    ends.at("a.x/closed").fail("tags", error)
    failed, seen = await ran(ends, SyncEntry("all", "registry", "a.x", "b.x/m", ALL))
    assert failed == 1
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed getting source tags"]


async def test_a_repository_that_the_configuration_names_and_that_is_not_there_fails() -> None:
    ends = MemoryEndpoints()
    ends.at("a.x/app").fail("tags", NoSuchRepository("404 NAME_UNKNOWN"))
    failed, _ = await ran(ends, repository("a.x/app", "b.x/app"))
    assert failed == 1


class Untidy(MemoryEndpoints):
    """Targets that cannot be left in order."""

    @asynccontextmanager
    async def _writing(self, reference: Reference) -> AsyncIterator[Repository]:
        yield self.at(reference.name)
        raise StorageError("disk full")


async def test_a_target_that_cannot_be_tidied_is_a_warning_and_no_failure() -> None:
    ends = Untidy()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert Warned("Failed to tidy a target", {"target": "b.x/app", "error": "disk full"}) in seen


@pytest.mark.parametrize("error", [Forbidden("look elsewhere"), Unsupported("400")])
async def test_a_target_that_will_not_be_looked_at_is_taken_for_empty(error: RegsyncError) -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("b.x/app").fail("head_manifest", error)
    failed, _ = await ran(ends, image("a.x/app:v1", "b.x/app:v1"))
    assert failed == 0
    assert "v1" in ends.at("b.x/app").tagged


async def test_a_failing_target_is_named_as_what_fails() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    ends.at("b.x/app").fail("head_manifest", AccessDenied("wrong password"), times=9)
    for scope in get_args(Scope):
        failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope=scope)
        assert failed == 1
        assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed to access target"]


async def test_an_image_is_not_stored_under_a_digest_that_is_not_its_own() -> None:
    ends = MemoryEndpoints()
    made = await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    other = await an_image(ends.at("a.x/app"), b"other", tag="v2")
    failed, _ = await ran(ends, image("a.x/app:v1", f"b.x/app@{other.digest}"))
    assert failed == 1
    assert not ends.at("b.x/app").manifests
    failed, _ = await ran(ends, image("a.x/app:v1", f"b.x/app@{made.digest}"))
    assert failed == 0
    assert made.digest in ends.at("b.x/app").manifests


async def test_a_registry_that_serves_so_many_at_a_time_serves_them_all_in_the_end() -> None:
    ends = MemoryEndpoints()
    source = ends.repositories_by_name["a.x/app"] = Windowed("a.x/app", host="a.x")
    for n in range(60):
        await an_image(source, bytes([n]), tag=f"v{n}")
    source.left = 6
    failed, _ = await ran(ends, *(image(f"a.x/app:v{n}", f"b.x/app:v{n}") for n in range(60)))
    assert failed == 0
    assert len(ends.at("b.x/app").tagged) == 60


class Windowed(MemoryRepository):
    """A source that answers six look-ups and then asks for half a minute."""

    left = 10_000

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        if self.left <= 0:
            self.left = 6
            raise Unavailable("429", retry_after=30)
        self.left -= 1
        return await super().head_manifest(ref, sparse=sparse)


@pytest.mark.parametrize("scope", get_args(Scope))
async def test_a_target_that_cannot_be_opened_is_told_of_as_the_target(scope: Scope) -> None:
    class Unwritable(MemoryEndpoints):
        def open(self, reference: Reference, *, itself: bool = False) -> Repository:
            if itself:
                raise StorageError("read-only file system")
            return super().open(reference)

        def writing(self, reference: Reference) -> AbstractAsyncContextManager[Repository]:
            raise StorageError("read-only file system")

    ends = Unwritable()
    await an_image(ends.at("a.x/app"), b"layer", tag="v1")
    failed, seen = await ran(ends, image("a.x/app:v1", "b.x/app:v1"), scope=scope)
    assert failed == 1
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == ["Failed to access target"]
