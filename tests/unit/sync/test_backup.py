"""What is about to be overwritten is kept under another name first."""

from __future__ import annotations

from dataclasses import replace

import pytest

from regsync.errors import BadTemplate, InvalidReference, Malformed, NotFound, RegsyncError, Unavailable
from regsync.events import BackupStarted, Event, ImageCopied, ImageFailed, Warned
from regsync.oci.manifest import Manifest
from regsync.oci.reference import Reference, parse_reference
from regsync.sync.entry import NameBackup, Scope, SyncEntry
from regsync.transfer.options import CopyOptions
from tests.support.images import an_image, an_index
from tests.unit.sync.lab import MemoryEndpoints, image, ran, repository

ENDS = ("a.x/app:v1", "b.x/app:v1")


def as_tag(tag: str) -> NameBackup:
    return lambda target: target.with_tag(tag)


def at(text: str) -> NameBackup:
    """Keep an image at this reference; `{}` is the tag of the target."""

    def name(target: Reference) -> Reference:
        return parse_reference(text.format(target.tag))

    return name


def keeping(backup: NameBackup, ends: tuple[str, str] = ENDS) -> SyncEntry:
    return replace(image(*ends), backup=backup)


async def overwriting() -> tuple[MemoryEndpoints, Manifest]:
    """A source, and a target that has another image; return that, too."""
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    former = await an_image(ends.at("b.x/app"), b"former", b"layers", tag="v1")
    for one in ends.repositories_by_name.values():
        one.log.clear()
    return ends, former


def troubles(seen: list[Event]) -> list[tuple[str, object]]:
    return [(event.message, event.fields["error"]) for event in seen if isinstance(event, Warned)]


async def test_the_former_image_gets_the_other_tag_before_its_own_moves() -> None:
    ends, former = await overwriting()
    failed, seen = await ran(ends, keeping(as_tag("old")))
    assert failed == 0
    assert ends.at("b.x/app").tagged == {"old": former.digest, "v1": ends.at("a.x/app").tagged["v1"]}
    put = [line for line in ends.at("b.x/app").log if line.startswith("put_manifest")]
    assert put == ["put_manifest old", "put_manifest v1"]
    assert BackupStarted("b.x/app:v1", "b.x/app:old") in seen


async def test_a_backup_within_a_repository_costs_one_look_and_one_push() -> None:
    ends, _ = await overwriting()
    await ran(ends, keeping(as_tag("old")))
    with_backup = list(ends.at("b.x/app").log)
    ends, _ = await overwriting()
    await ran(ends, image(*ENDS))
    assert len(with_backup) == len(ends.at("b.x/app").log) + 2


@pytest.mark.parametrize("name", ["b.x/kept:{}-former", "d.x/kept:{}-former"])
async def test_another_repository_gets_the_whole_former_image(name: str) -> None:
    ends, former = await overwriting()
    failed, _ = await ran(ends, keeping(at(name)))
    kept = ends.at(name.partition(":")[0])
    assert failed == 0
    assert kept.tagged == {"v1-former": former.digest}
    assert {blob.digest for blob in former.blobs} <= set(kept.blobs)
    assert kept.calls["adopt_blob"] == len(former.blobs)
    assert ends.tidied.count(kept.name) == 1


async def test_an_index_is_kept_with_all_its_images() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    former = await an_index(ends.at("b.x/app"), "linux/amd64", "linux/arm64", tag="v1")
    failed, _ = await ran(ends, keeping(at("d.x/kept:v1")))
    assert failed == 0
    assert set(ends.at("d.x/kept").manifests) == {former.digest, *(child.digest for child in former.children)}


async def test_a_backup_that_is_there_already_is_overwritten() -> None:
    ends, former = await overwriting()
    await an_image(ends.at("b.x/app"), b"older", tag="old")
    await ran(ends, keeping(as_tag("old")))
    assert ends.at("b.x/app").tagged["old"] == former.digest


