"""Manifests: their bytes are the truth, and who reads them does not matter."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regsync.errors import IntegrityError, Malformed
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import DESCRIPTORS_MAX, MANIFEST_MAX, Manifest
from regsync.oci.platform import Platform
from tests.unit.oci.documents import artifact, descriptor, encode, image, index, without


def read(document: object, **more: Any) -> Manifest:
    return Manifest.read(encode(document), **more)


def test_an_image_is_read_into_config_and_layers() -> None:
    raw = json.dumps(image(annotations={"a": "1"}, artifactType="x/y"), indent=3).encode() + b"\n"
    manifest = Manifest.read(raw, content_type=mediatype.OCI_MANIFEST)
    assert manifest.raw is raw
    assert manifest.media_type == mediatype.OCI_MANIFEST
    assert manifest.digest == Digest.of(raw)
    assert manifest.descriptor == Descriptor(mediatype.OCI_MANIFEST, Digest.of(raw), len(raw))
    assert not manifest.is_index
    assert manifest.children == ()
    assert manifest.config == Descriptor(mediatype.OCI_CONFIG, Digest.of(b"config"), 6)
    assert [layer.digest for layer in manifest.layers] == [Digest.of(b"one"), Digest.of(b"two")]
    assert manifest.blobs == (manifest.config, *manifest.layers)
    assert (manifest.artifact_type, manifest.annotations, manifest.subject) == ("x/y", {"a": "1"}, None)


def test_an_index_is_read_into_children_of_any_type() -> None:
    cache = descriptor("cache", "application/vnd.example.unknown", annotations={"k": "v"}, artifactType="t/t")
    manifest = read(index(manifests=[*index()["manifests"], cache]), content_type=mediatype.OCI_INDEX)
    assert manifest.is_index
    assert [child.platform for child in manifest.children] == [Platform("linux", "amd64"), None]
    assert manifest.children[1].media_type == "application/vnd.example.unknown"
    assert manifest.children[1].annotations == {"k": "v"}
    assert manifest.children[1].artifact_type == "t/t"
    assert (manifest.config, manifest.layers, manifest.blobs) == (None, (), ())


def test_an_artifact_is_read_into_its_blobs() -> None:
    subject = descriptor("image", mediatype.OCI_MANIFEST)
    manifest = read(artifact(subject=subject), content_type=mediatype.OCI_ARTIFACT)
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"sbom")]
    assert manifest.config is None
    assert manifest.artifact_type == "application/vnd.example.sbom"
    assert manifest.subject == Descriptor(mediatype.OCI_MANIFEST, Digest.of(b"image"), 5)


def test_equal_bytes_are_equal_manifests() -> None:
    assert read(image()) == read(image())
    assert hash(read(image())) == hash(read(image()))
    assert read(image()) != read(index())
    assert len(repr(read(image(annotations={"a": "x" * 10_000})))) < 400


def test_an_image_without_layers_is_an_image() -> None:
    for document in (image(layers=[]), image(layers=None), without(image(), "layers")):
        manifest = read(document, content_type=mediatype.OCI_MANIFEST)
        assert manifest.blobs == (manifest.config,)


def test_an_index_without_children_is_an_index() -> None:
    for document in (index(manifests=[]), index(manifests=None)):
        assert read(document, content_type=mediatype.OCI_INDEX).children == ()


def test_null_is_as_good_as_absent_where_a_field_is_optional() -> None:
    layer = descriptor(platform=None, urls=None, annotations=None, artifactType=None, data=None)
    manifest = read(image(layers=[layer], subject=None, annotations=None, artifactType=None))
    assert manifest.layers[0].annotations == {}
    assert (manifest.layers[0].urls, manifest.layers[0].platform, manifest.layers[0].data) == ((), None, None)
    assert (manifest.subject, manifest.annotations, manifest.artifact_type) == (None, {}, "")


def test_a_blob_listed_often_is_one_blob() -> None:
    manifest = read(image(layers=[descriptor("one"), descriptor("config"), descriptor("one")]))
    assert len(manifest.layers) == 3
    assert [blob.digest for blob in manifest.blobs] == [Digest.of(b"config"), Digest.of(b"one")]


def test_a_child_listed_for_two_platforms_stays_listed_twice() -> None:
    child = index()["manifests"][0]
    manifest = read(index(manifests=[child, child | {"platform": {"os": "linux", "architecture": "arm64"}}]))
    assert len(manifest.children) == 2


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_bytes_are_proved_with_the_algorithm_they_were_asked_by(algorithm: str) -> None:
    raw = encode(image())
    expected = Digest.of(raw, algorithm)
    assert Manifest.read(raw, expected=expected).digest == expected


def test_other_bytes_than_those_asked_for_are_named_with_both_digests() -> None:
    raw = encode(image())
    flipped = bytes([raw[0] ^ 1]) + raw[1:]
    with pytest.raises(IntegrityError) as caught:
        Manifest.read(flipped, expected=Digest.of(raw))
    assert str(Digest.of(raw)) in str(caught.value)
    assert str(Digest.of(flipped)) in str(caught.value)


@pytest.mark.parametrize(
    "content_type", ["", "application/json", "text/plain; charset=utf-8", "application/octet-stream"]
)
@pytest.mark.parametrize(
    ("document", "media_type"),
    [
        (image(), mediatype.OCI_MANIFEST),
        (index(), mediatype.OCI_INDEX),
        (artifact(), mediatype.OCI_ARTIFACT),
        (image(mediaType=mediatype.DOCKER_MANIFEST), mediatype.DOCKER_MANIFEST),
        (index(mediaType=mediatype.DOCKER_LIST), mediatype.DOCKER_LIST),
        (without(image(), "mediaType"), mediatype.OCI_MANIFEST),
        (without(index(), "mediaType"), mediatype.OCI_INDEX),
        (without(index(manifests=[]), "mediaType"), mediatype.OCI_INDEX),
        (
            without(index(manifests=[descriptor("i", mediatype.DOCKER_MANIFEST)]), "mediaType"),
            mediatype.DOCKER_LIST,
        ),
        (
            without(image(layers=[descriptor("l", "application/vnd.docker.image.rootfs.diff.tar.gzip")]), "mediaType"),
            mediatype.DOCKER_MANIFEST,
        ),
        (
            without(image(layers=[], config=descriptor("c", mediatype.DOCKER_CONFIG)), "mediaType"),
            mediatype.DOCKER_MANIFEST,
        ),
    ],
)
def test_where_nobody_names_the_media_type_the_body_does(
    document: dict[str, Any], media_type: str, content_type: str
) -> None:
    assert read(document, content_type=content_type).media_type == media_type


def test_parameters_and_case_of_a_content_type_do_not_matter() -> None:
    assert read(image(), content_type="Application/VND.oci.image.manifest.v1+JSON ; charset=utf-8") == read(image())


def test_a_body_without_a_media_type_takes_the_one_it_is_served_as() -> None:
    document = without(image(), "mediaType")
    assert read(document, content_type=mediatype.DOCKER_MANIFEST).media_type == mediatype.DOCKER_MANIFEST


def test_caps_are_reached_and_not_passed() -> None:
    many = [descriptor(str(place)) for place in range(DESCRIPTORS_MAX + 1)]
    assert len(read(index(manifests=many[:-1])).children) == DESCRIPTORS_MAX
    with pytest.raises(Malformed, match="more than 10000"):
        read(index(manifests=many))
    with pytest.raises(Malformed, match="more than 10000"):
        read(image(layers=many))


def test_a_manifest_may_have_eight_mebibytes_and_no_more() -> None:
    raw = encode(image())
    assert len(Manifest.read(raw + b" " * (MANIFEST_MAX - len(raw))).raw) == MANIFEST_MAX
    with pytest.raises(Malformed, match="longer than"):
        Manifest.read(raw + b" " * (MANIFEST_MAX - len(raw) + 1))
