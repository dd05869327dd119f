"""Manifests of schema 1: what they go by, what they name, and what signed ones cannot hide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from regsync.errors import IntegrityError, Malformed
from regsync.oci import mediatype
from regsync.oci.descriptor import SIZE_UNKNOWN
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from tests.support.images import Built
from tests.support.schema1 import SIGNED, UNSIGNED, signature_of, signed_bytes, unsigned_bytes

LAYERS = (b"lowest", b"middle", b"lowest")
PLAIN = unsigned_bytes(*LAYERS)
JWS = signed_bytes(*LAYERS)


@pytest.mark.parametrize(
    "built", [PLAIN, JWS, signed_bytes(*LAYERS, signatures=3)], ids=["unsigned", "signed", "thrice"]
)
@pytest.mark.parametrize("known", [True, False], ids=["by digest", "by tag"])
def test_it_goes_by_the_digest_of_what_was_signed_and_names_each_layer_once(built: Built, known: bool) -> None:
    expected = Digest.parse(built.digest) if known else None
    manifest = Manifest.read(built.raw, content_type=built.media_type, expected=expected)
    assert str(manifest.digest) == built.digest == PLAIN.digest
    assert manifest.raw == built.raw
    assert {str(blob.digest) for blob in manifest.blobs} == set(built.blobs)
    assert {blob.size for blob in manifest.blobs} == {SIZE_UNKNOWN}
    assert (manifest.children, manifest.config, manifest.subject) == ((), None, None)


@pytest.mark.parametrize(
    ("built", "kind"),
    [(PLAIN, mediatype.DOCKER_SCHEMA1), (JWS, mediatype.DOCKER_SCHEMA1_SIGNED)],
    ids=["unsigned", "signed"],
)
@pytest.mark.parametrize("said", ["", "application/json"])
def test_it_is_known_by_its_body_where_nobody_says_what_it_is(built: Built, kind: str, said: str) -> None:
    assert Manifest.read(built.raw, content_type=said).media_type == kind


def test_a_signed_one_may_lie_somewhere_under_the_digest_of_all_its_bytes() -> None:
    whole = Digest.of(JWS.raw)
    assert Manifest.read(JWS.raw, content_type=SIGNED, expected=whole).digest == whole


def altered(**changes: Any) -> bytes:
    return json.dumps({**json.loads(JWS.raw), **changes}, indent=3).encode()


def protected(**changes: Any) -> list[dict[str, Any]]:
    """The signatures, which now say these things of themselves."""
    from base64 import urlsafe_b64decode, urlsafe_b64encode  # noqa: PLC0415

    found: list[dict[str, Any]] = json.loads(JWS.raw)["signatures"]
    header = {**json.loads(urlsafe_b64decode(found[0]["protected"] + "==")), **changes}
    return [{**found[0], "protected": urlsafe_b64encode(json.dumps(header).encode()).decode()}]


OTHER = unsigned_bytes(b"an evil layer")


@pytest.mark.parametrize(
    "raw",
    [
        altered(fsLayers=json.loads(OTHER.raw)["fsLayers"]),
        altered(more=1),
        altered(signatures=[]),
        altered(signatures="x"),
        altered(signatures=[{}]),
        altered(signatures=[{"protected": "?"}]),
        altered(signatures=protected(formatLength=10**9)),
        altered(signatures=protected(formatLength=True)),
        altered(signatures=protected(formatLength=-1)),
        altered(signatures=protected(formatTail=None)),
        altered(signatures=[signature_of(OTHER.raw, 10)]),
        JWS.raw.replace(b'"amd64"', b'"arm64"'),
        JWS.raw.replace(b"schemaVersion", b"schemaversion"),
        b'{"signatures":' * 5000,
    ],
)
def test_what_was_not_signed_as_it_stands_is_other_bytes(raw: bytes) -> None:
    with pytest.raises(IntegrityError):
        Manifest.read(raw, content_type=SIGNED, expected=Digest.parse(JWS.digest))


def test_two_signatures_about_different_contents_are_refused() -> None:
    signatures = [json.loads(JWS.raw)["signatures"][0], signature_of(OTHER.raw, 10)]
    with pytest.raises(Malformed, match="about different contents"):
        Manifest.read(altered(signatures=signatures), content_type=SIGNED)


def test_signatures_make_nothing_else_go_by_another_digest() -> None:
    """An image of today with signatures in it would be proved by less than all of its bytes."""
    image = {"schemaVersion": 2, "mediaType": mediatype.OCI_MANIFEST, "config": None, "layers": []}
    payload = json.dumps(image, indent=3).encode()
    length = payload.rindex(b"\n}")
    signed = json.dumps({**image, "signatures": [signature_of(payload, length)]}, indent=3).encode()
    with pytest.raises(IntegrityError):
        Manifest.read(signed, content_type=mediatype.OCI_MANIFEST, expected=Digest.of(payload))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schemaVersion": 2}, "schemaVersion must be the number 1"),
        ({"schemaVersion": True}, "schemaVersion must be the number 1"),
        ({"fsLayers": None}, "fsLayers is missing"),
        ({"fsLayers": {}}, "fsLayers must be a list"),
        ({"fsLayers": [1]}, r"fsLayers\[0\] must be an object"),
        ({"fsLayers": [{}]}, r"fsLayers\[0\].blobSum"),
        ({"fsLayers": [{"blobSum": "sha256:x"}]}, r"fsLayers\[0\].blobSum"),
        ({"fsLayers": [{"BlobSum": f"sha256:{'0' * 64}"}]}, "the key 'BlobSum' would be another one"),
        ({"layers": []}, "layers has no place"),
        ({"manifests": []}, "manifests has no place"),
        ({"config": {}}, "config has no place"),
        ({"fslayers": []}, "the key 'fslayers' would be another one"),
    ],
)
def test_what_readers_would_not_agree_on_is_refused(changes: dict[str, Any], why: str) -> None:
    raw = json.dumps({**json.loads(PLAIN.raw), **changes}).encode()
    with pytest.raises(Malformed, match=why):
        Manifest.read(raw, content_type=UNSIGNED)
