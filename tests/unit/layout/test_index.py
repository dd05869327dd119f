from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from regsync.errors import Malformed
from regsync.layout.index import Index
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.mediatype import OCI_INDEX, OCI_MANIFEST

NAME = "org.opencontainers.image.ref.name"
CREATED = "org.opencontainers.image.created"
NOON = datetime(2026, 7, 1, 12, 0, 0, 999_999, tzinfo=UTC)
LATER = datetime(2026, 7, 2, tzinfo=UTC)


def a_manifest(seed: str) -> Descriptor:
    return Descriptor(OCI_MANIFEST, Digest.of(seed.encode()), len(seed))


def an_entry(seed: str, name: str | None = None, **more: Any) -> dict[str, Any]:
    manifest = a_manifest(seed)
    entry: dict[str, Any] = {"mediaType": OCI_MANIFEST, "digest": str(manifest.digest), "size": manifest.size, **more}
    return entry if name is None else {**entry, "annotations": {NAME: name}}


def an_index(*entries: dict[str, Any], **more: Any) -> Index:
    return Index.read(json.dumps({"schemaVersion": 2, "manifests": list(entries), **more}).encode())


def test_a_new_index_is_compact_and_ends_without_a_newline() -> None:
    assert Index.empty().render() == (f'{{"schemaVersion":2,"mediaType":"{OCI_INDEX}","manifests":[]}}').encode()


def test_an_entry_holds_descriptor_name_and_whole_seconds_in_utc() -> None:
    index = Index.empty().with_entry(a_manifest("a"), at="v1", created=NOON)
    assert json.loads(index.render())["manifests"] == [
        {**an_entry("a"), "annotations": {NAME: "v1", CREATED: "2026-07-01T12:00:00Z"}}
    ]


def test_a_tag_is_found_by_its_exact_name_before_a_name_that_ends_with_it() -> None:
    index = an_index(an_entry("whole", "docker.io/library/a:v1"), an_entry("exact", "v1"), an_entry("b", "x/y:v2"))
    found = [index.find(tag) for tag in ("v1", "v2", "1")]
    assert [entry and entry.descriptor for entry in found] == [a_manifest("exact"), a_manifest("b"), None]


def test_the_first_of_two_entries_of_one_name_counts() -> None:
    entry = an_index(an_entry("first", "v1"), an_entry("second", "v1")).find("v1")
    assert entry is not None
    assert entry.descriptor == a_manifest("first")


def test_a_digest_is_found_whatever_its_name() -> None:
    entry = an_index(an_entry("a"), an_entry("b", "v1")).find(a_manifest("b").digest)
    assert entry is not None
    assert entry.name == "v1"


def test_tags_are_cut_after_the_last_colon_once_each_and_sorted() -> None:
    index = an_index(
        an_entry("a", "v2"), an_entry("b", "reg:5000/x:v1"), an_entry("c", "v1"), an_entry("d"), an_entry("e", "no/tag")
    )
    assert index.tags() == ["v1", "v2"]


def test_the_same_manifest_under_the_same_tag_changes_nothing() -> None:
    index = Index.empty().with_entry(a_manifest("a"), at="v1", created=NOON)
    assert index.with_entry(a_manifest("a"), at="v1", created=LATER) is index


def test_another_manifest_takes_the_place_of_the_first_and_duplicates_go() -> None:
    index = an_index(an_entry("a", "v1"), an_entry("b", "v2"), an_entry("c", "v1"))
    changed = index.with_entry(a_manifest("new"), at="v1", created=NOON)
    assert [(entry.name, entry.descriptor) for entry in changed.entries] == [
        ("v1", a_manifest("new")),
        ("v2", a_manifest("b")),
    ]


def test_duplicates_go_even_when_the_first_is_right_which_stays_as_it_was() -> None:
    index = an_index(an_entry("a", "v1", platform={"os": "linux"}), an_entry("c", "v1"))
    changed = index.with_entry(a_manifest("a"), at="v1", created=NOON)
    assert [json.loads(entry.text) for entry in changed.entries] == [an_entry("a", "v1", platform={"os": "linux"})]


def test_an_entry_that_lies_about_the_size_is_replaced() -> None:
    index = an_index(an_entry("a", "v1", size=99))
    changed = index.with_entry(a_manifest("a"), at="v1", created=NOON)
    assert [entry.descriptor.size for entry in changed.entries] == [1]


def test_a_whole_image_name_is_not_replaced_but_joined_by_the_tag() -> None:
    index = an_index(an_entry("a", "docker.io/library/a:v1"))
    changed = index.with_entry(a_manifest("new"), at="v1", created=NOON)
    assert [entry.name for entry in changed.entries] == ["docker.io/library/a:v1", "v1"]


def test_a_digest_has_one_untagged_entry() -> None:
    manifest = a_manifest("a")
    once = an_index(an_entry("a", "v1")).with_entry(manifest, at=manifest.digest, created=NOON)
    assert [entry.name for entry in once.entries] == ["v1", ""]
    assert once.with_entry(manifest, at=manifest.digest, created=LATER) is once


def test_keys_nobody_told_us_about_are_kept_in_their_order() -> None:
    raw = (
        b'{"x-first":1.5,"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"sha256:'
        + b"a" * 64
        + b'","size":1,"x-mine":["\\u00e9",null]}],"annotations":{"k":"v"}}'
    )
    changed = Index.read(raw).with_entry(a_manifest("a"), at="v1", created=NOON)
    assert changed.render().startswith(raw[: raw.index(b"}]")])
    assert changed.render().endswith(b',"annotations":{"k":"v"}}')


def test_an_empty_list_written_by_a_go_program_is_read() -> None:
    assert Index.read(b'{"schemaVersion":2,"manifests":null}').entries == ()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\0" * 100,
        b"{}",
        b'{"schemaVersion":2}',
        b'{"schemaVersion":1,"manifests":[]}',
        b'{"schemaVersion":2,"manifests":{}}',
        b'{"schemaVersion":2,"manifests":[1]}',
        b'{"schemaVersion":2,"manifests":[{}]}',
        b'{"schemaVersion":2,"manifests":[],"manifests":[]}',
        b'{"schemaVersion":2,"mediaType":"text/html","manifests":[]}',
        b'{"schemaVersion":2,"manifests":[{"mediaType":"a/b","digest":"../../etc/passwd","size":1}]}',
        json.dumps({"schemaVersion": 2, "manifests": [an_entry("a", size=-1)]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [an_entry("a", size=True)]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [an_entry("a", mediaType=1)]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [an_entry("a", annotations={NAME: 1})]}).encode(),
        json.dumps({"schemaVersion": 2, "manifests": [an_entry("a", annotations=[1])]}).encode(),
    ],
)
def test_an_index_that_could_be_misread_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Index.read(raw)
