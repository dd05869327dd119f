"""The fallback list of referrers: what it is called, and how it grows."""

from __future__ import annotations

import json

import pytest

from regsync.errors import Malformed
from regsync.oci import mediatype
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import fallback_tag, is_fallback_tag, with_referrers
from tests.unit.oci.documents import artifact, descriptor, encode, image, index

SUBJECT = descriptor("image", mediatype.OCI_MANIFEST)


def signature(**more: object) -> Manifest:
    return Manifest.read(encode(image(subject=SUBJECT, **more)))


def grown(index: Manifest | None, referrer: Manifest) -> Manifest:
    made = with_referrers(index, [referrer])
    assert made is not None
    return made


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_the_tag_is_made_of_the_digest_cut_to_what_a_tag_can_hold(algorithm: str) -> None:
    digest = Digest.of(b"image", algorithm)
    assert fallback_tag(digest) == f"{algorithm}-{digest.hex[:64]}"
    assert is_fallback_tag(fallback_tag(digest))


@pytest.mark.parametrize(
    "tag",
    [
        *["", "latest", "sha256-abc", "sha256:" + "a" * 64, "sha256-" + "A" * 64, "sha256-" + "a" * 65],
        *["sha256-" + "a" * 64 + ".sig", "md5-" + "a" * 64, "sha256-" + "a" * 64 + "\n"],
    ],
)
def test_other_tags_are_not_taken_for_it(tag: str) -> None:
    assert not is_fallback_tag(tag)


def test_the_first_referrer_makes_the_list() -> None:
    referrer = signature(artifactType="application/vnd.example.signature", annotations={"by": "me \u00e9"})
    made = grown(None, referrer)
    assert made.media_type == mediatype.OCI_INDEX
    assert json.loads(made.raw) == {
        "schemaVersion": 2,
        "mediaType": mediatype.OCI_INDEX,
        "manifests": [
            {
                "mediaType": mediatype.OCI_MANIFEST,
                "digest": str(referrer.digest),
                "size": len(referrer.raw),
                "artifactType": "application/vnd.example.signature",
                "annotations": {"by": "me \u00e9"},
            }
        ],
    }
    assert b": " not in made.raw
    assert b"\n" not in made.raw


def test_without_an_artifact_type_the_config_says_what_a_referrer_is() -> None:
    referrer = signature(config=descriptor("config", "application/vnd.example.config"))
    assert grown(None, referrer).children[0].artifact_type == "application/vnd.example.config"
    assert grown(None, Manifest.read(encode(artifact()))).children[0].artifact_type == "application/vnd.example.sbom"
    assert grown(None, Manifest.read(encode(index()))).children[0].artifact_type == ""


def test_a_listed_referrer_is_not_listed_again() -> None:
    made = grown(None, signature())
    assert with_referrers(made, [signature()]) is None


def test_what_the_list_holds_is_kept_in_its_order() -> None:
    node = descriptor("other", "x/y", platform={"os": "plan9", "extra": 1}, vendor={"a": [1]})
    before = Manifest.read(encode(index(manifests=[node], vendor="kept", annotations={"a": "b"})))
    after = json.loads(grown(before, signature()).raw)
    assert after["manifests"][0] == node
    assert (after["vendor"], after["annotations"]) == ("kept", {"a": "b"})
    assert len(after["manifests"]) == 2


@pytest.mark.parametrize("nothing", [[], None])
def test_an_empty_list_is_filled(nothing: list[object] | None) -> None:
    assert len(grown(Manifest.read(encode(index(manifests=nothing))), signature()).children) == 1


@pytest.mark.parametrize("document", [image(), index(mediaType=mediatype.DOCKER_LIST)])
def test_something_else_under_the_tag_is_not_replaced(document: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="instead of an index"):
        with_referrers(Manifest.read(encode(document)), [signature()])


def test_several_are_added_in_one_go_and_only_those_that_are_missing() -> None:
    one, two = signature(annotations={"number": "1"}), signature(annotations={"number": "2"})
    first = grown(None, one)
    both = with_referrers(first, [one, two, two])
    assert both is not None
    assert [each.digest for each in both.children] == [one.digest, two.digest]
    assert with_referrers(both, [two, one]) is None
    assert with_referrers(None, []) is None
