"""Media types, and which of them name manifests and which blobs."""

from __future__ import annotations

from typing import Final

OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
OCI_ARTIFACT: Final = "application/vnd.oci.artifact.manifest.v1+json"
OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"
DOCKER_LIST: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_SCHEMA1: Final = "application/vnd.docker.distribution.manifest.v1+json"
DOCKER_SCHEMA1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
BUILDKIT_CACHE: Final = "application/vnd.buildkit.cacheconfig.v0"

INDEXES: Final = frozenset({OCI_INDEX, DOCKER_LIST})
IMAGES: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
SCHEMA1: Final = frozenset({DOCKER_SCHEMA1, DOCKER_SCHEMA1_SIGNED})
MANIFESTS: Final = INDEXES | IMAGES | SCHEMA1 | {OCI_ARTIFACT}

# What an image copy asks for, in the order the Go regsync sends them: some registries take the first they know.
ACCEPT: Final = (
    OCI_INDEX,
    OCI_MANIFEST,
    DOCKER_LIST,
    DOCKER_MANIFEST,
    DOCKER_SCHEMA1_SIGNED,
    DOCKER_SCHEMA1,
    OCI_ARTIFACT,
)

# What is synced unless the configuration names its own list.
SYNCED_BY_DEFAULT: Final = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)

_BLOBS: Final = frozenset({OCI_CONFIG, DOCKER_CONFIG, OCI_EMPTY, BUILDKIT_CACHE})
_BLOB_PREFIXES: Final = ("application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs.")
# Layers that no registry needs to hold (image-spec, layer.md: Non-Distributable Layers; docker's foreign layers).
_FOREIGN_PREFIXES: Final = (
    "application/vnd.oci.image.layer.nondistributable.",
    "application/vnd.docker.image.rootfs.foreign.",
)


def base(content_type: str) -> str:
    """Return a Content-Type without its parameters, lower-cased (distribution-spec: parameters MUST be ignored).

    Of several (a proxy adds its own) the first that names a manifest counts, or else the first.
    """
    told = [each.partition(";")[0].strip().lower() for each in content_type.split(",")]
    return next((each for each in told if each in MANIFESTS), told[0])


def is_manifest(media_type: str) -> bool:
    """Say whether what this names is fetched from the manifest endpoint."""
    return media_type in MANIFESTS


def is_other(media_type: str) -> bool:
    """Say whether this may name a document of a kind nobody has told us of, and surely no page of a proxy's."""
    return media_type.startswith("application/") and media_type.endswith("+json") and not is_manifest(media_type)


def is_blob(media_type: str) -> bool:
    """Say whether what this names is known to be a blob; unknown types are neither blob nor manifest."""
    return media_type in _BLOBS or media_type.startswith(_BLOB_PREFIXES)


def is_foreign(media_type: str) -> bool:
    """Say whether this names layers that may lie elsewhere, where their URLs say."""
    return base(media_type).startswith(_FOREIGN_PREFIXES)
