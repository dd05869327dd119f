"""Descriptors: checked field by field, equal when the content is, and written as they were read."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from regsync.errors import Malformed
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platform
from tests.unit.oci.documents import descriptor, encode, image, index, without

ONE, TWO = descriptor("one"), descriptor("two")


def read(document: object, **more: Any) -> Manifest:
    return Manifest.read(encode(document), **more)


def test_what_is_said_about_content_does_not_make_it_other_content() -> None:
    digest = Digest.of(b"x")
    plain = Descriptor("a/b", digest, 1)
    told = Descriptor("a/b", digest, 1, platform=Platform("linux", "amd64"), annotations={"a": "b"}, urls=("u",))
    assert plain == told
    assert hash(plain) == hash(told)
    assert plain != Descriptor("a/b", digest, 2)
    assert plain != Descriptor("a/c", digest, 1)


def test_a_descriptor_is_written_as_it_was_read() -> None:
    plain = descriptor()
    full = descriptor(
        platform={"architecture": "arm", "os": "linux", "variant": "v7"},
        urls=["https://example.com/x"],
        annotations={"a": "b"},
        artifactType="a/b",
    )
    for node in (plain, full):
        assert Descriptor.from_json(node, where="it").to_json() == node


WRONG: dict[str, list[object]] = {
    "mediaType": [1, [], True],
    "digest": [None, "", 1, [], "sha256:abc", "md5:" + "a" * 32, "sha256:../../" + "a" * 58],
    "size": [None, -1, 1.0, 1.5, "3", True, False, [], 2**63],
    "urls": ["http://x", [1], [None], {}, 0],
    "annotations": ["x", ["x"], 0, False],
    "artifactType": [1, {}, False],
    "platform": ["linux", [], 0],
    "data": [1, [], {}],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in WRONG.items() for value in values])
def test_a_descriptor_with_a_wrong_field_is_refused_by_its_path(key: str, value: Any) -> None:
    with pytest.raises(Malformed) as caught:
        read(image(layers=[ONE, TWO, descriptor("three", **{key: value})]))
    assert f": layers[2].{key}" in str(caught.value)


@pytest.mark.parametrize("kind", [None, ""])
def test_what_is_listed_may_lack_a_type_and_a_subject_may_not(kind: str | None) -> None:
    untyped = descriptor("three", mediaType=kind)
    manifest = read(image(config=untyped, layers=[ONE, untyped]))
    assert [each.media_type for each in (manifest.config, manifest.layers[1]) if each] == ["", ""]
    assert [each.media_type for each in read(index(manifests=[untyped])).children] == [""]
    with pytest.raises(Malformed, match=r"subject.mediaType must be text"):
        read(image(subject=untyped))


@pytest.mark.parametrize("value", [None, 5, 1.5, True, ["b"], {"b": "c"}])
def test_an_annotation_that_is_no_text_is_none_and_the_others_count(value: object) -> None:
    annotations = {"a": "b", "odd": value, "": ""}
    manifest = read(image(layers=[descriptor("three", annotations=annotations)], annotations=annotations))
    assert manifest.annotations == manifest.layers[0].annotations == {"a": "b", "": ""}


@pytest.mark.parametrize("key", ["digest", "size"])
def test_a_descriptor_without_a_needed_field_is_refused(key: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(index(manifests=[without(descriptor(), key)]))
    assert f": manifests[0].{key}" in str(caught.value)


def test_a_wrong_field_of_a_platform_is_named() -> None:
    with pytest.raises(Malformed) as caught:
        read(index(manifests=[descriptor(platform={"os": 1})]))
    assert ": manifests[0].platform.os must be text" in str(caught.value)


@pytest.mark.parametrize("size", [0, 2**63 - 1])
def test_any_size_that_can_be_is_taken(size: int) -> None:
    assert read(image(layers=[descriptor(size=size)])).layers[0].size == size


def test_foreign_urls_are_kept() -> None:
    assert read(image(layers=[descriptor(urls=["https://example.com/x"])])).layers[0].urls == ("https://example.com/x",)


@pytest.mark.parametrize("content", ["", "a", "ab", "abc", "{}"])
def test_inline_data_that_is_what_it_says_is_used(content: str) -> None:
    data = base64.b64encode(content.encode()).decode()
    assert read(image(layers=[descriptor(content, data=data)])).layers[0].data == content.encode()


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(b"other").decode(),
        base64.b64encode(b"laye").decode(),
        "%%%%%%%%",
        "bGF5\nZXI=",
        "\u00e9" * 8,
        "",
    ],
)
def test_inline_data_that_is_not_is_ignored(data: str) -> None:
    assert read(image(layers=[descriptor("layer", data=data)])).layers[0].data is None


@pytest.mark.parametrize("length", [1 << 16, (1 << 16) + 1])
def test_inline_data_of_more_than_64_kib_is_fetched_as_if_it_were_not_there(length: int) -> None:
    content = "a" * length
    data = base64.b64encode(content.encode()).decode()
    used = read(image(layers=[descriptor(content, data=data)])).layers[0].data
    assert used == (content.encode() if length == 1 << 16 else None)
