"""An image with all that people attach to one, and the programs of others that list what is attached."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.support.built import Built, artifact_bytes, digest_of, image_bytes, index_bytes
from tests.support.real import run

SBOM_TYPE, SIGNATURE_TYPE = "application/vnd.example.sbom.v1", "application/vnd.example.signature.v1"


def tag_of(built: Built, ending: str = "") -> str:
    """Return the tag made of a digest."""
    return built.digest.replace(":", "-") + ending


def listing(*referrers: Built) -> Built:
    """Return the index that lists these as clients write it under the tag of their subject."""
    nodes = []
    for each in referrers:
        document = json.loads(each.raw)
        kind = each.artifact_type or document.get("config", {}).get("mediaType", "")
        more = {"annotations": document["annotations"]} if "annotations" in document else {}
        nodes.append({**each.descriptor, "artifactType": kind, **more})
    raw = json.dumps({"schemaVersion": 2, "mediaType": index_bytes().media_type, "manifests": nodes}).encode()
    return Built(index_bytes().media_type, raw, digest_of(raw), children=referrers)


CHILD = image_bytes(b"for amd64")
IMAGE = index_bytes(CHILD, image_bytes(b"for arm64", platform="linux/arm64"))
SBOM = artifact_bytes(b"sbom", artifact_type=SBOM_TYPE, subject=IMAGE, annotations={"org.example.format": "spdx"})
SIGNATURE = artifact_bytes(b"signature", artifact_type=SIGNATURE_TYPE, subject=IMAGE)
SBOM_SIGNATURE = artifact_bytes(b"signature of the sbom", artifact_type=SIGNATURE_TYPE, subject=SBOM)
CHILD_SBOM = artifact_bytes(b"sbom for amd64", artifact_type=SBOM_TYPE, subject=CHILD)
COSIGN, ATTESTED = image_bytes(b"as cosign signs"), image_bytes(b"as cosign attests")
OTHER = image_bytes(b"another image")
ATTACHED = (SBOM, SIGNATURE, SBOM_SIGNATURE, CHILD_SBOM)
DIGEST_TAGS: Mapping[str, Built] = {tag_of(IMAGE, ".sig"): COSIGN, tag_of(CHILD, ".att"): ATTESTED}
TAGGED: Mapping[str, Built] = {"v1": IMAGE, "other": OTHER, **DIGEST_TAGS}
AS_TAGS: Mapping[str, Built] = {
    **TAGGED,
    tag_of(IMAGE): listing(SBOM, SIGNATURE),
    tag_of(SBOM): listing(SBOM_SIGNATURE),
    tag_of(CHILD): listing(CHILD_SBOM),
}


def _named(place: str) -> list[str]:
    """Return how oras is told where to look."""
    return ["--oci-layout", place.removeprefix("ocidir://")] if place.startswith("ocidir:") else ["--plain-http", place]


def listed_by_oras(place: str, digest: str) -> set[str]:
    """Return the digests of what refers to this one, and to that again, as oras finds them."""
    *options, name = _named(place)
    found = json.loads(run("oras", "discover", "--format", "json", *options, f"{name}@{digest}"))
    return {each["digest"] for each in _below(found.get("referrers") or found.get("manifests") or ())}


def _below(nodes: Iterable[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for node in nodes:
        yield node
        yield from _below(node.get("referrers") or ())


def listed_by_regctl(place: str, digest: str) -> set[str]:
    """Return the digests of what refers to this one, and of the images under tags made of it, as regctl finds them."""
    host = [] if place.startswith("ocidir:") else ["--host", f"reg={place.partition('/')[0]},tls=disabled"]
    wanted = ["--digest-tags", "--format", "{{json .}}", f"{place}@{digest}"]
    found = json.loads(run("regctl", *host, "artifact", "list", *wanted))
    return {each["digest"] for each in found["descriptors"] or ()}
