"""A document that readers could take for different things is no manifest (CVE-2021-41190)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regsync.errors import Malformed, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from tests.unit.oci.documents import artifact, descriptor, encode, image, index, without

HTML = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def read(document: object, **more: Any) -> Manifest:
    return Manifest.read(encode(document), **more)


ONE, TWO = descriptor("one"), descriptor("two")
CONFUSING: list[tuple[dict[str, Any], str]] = [
    # Two kinds in one body.
    (image(manifests=[]), "manifests has no place"),
    (image(manifests=None), "manifests has no place"),
    (image(manifests=index()["manifests"]), "manifests has no place"),
    (index(layers=[]), "layers has no place"),
    (index(layers=None), "layers has no place"),
    (index(config=descriptor("config")), "config has no place"),
    (index(config=None), "config has no place"),
    (index(layers=[ONE], config=TWO), "has no place"),
    (index(fsLayers=[]), "fsLayers has no place"),
    (image(fsLayers=[{"blobSum": ONE["digest"]}]), "fsLayers has no place"),
    (image(blobs=[ONE]), "blobs has no place"),
    (index(blobs=[ONE]), "blobs has no place"),
    (artifact(manifests=[]), "manifests has no place"),
    (artifact(layers=[ONE]), "layers has no place"),
    (artifact(config=ONE), "config has no place"),
    # A body of another kind than it says.
    (image(mediaType=mediatype.OCI_INDEX), "manifests is missing"),
    (image(mediaType=mediatype.DOCKER_LIST), "manifests is missing"),
    (index(mediaType=mediatype.OCI_MANIFEST), "config is missing"),
    (index(mediaType=mediatype.DOCKER_MANIFEST), "config is missing"),
    (image(mediaType=mediatype.OCI_ARTIFACT), "has no place"),
    (artifact(mediaType=mediatype.OCI_MANIFEST), "config is missing"),
    (image(mediaType=mediatype.OCI_CONFIG), "not the media type of a manifest"),
    (image(mediaType="application/vnd.oci.image.manifest.v2+json"), "not the media type of a manifest"),
    (image(mediaType=mediatype.OCI_MANIFEST.upper()), "not the media type of a manifest"),
    (image(mediaType=7), "mediaType must be text"),
    (image(mediaType=[mediatype.OCI_MANIFEST]), "mediaType must be text"),
    (image(mediaType=True), "mediaType must be text"),
    # A version that would make it something else to somebody.
    (image(schemaVersion=1), "schemaVersion must be"),
    (image(schemaVersion=3), "schemaVersion must be"),
    (image(schemaVersion="2"), "schemaVersion must be"),
    (image(schemaVersion=2.0), "schemaVersion must be"),
    (image(schemaVersion=True), "schemaVersion must be"),
    (image(schemaVersion=None), "schemaVersion must be"),
    # Parts of the wrong form.
    (image(config=[]), "config must be an object"),
    (image(config="x"), "config must be an object"),
    (image(config=None), "config is missing"),
    (image(layers={}), "layers must be a list"),
    (image(layers="x"), "layers must be a list"),
    (image(layers=[[]]), "layers[0] must be an object"),
    (image(layers=[ONE, None]), "layers[1] must be an object"),
    (index(manifests={"0": ONE}), "manifests must be a list"),
    (image(subject="x"), "subject must be an object"),
    (image(subject={}), "subject.digest must be text"),
    (image(artifactType=1), "artifactType must be text"),
    (image(annotations=[]), "annotations must be an object"),
    (image(annotations=""), "annotations must be an object"),
    (image(annotations=[]), "annotations must be an object"),
    (image(layers=[ONE, ONE | {"size": 4}]), "with two sizes"),
    (image(layers=[ONE, descriptor("config", size=7)]), "with two sizes"),
    (index(manifests=[ONE, ONE | {"size": 4}]), "with two sizes"),
    (without(image(), "config", "mediaType"), "looks like none"),
    ({}, "looks like none"),
    ({"schemaVersion": 2}, "looks like none"),
    ({"errors": [{"code": "DENIED", "message": "no"}]}, "looks like none"),
    (without(artifact(), "mediaType"), "looks like none"),
    (without(image(), "schemaVersion", "mediaType"), "looks like none"),
    (without(image(schemaVersion=3), "mediaType"), "looks like none"),
]


@pytest.mark.parametrize(("document", "why"), CONFUSING)
def test_a_body_that_readers_could_take_for_different_things_is_refused(document: dict[str, Any], why: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(document)
    assert why in str(caught.value)
    assert str(caught.value).startswith(f"manifest {Digest.of(encode(document))}: ")


@pytest.mark.parametrize("content_type", sorted(mediatype.MANIFESTS - mediatype.SCHEMA1))
@pytest.mark.parametrize("document", [document for document, _ in CONFUSING[:23]])
def test_no_content_type_makes_a_confusing_body_acceptable(document: dict[str, Any], content_type: str) -> None:
    with pytest.raises(Malformed):
        read(document, content_type=content_type)


def test_a_body_is_never_an_image_to_one_reader_and_an_index_to_another() -> None:
    for document in (image(), index(), artifact()):
        untyped = without(document, "mediaType")
        kinds = set()
        for content_type in sorted(mediatype.MANIFESTS - mediatype.SCHEMA1):
            try:
                kinds.add(read(untyped, content_type=content_type).is_index)
            except Malformed:
                continue
        assert len(kinds) <= 1


def test_a_body_served_as_what_it_is_not_is_refused() -> None:
    with pytest.raises(Malformed, match="but it was served as"):
        read(image(), content_type=mediatype.DOCKER_MANIFEST)


@pytest.mark.parametrize(
    "content_type", ["text/html", "text/html; charset=utf-8", "application/vnd.oci.image.config.v1+json"]
)
def test_what_is_served_as_something_else_than_a_manifest_is_none(content_type: str) -> None:
    with pytest.raises(Malformed, match="not the media type of a manifest"):
        read(without(image(), "mediaType"), content_type=content_type)


@pytest.mark.parametrize("content_type", ["text/html", "", mediatype.OCI_MANIFEST])
def test_a_sign_in_page_is_not_a_manifest(content_type: str) -> None:
    with pytest.raises(Malformed, match="not a usable JSON document"):
        Manifest.read(HTML, content_type=content_type)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2**64) | st.text(max_size=5) | st.just(ONE["digest"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*ONE, "urls", "data"]), inner, max_size=4)
    ),
    max_leaves=10,
)


@given(
    st.sampled_from([image(), index(), artifact(), {}]),
    st.dictionaries(
        st.sampled_from(["layers", "config", "manifests", "blobs", "subject", "annotations", "mediaType"]), JSON
    ),
    st.sampled_from(["", *sorted(mediatype.MANIFESTS)]),
)
def test_any_document_is_a_manifest_or_refused(base: dict[str, Any], more: dict[str, Any], content_type: str) -> None:
    try:
        manifest = read(base | more, content_type=content_type)
    except (Malformed, Unsupported):
        return
    assert manifest.media_type in mediatype.MANIFESTS
    assert all(
        item == Descriptor(item.media_type, Digest.parse(str(item.digest)), abs(item.size))
        for item in (*manifest.children, *manifest.blobs)
    )


@given(st.binary(max_size=100), st.text(max_size=30))
def test_any_bytes_of_any_type_are_refused_politely(raw: bytes, content_type: str) -> None:
    with pytest.raises((Malformed, Unsupported)):
        Manifest.read(raw, content_type=content_type)
