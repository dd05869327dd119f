"""Layouts written by skopeo, umoci and buildah are read, and skopeo and umoci read what we wrote."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from regsync.clock import SystemClock
from regsync.errors import StorageError
from regsync.layout.layouts import Layouts
from regsync.oci.descriptor import Descriptor
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from tests.support.images import (
    Built,
    Verified,
    an_artifact,
    an_index,
    assert_whole,
    image_bytes,
    index_bytes,
    put_blob,
    put_built,
    read_layout,
)
from tests.support.real import run
from tests.support.registries import Crane


@pytest.fixture
def layouts() -> Iterator[Layouts]:
    opened = Layouts(SystemClock())
    yield opened
    opened.close()


def an_image_others_understand(text: str = "hello") -> Built:
    """Build an image whose layer is a real tar archive: others unpack what they are given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        entry = tarfile.TarInfo("greeting")
        entry.size = len(text)
        archive.addfile(entry, io.BytesIO(text.encode()))
    return image_bytes(buffer.getvalue())


async def copy_image(source: Repository, target: Repository, ref: str) -> Manifest:
    """Copy one image, whole or an index of images, with nothing but the two repositories."""

    async def copy_parts(manifest: Manifest) -> None:
        for child in manifest.children:
            inner = await source.get_manifest(child.digest)
            await copy_parts(inner)
            await target.put_manifest(inner)
        for blob in manifest.blobs:
            await copy_blob(blob)

    async def copy_blob(blob: Descriptor) -> None:
        if not await target.has_blob(blob):
            async with source.open_blob(blob) as chunks:
                await put_blob(target, Verified(blob, chunks))

    manifest = await source.get_manifest(ref)
    assert await source.head_manifest(ref) == manifest.descriptor
    await copy_parts(manifest)
    await target.put_manifest(manifest, at=ref)
    return manifest


async def assert_copied(layouts: Layouts, folder: Path, target: Path, *tags: str) -> None:
    """Fail unless these are the tags, and a copy of each is whole and byte-equal."""
    source = layouts.open(str(folder))
    assert [tag async for tag in source.tags()] == sorted(tags)
    async with layouts.writing(str(target)) as layout:
        copied = {tag: str((await copy_image(source, layout, tag)).digest) for tag in tags}
    there, contents = read_layout(target)
    assert there == copied
    for digest in copied.values():
        assert_whole(digest, contents)


async def test_what_we_wrote_is_read_by_skopeo(layouts: Layouts, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    plain, nested = an_image_others_understand(), index_bytes(an_image_others_understand("inner"))
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, plain, tag="plain")
        await put_built(layout, nested, tag="nested")
        await an_index(layout, "linux/amd64", "linux/arm64", tag="multi")
        await an_artifact(layout, b"sbom", subject=plain)
        multi = await layout.get_manifest("multi")
    for tag, raw in (("plain", plain.raw), ("nested", nested.raw), ("multi", multi.raw)):
        assert run("skopeo", "inspect", "--raw", f"oci:{folder}:{tag}") == raw
    run("skopeo", "copy", "--all", f"oci:{folder}:nested", f"dir:{tmp_path / 'out'}")
    assert (tmp_path / "out" / "manifest.json").read_bytes() == nested.raw


async def test_what_we_wrote_is_read_by_umoci(layouts: Layouts, tmp_path: Path) -> None:
    folder = tmp_path / "layout"
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, an_image_others_understand(), tag="v1")
        await put_built(layout, an_image_others_understand("two"), tag="v2")
    assert run("umoci", "ls", "--layout", str(folder)).split() == [b"v1", b"v2"]
    assert b"LAYER" in run("umoci", "stat", "--image", f"{folder}:v1")
    run("umoci", "gc", "--layout", str(folder))
    assert sorted(read_layout(folder)[0]) == ["v1", "v2"]


