"""What a reference asks for, and which names of strangers are names at all."""

from __future__ import annotations

import pytest

from regsync.errors import Malformed
from regsync.oci.digest import Digest
from regsync.oci.reference import parse_reference, valid_repository, valid_tag

D = "sha256:" + "0123456789abcdef" * 4


def test_what_to_ask_for_is_the_digest_then_the_tag_then_latest() -> None:
    assert parse_reference(f"img:tag@{D}").ref == Digest.parse(D)
    assert parse_reference("img:tag").ref == "tag"
    assert parse_reference(f"ocidir://path:v1@{D}").ref == Digest.parse(D)
    assert parse_reference("ocidir://path:v1").ref == "v1"
    assert parse_reference("ocidir://path").ref == "latest"


@pytest.mark.parametrize("text", ["img@sha256+b64:" + "0" * 64, "img@sha256:" + "0" * 32, "img@sha256:" + "A" * 64])
def test_a_digest_that_only_looks_like_one_cannot_be_asked_for(text: str) -> None:
    with pytest.raises(Malformed, match="unsupported digest"):
        _ = parse_reference(text).ref


@pytest.mark.parametrize("text", [f"img:tag@{D}", f"ocidir://path:tag@{D}"])
def test_a_new_tag_clears_the_digest_and_a_new_digest_the_tag(text: str) -> None:
    reference = parse_reference(text)
    assert str(reference.with_tag("new")) == f"{reference.name}:new"
    assert str(reference.with_digest(Digest.parse(D))) == f"{reference.name}@{D}"


def test_the_name_has_neither_tag_nor_digest() -> None:
    assert parse_reference(f"img:tag@{D}").name == "docker.io/library/img"
    assert parse_reference("ocidir:///abs/dir:v1").name == "ocidir:///abs/dir"


@pytest.mark.parametrize("tag", ["a", "_", "v1.2.3", "A" * 128, "sha256-" + "0" * 64, "1--2..3"])
def test_a_tag_a_registry_may_list_is_taken(tag: str) -> None:
    assert valid_tag(tag)


@pytest.mark.parametrize(
    "tag", ["", ".", "..", "-a", "a/b", "a" * 129, "a\n", "a b", "a:b", "\uff0e\uff0e", "a\0", "%2e"]
)
def test_a_tag_that_could_lead_elsewhere_is_not_taken(tag: str) -> None:
    assert not valid_tag(tag)


@pytest.mark.parametrize("name", ["a", "a/b/c", "a.b_c__d-e--f/9", "a" * 255])
def test_a_repository_a_registry_may_list_is_taken(name: str) -> None:
    assert valid_repository(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../../etc",
        "a/../b",
        "a//b",
        "/a",
        "a/",
        "a" * 256,
        "CON",
        "a\0",
        "a\n",
        "\uff0e\uff0e/a",
        "a%2fb",
        "a:b",
    ],
)
def test_a_repository_that_could_lead_elsewhere_is_not_taken(name: str) -> None:
    assert not valid_repository(name)
