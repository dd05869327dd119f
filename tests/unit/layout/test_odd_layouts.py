"""Layouts that are not quite what image-layout.md says: what a reader gets along with, and a writer does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regsync.errors import Malformed, NotFound, StorageError
from regsync.layout.remarks import ODD, UNTAGGED
from tests.support.images import an_image, image_bytes, index_bytes, put_built, read_layout, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import everything, tags_of

BUILT = image_bytes(b"one", b"two")
BOM = b"\xef\xbb\xbf"

ODD_MARKERS = {
    "none": None,
    "of a later version": b'{"imageLayoutVersion":"1.1.0"}',
    "without a version": b"{}",
    "with another case": b'{"ImageLayoutVersion":"1.0.0"}',
    "empty": b"",
    "no JSON": b"1.0.0",
}


def marked(folder: Path, marker: bytes | None) -> None:
    """Write a layout with this for its file oci-layout."""
    write_layout(folder, {"v1": BUILT})
    (folder / "oci-layout").unlink()
    if marker is not None:
        (folder / "oci-layout").write_bytes(marker)


@pytest.mark.parametrize("kind", ODD_MARKERS)
async def test_a_source_with_an_odd_file_oci_layout_is_read_with_one_warning(
    opener: Opener, folder: Path, kind: str
) -> None:
    marked(folder, ODD_MARKERS[kind])
    told: list[Any] = []
    source = opener(tell=told.append).open(str(folder))
    for _ in range(2):
        assert await tags_of(source) == ["v1"]
        assert (await source.get_manifest("v1")).raw == BUILT.raw
        assert await source.head_manifest("v1") is not None
    assert [(each.message, each.fields["layout"]) for each in told] == [(ODD, f"ocidir://{folder}")]
    assert "oci-layout" in told[0].fields["why"]


async def test_so_is_one_whose_file_oci_layout_is_a_link_to_nothing(opener: Opener, folder: Path) -> None:
    marked(folder, None)
    (folder / "oci-layout").symlink_to("nowhere")
    assert await tags_of(opener().open(str(folder))) == ["v1"]


@pytest.mark.parametrize("kind", ODD_MARKERS)
async def test_nothing_is_written_into_one(opener: Opener, folder: Path, kind: str) -> None:
    marked(folder, ODD_MARKERS[kind])
    before = everything(folder)
    layouts = opener()
    await tags_of(layouts.open(str(folder)))  # who reads it before makes it no better
    async with layouts.writing(str(folder)) as layout:
        with pytest.raises(StorageError, match="oci-layout"):
            await an_image(layout, b"new", tag="v2")
    assert everything(folder) == before


async def test_a_layout_of_another_kind_is_not_read(opener: Opener, folder: Path) -> None:
    marked(folder, b'{"imageLayoutVersion":"2.0.0"}')
    with pytest.raises(StorageError, match=r"oci-layout names version '2\.0\.0', and only 1\.0\.0 is known"):
        await tags_of(opener().open(str(folder)))


async def test_a_byte_order_mark_of_an_editors_does_not_matter(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": BUILT})
    for name in ("index.json", "oci-layout"):
        (folder / name).write_bytes(BOM + (folder / name).read_bytes() + b"\r\n")
    layouts, new = opener(), image_bytes(b"new")
    assert await tags_of(layouts.open(str(folder))) == ["v1"]
    async with layouts.writing(str(folder)) as layout:
        await put_built(layout, new, tag="v2")
    assert set(json.loads((folder / "index.json").read_bytes())) == {"schemaVersion", "mediaType", "manifests"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"%s garbage", "Extra data behind its end"),
        (b"%s\0", "Extra data behind its end"),
        (b"%s%s", "Extra data behind its end"),
        (b"\xff\xfe%s", "not in UTF-8"),
        (b"", "it is empty"),
    ],
)
async def test_a_damaged_index_says_what_is_wrong_with_it(opener: Opener, folder: Path, raw: bytes, why: str) -> None:
    write_layout(folder, {"v1": BUILT})
    path = folder / "index.json"
    path.write_bytes(raw.replace(b"%s", path.read_bytes()))
    with pytest.raises(StorageError, match=why):
        await tags_of(opener().open(str(folder)))


@pytest.mark.parametrize("listed", [{}, {"mediaType": None}, {"mediaType": ""}])
async def test_what_an_entry_without_a_type_is_its_file_says(
    opener: Opener, folder: Path, listed: dict[str, Any]
) -> None:
    image, index = BUILT, index_bytes(BUILT)
    write_layout(folder, {"image": image, "index": index})
    document = json.loads((folder / "index.json").read_bytes())
    for entry in document["manifests"]:
        del entry["mediaType"]
        entry.update(listed)
    (folder / "index.json").write_text(json.dumps(document))
    source = opener().open(str(folder))
    for tag, built in (("image", image), ("index", index)):
        head, manifest = await source.head_manifest(tag), await source.get_manifest(tag)
        assert manifest.raw == built.raw
        assert head == manifest.descriptor


async def test_an_entry_without_a_type_whose_file_is_no_manifest_is_refused(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": BUILT})
    config = json.loads(BUILT.raw)["config"]
    node = {
        "digest": config["digest"],
        "size": config["size"],
        "annotations": {"org.opencontainers.image.ref.name": "c"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [node]}))
    with pytest.raises(Malformed, match="nothing says what kind of manifest this is"):
        await opener().open(str(folder)).get_manifest("c")


@pytest.mark.parametrize("gone", ["blobs", "blobs/sha256", f"blobs/sha256/{BUILT.digest.partition(':')[2]}"])
async def test_a_listed_manifest_whose_file_is_not_here_is_an_error_about_the_file(
    opener: Opener, folder: Path, gone: str
) -> None:
    write_layout(folder, {"v1": BUILT})
    (folder / gone).rename(folder.parent / "away")
    source = opener().open(str(folder))
    assert await source.head_manifest("v1") is None
    words = rf"index\.json lists v1 as {BUILT.digest}, and {folder}/blobs/.* is not there: .*--dest-shared-blob-dir"
    with pytest.raises(StorageError, match=words):
        await source.get_manifest("v1")
    with pytest.raises(NotFound, match="has no manifest v2"):
        await source.get_manifest("v2")


async def test_images_without_tags_are_told_of_with_the_name_they_have(opener: Opener, folder: Path) -> None:
    write_layout(folder, {}, untagged=[BUILT, index_bytes(image_bytes(b"x"))])
    told: list[Any] = []
    source = opener(tell=told.append).open(str(folder))
    assert [await tags_of(source) for _ in range(2)] == [[], []]
    (warned,) = told
    assert warned.message == UNTAGGED
    assert (warned.fields["images"], warned.fields["use"]) == ("2", f"ocidir://{folder}@DIGEST")
    assert BUILT.digest in warned.fields["digests"]


SAVED = [{"Config": "a.json", "RepoTags": ["x:v1"], "Layers": ["a/layer.tar"]}]


def unpacked(folder: Path, document: object = SAVED) -> None:
    """What lies in a folder into which somebody has unpacked an archive of docker's before 25."""
    (folder / "a").mkdir(parents=True)
    (folder / "a" / "layer.tar").write_bytes(b"ustar")
    (folder / "repositories").write_text('{"x":{"v1":"a"}}')
    (folder / "manifest.json").write_text(json.dumps(document))


async def test_what_docker_save_wrote_is_refused_with_the_command_that_makes_a_layout_of_it(
    opener: Opener, folder: Path
) -> None:
    unpacked(folder)
    source = opener().open(str(folder))
    words = rf"{folder} holds what docker save writes .*skopeo copy docker-archive:image\.tar oci:layout:TAG"
    with pytest.raises(StorageError, match=words):
        await tags_of(source)
    with pytest.raises(StorageError, match=words):
        await source.get_manifest("v1")


@pytest.mark.parametrize("document", [{"name": "a web application"}, [], [{"Layers": []}]])
async def test_any_other_manifest_json_makes_a_directory_no_archive(
    opener: Opener, folder: Path, document: object
) -> None:
    unpacked(folder, document)
    with pytest.raises(NotFound):
        await tags_of(opener().open(str(folder)))


async def test_a_layout_beside_what_docker_save_writes_is_a_layout(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": BUILT})
    unpacked(folder)
    assert await tags_of(opener().open(str(folder))) == ["v1"]
    assert read_layout(folder)[0] == {"v1": BUILT.digest}