async def test_a_layout_by_skopeo_is_read(layouts: Layouts, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    async with layouts.writing(str(ours)) as layout:
        await put_built(layout, an_image_others_understand(), tag="v1")
        await put_built(
            layout, index_bytes(an_image_others_understand("amd"), an_image_others_understand("arm")), tag="multi"
        )
    for tag in ("v1", "multi"):
        run("skopeo", "copy", "--all", f"oci:{ours}:{tag}", f"oci:{theirs}:{tag}")
    await assert_copied(layouts, theirs, tmp_path / "copy", "v1", "multi")
    assert read_layout(tmp_path / "copy")[0] == read_layout(ours)[0]


async def test_a_layout_by_umoci_is_read_and_added_to(layouts: Layouts, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    run("umoci", "init", "--layout", str(theirs))
    assert [tag async for tag in layouts.open(str(theirs)).tags()] == []
    run("umoci", "new", "--image", f"{theirs}:v1")
    run("umoci", "tag", "--image", f"{theirs}:v1", "v2")
    await assert_copied(layouts, theirs, tmp_path / "copy", "v1", "v2")
    async with layouts.writing(str(theirs)) as layout:
        await put_built(layout, an_image_others_understand(), tag="ours")
    assert run("umoci", "ls", "--layout", str(theirs)).split() == [b"v1", b"v2", b"ours"]


async def test_a_layout_by_buildah_is_read(layouts: Layouts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)  # it wants the file it names to be there
    theirs = tmp_path / "theirs"
    store = ["--root", str(tmp_path / "store"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]
    made = run("buildah", *store, "from", "scratch").decode().strip()
    try:
        run("buildah", *store, "config", "--label", "made-by=test", made)
        run("buildah", *store, "commit", made, f"oci:{theirs}:v1")
    finally:
        run("buildah", *store, "rm", made)
    await assert_copied(layouts, theirs, tmp_path / "copy", "v1")


async def test_what_others_add_to_our_layout_is_seen_and_kept(layouts: Layouts, tmp_path: Path) -> None:
    folder, other = tmp_path / "layout", tmp_path / "other"
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, an_image_others_understand(), tag="v1")
    async with layouts.writing(str(other)) as layout:
        await put_built(layout, an_image_others_understand("theirs"), tag="v2")
    run("skopeo", "copy", f"oci:{other}:v2", f"oci:{folder}:v2")
    async with layouts.writing(str(folder)) as layout:
        assert [tag async for tag in layout.tags()] == ["v1", "v2"]
        await put_built(layout, an_image_others_understand("three"), tag="v3")
    index = json.loads((folder / "index.json").read_bytes())
    assert len(index["manifests"]) == 3
    tags, contents = read_layout(folder)
    assert sorted(tags) == ["v1", "v2", "v3"]
    for digest in tags.values():
        assert_whole(digest, contents)


async def test_a_layout_by_regctl_is_read_and_added_to(
    layouts: Layouts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))  # where it keeps its settings
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    plain, index = an_image_others_understand(), index_bytes(an_image_others_understand("amd"))
    async with layouts.writing(str(ours)) as layout:
        await put_built(layout, plain, tag="v1")
        await put_built(layout, index, tag="multi")
    for tag in ("v1", "multi"):
        run("regctl", "image", "copy", f"ocidir://{ours}:{tag}", f"ocidir://{theirs}:{tag}")
    await assert_copied(layouts, theirs, tmp_path / "copy", "v1", "multi")
    new = an_image_others_understand("new")
    async with layouts.writing(str(theirs)) as layout:
        await put_built(layout, new, tag="v2")
    assert run("regctl", "manifest", "get", "--format", "raw-body", f"ocidir://{theirs}:v2") == new.raw
    assert run("regctl", "tag", "ls", f"ocidir://{theirs}").split() == [b"multi", b"v1", b"v2"]


async def test_a_layout_by_crane_is_read_and_added_to(layouts: Layouts, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    plain, new = an_image_others_understand(), an_image_others_understand("new")
    async with layouts.writing(str(ours)) as layout:
        await put_built(layout, plain, tag="v1")
    with Crane(tmp_path / "crane") as registry:
        run("crane", "push", "--insecure", str(ours), f"{registry.host}/x:v1")
        run("crane", "pull", "--insecure", "--annotate-ref", "--format=oci", f"{registry.host}/x:v1", str(theirs))
        await assert_copied(layouts, theirs, tmp_path / "copy", "v1")
        async with layouts.writing(str(theirs)) as layout:
            await put_built(layout, new, tag="v2")
        run("crane", "push", "--insecure", "--index", str(theirs), f"{registry.host}/x:both")
        assert new.digest.encode() in run("crane", "manifest", "--insecure", f"{registry.host}/x:both")


async def test_a_layout_by_skopeo_whose_blobs_are_shared_is_read_once_it_links_to_them(
    layouts: Layouts, tmp_path: Path
) -> None:
    ours, theirs, shared = tmp_path / "ours", tmp_path / "theirs", tmp_path / "shared"
    async with layouts.writing(str(ours)) as layout:
        await put_built(layout, an_image_others_understand(), tag="v1")
    run("skopeo", "copy", f"oci:{ours}:v1", f"oci:{theirs}:v1", "--dest-shared-blob-dir", str(shared))
    with pytest.raises(StorageError, match=r"--dest-shared-blob-dir\), make blobs/sha256 a link to the sha256 in that"):
        await layouts.open(str(theirs)).get_manifest("v1")
    (theirs / "blobs" / "sha256").symlink_to(shared / "sha256")
    await assert_copied(layouts, theirs, tmp_path / "copy", "v1")
