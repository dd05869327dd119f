"""Documents to read: what a test does not name is right."""

from __future__ import annotations

import json
from typing import Any

from regsync.oci import mediatype
from regsync.oci.digest import Digest


def encode(document: object) -> bytes:
    return json.dumps(document).encode()


def descriptor(content: str = "layer", media_type: str = mediatype.OCI_LAYER_GZIP, **more: Any) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": str(Digest.of(content.encode())), "size": len(content)} | more


def image(**more: Any) -> dict[str, Any]:
    return {
        "schemaVersion": 2,
        "mediaType": mediatype.OCI_MANIFEST,
        "config": descriptor("config", mediatype.OCI_CONFIG),
        "layers": [descriptor("one"), descriptor("two")],
    } | more


def index(**more: Any) -> dict[str, Any]:
    child = descriptor("image", mediatype.OCI_MANIFEST, platform={"os": "linux", "architecture": "amd64"})
    return {"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": [child]} | more


def artifact(**more: Any) -> dict[str, Any]:
    return {
        "mediaType": mediatype.OCI_ARTIFACT,
        "artifactType": "application/vnd.example.sbom",
        "blobs": [descriptor("sbom", "application/json")],
    } | more


def without(document: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in document.items() if key not in keys}