@pytest.mark.parametrize(
    ("method", "error"),
    [("get_manifest", NotFound("gone")), ("put_manifest", Unavailable("no room"))],
)
async def test_a_backup_that_fails_is_warned_of_and_the_copy_goes_on(method: str, error: RegsyncError) -> None:
    ends, _ = await overwriting()
    ends.at("b.x/app").fail(method, error)
    failed, seen = await ran(ends, keeping(as_tag("old")))
    assert failed == 0
    ((message, why),) = troubles(seen)
    assert (message, str(error) in str(why)) == ("Failed to backup existing image", True)
    assert ends.at("b.x/app").tagged == ends.at("a.x/app").tagged


async def test_a_backup_under_the_very_name_is_warned_of() -> None:
    ends, _ = await overwriting()
    failed, seen = await ran(ends, keeping(as_tag("v1")))
    assert failed == 0
    assert troubles(seen) == [
        ("Failed to backup existing image", "it would be kept under the name that is about to be overwritten")
    ]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (BadTemplate("no such function"), "Failed to expand backup template"),
        (InvalidReference("'x y' is none"), "Failed to parse backup reference"),
    ],
)
async def test_an_image_whose_backup_has_no_name_is_not_copied(error: Malformed, message: str) -> None:
    def name(target: Reference) -> Reference:
        raise error

    ends, former = await overwriting()
    failed, seen = await ran(ends, keeping(name))
    assert failed == 1
    assert [event.message for event in seen if isinstance(event, ImageFailed)] == [message]
    assert ends.at("b.x/app").tagged == {"v1": former.digest}


@pytest.mark.parametrize("scope", ["check", "missing"])
async def test_where_nothing_is_overwritten_nothing_is_kept(scope: Scope) -> None:
    ends, former = await overwriting()
    _, seen = await ran(ends, keeping(as_tag("old")), scope=scope)
    assert ends.at("b.x/app").tagged == {"v1": former.digest}
    assert not any(isinstance(event, BackupStarted) for event in seen)


async def test_an_image_that_is_new_or_the_same_is_not_kept() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    for _ in range(2):
        failed, _ = await ran(ends, keeping(as_tag("old")))
        assert failed == 0
        assert set(ends.at("b.x/app").tagged) == {"v1"}


async def test_an_image_that_is_sent_again_as_it_was_is_not_kept() -> None:
    ends = MemoryEndpoints()
    await an_image(ends.at("a.x/app"), b"new", tag="v1")
    entry = replace(keeping(as_tag("old")), options=CopyOptions(force_recursive=True))
    for _ in range(2):
        assert (await ran(ends, entry))[0] == 0
    assert set(ends.at("b.x/app").tagged) == {"v1"}


async def test_targets_of_one_source_keep_each_its_own() -> None:
    ends, former = await overwriting()
    other = await an_image(ends.at("c.x/app"), b"another", tag="v1")
    entries = (keeping(as_tag("old")), keeping(at("c.x/kept:{}"), ("a.x/app:v1", "c.x/app:v1")))
    failed, seen = await ran(ends, *entries, images=1)
    assert failed == 0
    assert ends.at("b.x/app").tagged["old"] == former.digest
    assert ends.at("c.x/kept").tagged == {"v1": other.digest}
    assert sum(isinstance(event, ImageCopied) for event in seen) == 2


async def test_every_image_of_a_repository_is_kept_with_one_image_in_flight() -> None:
    ends = MemoryEndpoints()
    for tag in ("v1", "v2", "v3"):
        await an_image(ends.at("a.x/app"), tag.encode(), tag=tag)
        await an_image(ends.at("b.x/app"), f"former {tag}".encode(), tag=tag)
    before = dict(ends.at("b.x/app").tagged)
    failed, _ = await ran(ends, replace(repository("a.x/app", "b.x/app"), backup=at("b.x/kept:{}")), images=1)
    assert failed == 0
    assert ends.at("b.x/kept").tagged == before
