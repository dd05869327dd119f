"""To a writer, a layout answers only for what is whole: a manifest that is there proves nothing of what it names."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from regsync.errors import Incomplete
from regsync.events import Event, Warned
from regsync.layout.files import Files
from regsync.layout.opened import Stat
from regsync.oci.digest import Digest
from regsync.oci.mediatype import OCI_INDEX
from regsync.repository import Repository
from tests.support.images import (
    Built,
    assert_whole,
    described,
    image_bytes,
    index_bytes,
    manifest_of,
    put_blobs,
    read_layout,
    write_layout,
)
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import blob_files

CHILD = image_bytes(b"base layer", b"app layer")
PARENT = index_bytes(CHILD)
ROOT = index_bytes(PARENT, image_bytes(b"beside"))


async def copied(layout: Repository, built: Built, *, tag: str | None = None) -> None:
    """Store what the layout says it lacks, as the engine does."""
    for child in built.children:
        if await layout.head_manifest(Digest.parse(child.digest)) is None:
            await copied(layout, child)
    await put_blobs(layout, built)
    await layout.put_manifest(manifest_of(built), at=tag)


def assert_all_whole(folder: Path) -> None:
    tags, contents = read_layout(folder)
    assert tags
    for digest in tags.values():
        assert_whole(digest, contents)


def lose(folder: Path, digest: str) -> None:
    (folder / "blobs" / "sha256" / digest[7:]).unlink()


class Aged(Files):
    """A file system on which some files are two hours older than they are."""

    def __init__(self) -> None:
        super().__init__()
        self.old: set[Path] = set()

    def stat(self, path: Path, *, follow: bool = False) -> Stat | None:
        seen = super().stat(path, follow=follow)
        if seen is None or path not in self.old:
            return seen
        return replace(seen, ctime_ns=seen.ctime_ns - 2 * 3600 * 10**9)


async def test_a_tag_rolled_back_within_the_hour_has_its_layers(opener: Opener, folder: Path) -> None:
    files = Aged()
    layouts = opener(files=files)
    for built in (image_bytes(b"base layer"), PARENT, image_bytes(b"another base"), PARENT):
        async with layouts.writing(str(folder)) as layout:
            await copied(layout, built, tag="latest")
        assert_all_whole(folder)
        files.old = files.old or set(blob_files(folder))  # the first image, and its base layer


async def test_a_tag_rolled_back_after_its_layers_went_has_them(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"latest": PARENT})
    async with opener().writing(str(folder)) as layout:
        await copied(layout, image_bytes(b"another base"), tag="latest")
    lose(folder, str(described(b"base layer").digest))
    async with opener().writing(str(folder)) as layout:
        await copied(layout, PARENT, tag="latest")
    assert_all_whole(folder)


@pytest.mark.parametrize("lost", [digest for digest in ROOT.contents() if digest != ROOT.digest])
@pytest.mark.parametrize("how", ["missing", "cut"])
async def test_an_unlisted_manifest_that_lacks_anything_below_it_is_not_there_for_a_writer(
    opener: Opener, folder: Path, lost: str, how: str
) -> None:
    write_layout(folder, {"v1": ROOT})
    write_layout(folder, {"v1": image_bytes(b"something else")})
    place = folder / "blobs" / "sha256" / lost[7:]
    place.unlink() if how == "missing" else place.write_bytes(b"cut")
    digest = Digest.parse(ROOT.digest)
    assert await opener().open(str(folder)).head_manifest(digest) is not None  # to a reader it is
    events: list[Event] = []
    async with opener(tell=events.append).writing(str(folder)) as layout:
        assert await layout.head_manifest(digest) is None
        await copied(layout, ROOT, tag="v2")
        assert await layout.head_manifest(digest) is not None
    assert events == []  # no tag was damaged
    assert_all_whole(folder)


@pytest.mark.parametrize("lost", ROOT.contents())
async def test_a_tag_damaged_before_us_is_told_of_once_and_mended(opener: Opener, folder: Path, lost: str) -> None:
    write_layout(folder, {"v1": ROOT})
    lose(folder, lost)
    events: list[Event] = []
    async with opener(tell=events.append).writing(str(folder)) as layout:
        for _ in range(2):
            assert await layout.head_manifest("v1") is None
        [warned] = events
        assert isinstance(warned, Warned)
        assert warned.message == "A tag of this layout is damaged"
        assert (warned.fields["layout"], warned.fields["tag"]) == (f"ocidir://{folder}", "v1")
        assert lost in str(warned.fields["missing"])
        await copied(layout, ROOT, tag="v1")
        assert await layout.head_manifest("v1") is not None
    assert_all_whole(folder)


async def test_a_name_is_not_given_to_what_lacks_a_part(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": ROOT})
    lose(folder, CHILD.digest)
    async with opener().writing(str(folder)) as layout:
        for at in ("v2", Digest.parse(ROOT.digest), None):
            with pytest.raises(Incomplete, match=CHILD.digest):
                await layout.put_manifest(manifest_of(ROOT), at=at)
    assert list(read_layout(folder)[0]) == ["v1"]


async def test_a_layer_moved_away_for_damage_is_missed_by_tags_that_were_whole(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": ROOT})
    layer = described(b"app layer")
    (folder / "blobs" / "sha256" / layer.digest.hex).write_bytes(b"APP LAYER")  # of the right size
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        assert not await layout.has_blob(layer)
        assert await layout.head_manifest("v1") is None


async def test_what_was_seen_whole_is_read_once_while_somebody_writes(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": ROOT, "v2": PARENT})
    read: list[str] = []
    files = Files(lambda operation, path: read.append(path.name) if operation == "read" else None)
    async with opener(files=files).writing(str(folder)) as layout:
        for ref in ("v1", "v2", Digest.parse(CHILD.digest)):
            assert await layout.head_manifest(ref) is not None
        del read[:]
        assert await layout.head_manifest("v1") is not None
        assert await layout.head_manifest("v2") is not None
    assert read == []


async def test_a_listed_manifest_nobody_can_read_counts_by_its_own_bytes(opener: Opener, folder: Path) -> None:
    raw = b'{"schemaVersion":2,"layers":[{"digest":"sha256:' + b"a" * 64 + b'"}],"manifests":[]}'
    write_layout(folder, {"old": Built(OCI_INDEX, raw, str(Digest.of(raw)))})
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("old") is not None
        assert await layout.head_manifest(Digest.of(b"none")) is None
    (folder / "blobs" / "sha256" / Digest.of(raw).hex).write_bytes(raw.replace(b"a", b"b"))
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("old") is None


async def test_indexes_nested_too_deep_are_not_followed_for_ever(opener: Opener, folder: Path) -> None:
    deep = CHILD
    for _ in range(16):
        deep = index_bytes(deep)
    write_layout(folder, {"deep": deep, "deeper": index_bytes(deep)})
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("deep") is not None
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("deeper") is None


@pytest.mark.parametrize(
    ("media_type", "whole"),
    [
        ("application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", True),
        ("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", True),
        ("application/vnd.docker.image.rootfs.diff.tar.gzip", False),
        ("application/vnd.oci.image.layer.v1.tar+gzip", False),
    ],
)
async def test_a_layer_that_lies_elsewhere_is_not_missed_if_its_type_is_foreign(
    opener: Opener, folder: Path, media_type: str, whole: bool
) -> None:
    document = json.loads(CHILD.raw)
    document["layers"][0] |= {"mediaType": media_type, "urls": ["https://elsewhere.example/layer"]}
    raw = json.dumps(document).encode()
    built = Built(CHILD.media_type, raw, str(Digest.of(raw)), CHILD.blobs)
    write_layout(folder, {"v1": built})
    lose(folder, document["layers"][0]["digest"])
    async with opener().writing(str(folder)) as layout:
        assert (await layout.head_manifest("v1") is not None) is whole


async def test_a_child_of_an_unknown_type_may_be_a_blob(opener: Opener, folder: Path) -> None:
    data = b"\0 no document"
    child = {"mediaType": "application/x-mine", "digest": str(Digest.of(data)), "size": len(data)}
    raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}).encode()
    write_layout(folder, {"v1": Built(OCI_INDEX, raw, str(Digest.of(raw)), {str(Digest.of(data)): data})})
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
    lose(folder, str(Digest.of(data)))
    async with opener().writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is None


async def test_nothing_that_was_looked_at_is_swept_by_one_who_leaves(opener: Opener, folder: Path) -> None:
    sweeping, going_on = threading.Event(), threading.Event()

    def hold(operation: str, path: Path) -> None:
        if operation == "remove" and "blobs" in path.parts and not sweeping.is_set():
            sweeping.set()
            going_on.wait(20)

    layouts = opener(files=Files(hold), grace=-1.0)
    write_layout(folder, {"latest": ROOT})

    async def move() -> None:
        async with layouts.writing(str(folder)) as layout:
            await copied(layout, image_bytes(b"new"), tag="latest")

    async def name() -> None:
        async with layouts.writing(str(folder)) as layout:
            await copied(layout, ROOT, tag="stable")

    moving = asyncio.create_task(move())
    await asyncio.to_thread(sweeping.wait, 20)
    naming = asyncio.create_task(name())
    for _ in range(100):
        await asyncio.sleep(0)
    going_on.set()
    await asyncio.gather(moving, naming)
    assert_all_whole(folder)
    assert sorted(read_layout(folder)[0]) == ["latest", "stable"]


async def test_one_layout_that_cannot_be_tidied_is_told_of_and_harms_no_other(opener: Opener, tmp_path: Path) -> None:
    def refuse(operation: str, path: Path) -> None:
        if operation == "remove" and "two" in path.parts and "blobs" in path.parts:
            raise PermissionError(13, "Permission denied")

    events: list[Event] = []
    layouts = opener(files=Files(refuse), grace=-1.0, tell=events.append)
    for image in (image_bytes(b"old"), image_bytes(b"new")):
        async with (
            layouts.writing(str(tmp_path / "one")) as one,
            layouts.writing(str(tmp_path / "two")) as two,
            layouts.writing(str(tmp_path / "three")) as three,
        ):
            for layout in (one, two, three):
                await copied(layout, image, tag="v1")
    assert [len(read_layout(tmp_path / name)[1]) for name in ("one", "two", "three")] == [3, 6, 3]
    [warned] = events
    assert isinstance(warned, Warned)
    assert warned.message == "Failed to tidy a target"
    assert warned.fields["target"] == f"ocidir://{tmp_path / 'two'}"
    assert not (tmp_path / "two" / ".regsync" / "stage").exists()
