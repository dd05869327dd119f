"""Fills a docker-registry's directory without asking the registry, so that thousands of images cost seconds."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Node = Mapping[str, object]

OCI = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class Stored:
    """Something in the blob store: a blob or a manifest, and the blobs it consists of."""

    media_type: str
    digest: str
    size: int
    blobs: tuple[str, ...] = ()
    children: tuple[str, ...] = ()

    @property
    def descriptor(self) -> dict[str, object]:
        """Return what names this in a manifest."""
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


class Store:
    """The directory of one docker-registry (storage driver `filesystem`)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._v2 = root / "docker" / "registry" / "v2"
        self._repositories = self._v2 / "repositories"
        self._repositories.mkdir(parents=True, exist_ok=True)

    def blob(self, chunks: Iterable[bytes], *, media_type: str = f"{OCI}.layer.v1.tar") -> Stored:
        """Store a blob that comes in chunks."""
        hasher, size = hashlib.sha256(), 0
        staged = self._v2 / "staged"
        with staged.open("wb") as file:
            for chunk in chunks:
                hasher.update(chunk)
                size += file.write(chunk)
        digest = hasher.hexdigest()
        place = self._v2 / "blobs" / "sha256" / digest[:2] / digest
        place.mkdir(parents=True, exist_ok=True)
        staged.rename(place / "data")
        return Stored(media_type, f"sha256:{digest}", size)

    def document(self, node: Node, *, media_type: str) -> Stored:
        """Store a JSON document."""
        return self.blob([json.dumps(node).encode()], media_type=media_type)

    def image(self, layers: Sequence[Stored], *, name: str) -> Stored:
        """Store an image whose configuration holds a name, so that no two are the same."""
        config = self.document(
            {"architecture": "amd64", "os": "linux", "author": name, "rootfs": {"type": "layers", "diff_ids": []}},
            media_type=f"{OCI}.config.v1+json",
        )
        kind = f"{OCI}.manifest.v1+json"
        node = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": config.descriptor,
            "layers": [layer.descriptor for layer in layers],
        }
        stored = self.document(node, media_type=kind)
        return Stored(kind, stored.digest, stored.size, blobs=(config.digest, *(layer.digest for layer in layers)))

    def index(self, images: Sequence[Stored]) -> Stored:
        """Store an index of images, one for each made-up platform."""
        kind = f"{OCI}.index.v1+json"
        children = [
            {**image.descriptor, "platform": {"os": "linux", "architecture": "arm", "variant": f"v{number}"}}
            for number, image in enumerate(images, start=5)
        ]
        stored = self.document({"schemaVersion": 2, "mediaType": kind, "manifests": children}, media_type=kind)
        blobs = tuple(dict.fromkeys(blob for image in images for blob in image.blobs))
        return Stored(kind, stored.digest, stored.size, blobs=blobs, children=tuple(image.digest for image in images))

    def attached(self, subject: Stored, *, name: str) -> Stored:
        """Store an artifact that refers to an image."""
        config = self.blob([b"{}"], media_type="application/vnd.oci.empty.v1+json")
        kind = f"{OCI}.manifest.v1+json"
        node = {
            "schemaVersion": 2,
            "mediaType": kind,
            "artifactType": "application/vnd.example.signature",
            "config": config.descriptor,
            "layers": [config.descriptor],
            "subject": subject.descriptor,
            "annotations": {"org.example.name": name},
        }
        stored = self.document(node, media_type=kind)
        return Stored(kind, stored.digest, stored.size, blobs=(config.digest,))

    def listing(self, referrers: Sequence[Stored]) -> Stored:
        """Store the index that lists what refers to an image, where a registry has no API for that."""
        kind = f"{OCI}.index.v1+json"
        nodes = [{**each.descriptor, "artifactType": "application/vnd.example.signature"} for each in referrers]
        stored = self.document({"schemaVersion": 2, "mediaType": kind, "manifests": nodes}, media_type=kind)
        blobs = tuple(dict.fromkeys(blob for each in referrers for blob in each.blobs))
        return Stored(kind, stored.digest, stored.size, blobs=blobs, children=tuple(each.digest for each in referrers))

    def tag(self, repository: str, name: str, manifest: Stored) -> None:
        """Make a manifest, its children and its blobs part of a repository, under a name."""
        place = self._repositories / repository
        for blob in manifest.blobs:
            _link(place / "_layers", blob)
        for digest in (*manifest.children, manifest.digest):
            _link(place / "_manifests" / "revisions", digest)
        tag = place / "_manifests" / "tags" / name
        _link(tag / "index", manifest.digest)
        current = tag / "current"
        current.mkdir(exist_ok=True)
        (current / "link").write_text(manifest.digest)


def _link(folder: Path, digest: str) -> None:
    place = folder / digest.replace(":", "/")
    place.mkdir(parents=True, exist_ok=True)
    (place / "link").write_text(digest)
