"""Media types: which name manifests, which blobs, and which nobody knows."""

from __future__ import annotations

import pytest

from regsync.oci import mediatype


@pytest.mark.parametrize(
    ("content_type", "base"),
    [("", ""), ("a/b", "a/b"), ("A/B+JSON; charset=utf-8", "a/b+json"), (" a/b ;q=1;x", "a/b"), (";x", "")],
)
def test_parameters_and_case_of_a_content_type_are_ignored(content_type: str, base: str) -> None:
    assert mediatype.base(content_type) == base


@pytest.mark.parametrize(
    ("content_type", "base"),
    [
        (f"{mediatype.OCI_INDEX}, {mediatype.OCI_INDEX}", mediatype.OCI_INDEX),
        (f"application/json; charset=utf-8, {mediatype.DOCKER_LIST};q=1", mediatype.DOCKER_LIST),
        (f"{mediatype.OCI_MANIFEST}, {mediatype.OCI_INDEX}", mediatype.OCI_MANIFEST),
        ("text/html, a/b", "text/html"),
        (",", ""),
    ],
)
def test_of_several_content_types_the_first_that_names_a_manifest_counts(content_type: str, base: str) -> None:
    assert mediatype.base(content_type) == base


@pytest.mark.parametrize("media_type", sorted(mediatype.MANIFESTS))
def test_what_is_a_manifest_is_no_blob(media_type: str) -> None:
    assert mediatype.is_manifest(media_type)
    assert not mediatype.is_blob(media_type)


@pytest.mark.parametrize(
    "media_type",
    [
        *[mediatype.OCI_CONFIG, mediatype.OCI_LAYER, mediatype.OCI_EMPTY, mediatype.BUILDKIT_CACHE],
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ],
)
def test_what_is_a_blob_is_no_manifest(media_type: str) -> None:
    assert mediatype.is_blob(media_type)
    assert not mediatype.is_manifest(media_type)


@pytest.mark.parametrize("media_type", ["", "application/json", "application/vnd.example.thing"])
def test_what_nobody_knows_is_neither(media_type: str) -> None:
    assert not mediatype.is_manifest(media_type)
    assert not mediatype.is_blob(media_type)
