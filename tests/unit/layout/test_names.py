"""Whose tag an entry has: names as skopeo, containerd, buildkit and others write them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from regsync.errors import Malformed, StorageError
from regsync.layout.index import CONTAINERD_NAME, NAME, Index, tag_in
from regsync.layout.remarks import DISPUTED
from regsync.oci.mediatype import DOCKER_LIST, DOCKER_MANIFEST, OCI_MANIFEST
from tests.support.images import described, image_bytes, put_built, write_layout
from tests.unit.layout.conftest import Opener
from tests.unit.layout.looking import tags_of

HEX = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("v1", "v1"),
        ("latest", "latest"),
        (f"sha256-{HEX}", f"sha256-{HEX}"),
        ("docker.io/library/app:1.0", "1.0"),
        ("localhost:5000/app:1.0", "1.0"),
        ("app:1.0", "1.0"),
        (f"docker.io/library/app:1.0@sha256:{HEX}", "1.0"),
        (f"docker.io/library/app@sha256:{HEX}", ""),
        (f"app@sha256:{HEX}", ""),
        (f"app@sha512:{HEX}{HEX}", ""),
        ("app@", ""),
        (f"sha256:{HEX}", ""),
        (f"sha512:{HEX}{HEX}", ""),
        ("sha256:v1", "v1"),
        ("localhost:5000/app", ""),
        ("docker.io/library/app", ""),
        ("app:", ""),
        (":v1", ""),
        ("app:../v1", ""),
        ("app:v 1", ""),
        ("", ""),
    ],
)
def test_a_name_is_a_tag_or_ends_in_one_or_has_none(name: str, tag: str) -> None:
    assert tag_in(name) == tag


def an_entry(seed: bytes, **annotations: str) -> dict[str, Any]:
    content = described(seed)
    node = {"mediaType": OCI_MANIFEST, "digest": str(content.digest), "size": content.size}
    return {
        **node,
        "annotations": {{"ours": NAME, "containerd": CONTAINERD_NAME}[key]: annotations[key] for key in annotations},
    }


def an_index(*entries: dict[str, Any], **more: object) -> Index:
    return Index.read(json.dumps({"schemaVersion": 2, "manifests": entries, **more}).encode())


def test_containerds_name_counts_where_ours_is_no_tag() -> None:
    index = an_index(
        an_entry(b"a", containerd="docker.io/library/app:a"),
        an_entry(b"b", ours=f"docker.io/library/app@sha256:{HEX}", containerd="docker.io/library/app:b"),
        an_entry(b"c", ours="c", containerd="docker.io/library/app:other"),
        an_entry(b"d", ours="localhost:5000/app", containerd=f"docker.io/library/app@sha256:{HEX}"),
    )
    assert index.tags() == ["a", "b", "c"]
    found = [index.find(tag) for tag in ("a", "b", "c", "other", HEX, "5000/app")]
    assert [entry and entry.descriptor.digest for entry in found] == [
        *(described(seed).digest for seed in (b"a", b"b", b"c")),
        None,
        None,
        None,
    ]


def test_a_containerd_name_that_is_no_text_is_none() -> None:
    entry = an_entry(b"a")
    entry["annotations"] = {CONTAINERD_NAME: ["x:v1"]}
    assert an_index(entry).tags() == []


def test_what_is_written_stands_before_a_whole_name_of_the_same_tag() -> None:
    index = an_index(an_entry(b"old", containerd="docker.io/library/app:v1"))
    assert index.is_disputed("v1") is False
    index = an_index(an_entry(b"old", containerd="docker.io/library/app:v1"), an_entry(b"new", ours="v1"))
    assert index.is_disputed("v1")
    entry = index.find("v1")
    assert entry is not None
    assert entry.descriptor == described(b"new", OCI_MANIFEST)


def test_two_entries_of_one_tag_for_one_manifest_are_no_dispute() -> None:
    index = an_index(
        an_entry(b"a", ours="v1"), an_entry(b"a", ours="docker.io/library/app:v1"), an_entry(b"b", ours="b")
    )
    assert [index.is_disputed(tag) for tag in ("v1", "b", "none")] == [False, False, False]


def rewrite(folder: Path, change: Any) -> None:
    """Change the index.json as another tool would have written it."""
    path = folder / "index.json"
    document = json.loads(path.read_bytes())
    change(document)
    path.write_text(json.dumps(document))


async def test_of_two_entries_of_one_tag_the_first_is_taken_with_one_warning(opener: Opener, folder: Path) -> None:
    first, second = image_bytes(b"one"), image_bytes(b"two")
    write_layout(folder, {"v1": first, "v2": second})
    rewrite(folder, lambda document: document["manifests"][1]["annotations"].update({NAME: "v1"}))
    told: list[Any] = []
    source = opener(tell=told.append).open(str(folder))
    for _ in range(2):
        found = await source.head_manifest("v1")
        assert found is not None
        assert str(found.digest) == first.digest
    assert [(each.message, each.fields["tag"], each.fields["taken"]) for each in told] == [
        (DISPUTED, "v1", first.digest)
    ]
    assert await tags_of(source) == ["v1"]


async def test_a_target_whose_tag_has_two_entries_is_not_warned_of(opener: Opener, folder: Path) -> None:
    write_layout(folder, {"v1": image_bytes(b"one"), "v2": image_bytes(b"two")})
    rewrite(folder, lambda document: document["manifests"][1]["annotations"].update({NAME: "x/y:v1"}))
    told: list[Any] = []
    async with opener(tell=told.append).writing(str(folder)) as layout:
        assert await layout.head_manifest("v1") is not None
        await put_built(layout, image_bytes(b"three"), tag="v3")
    assert told == []


@pytest.mark.parametrize("media_type", [DOCKER_LIST, None, ""])
def test_an_index_of_dockers_list_type_or_of_none_is_read(media_type: object) -> None:
    assert an_index(an_entry(b"a", ours="v1"), mediaType=media_type).tags() == ["v1"]


@pytest.mark.parametrize("media_type", [OCI_MANIFEST, "text/html", ["x"], 1, {}, False])
def test_an_index_of_any_other_type_is_refused_in_words_about_a_file(media_type: object) -> None:
    with pytest.raises(Malformed, match=r"index\.json has the mediaType") as caught:
        an_index(an_entry(b"a", ours="v1"), mediaType=media_type)
    assert "served" not in str(caught.value)


@pytest.mark.parametrize(
    "raw", [b"{}", b'{"manifests": []}', b'{"schemaVersion": 2}', b'{"schemaVersion": "2", "manifests": []}']
)
def test_an_empty_object_is_no_index_and_the_words_say_what_is_missing(raw: bytes) -> None:
    with pytest.raises(Malformed, match=r"index\.json is no OCI image index: it needs schemaVersion 2 and a list"):
        Index.read(raw)


@pytest.mark.parametrize("listed", [DOCKER_MANIFEST, DOCKER_LIST, "application/x-mine"])
async def test_a_manifest_listed_as_another_type_than_its_file_says_is_refused_in_words_about_files(
    opener: Opener, folder: Path, listed: str
) -> None:
    built = image_bytes(b"one")
    write_layout(folder, {"v1": built})
    rewrite(folder, lambda document: document["manifests"][0].update(mediaType=listed))
    with pytest.raises(
        Malformed, match=rf"index\.json lists {built.digest} as '{re.escape(listed)}'.*file says.*correct"
    ) as caught:
        await opener().open(str(folder)).get_manifest("v1")
    assert "served" not in str(caught.value)


@pytest.fixture
def archive(folder: Path) -> Path:
    """What `docker save` writes, in place of a layout."""
    folder.write_bytes(b"ustar")
    return folder


async def test_an_archive_is_refused_with_the_command_that_unpacks_it(opener: Opener, archive: Path) -> None:
    words = rf"{archive} is a file .*mkdir layout && tar -xf {archive} -C layout.*ocidir://layout"
    source = opener().open(str(archive))
    with pytest.raises(StorageError, match=words):
        await source.head_manifest("v1")
    with pytest.raises(StorageError, match=words):
        await tags_of(source)
    async with opener().writing(str(archive)) as target:
        with pytest.raises(StorageError, match=words):
            await target.head_manifest("v1")
