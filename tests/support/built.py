"""Images made by hand, in plain Python that shares no line with regsync: what the tests compare with.

A `Built` is a manifest's bytes and everything below it. Builders are deterministic: equal arguments, equal bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
ARTIFACT = "application/vnd.oci.artifact.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
REF_NAME = "org.opencontainers.image.ref.name"

Json = dict[str, Any]


def digest_of(data: bytes, algorithm: str = "sha256") -> str:
    """Return `algorithm:hex` of these bytes."""
    return f"{algorithm}:{hashlib.new(algorithm, data).hexdigest()}"


def compact(document: Json) -> bytes:
    """Return a document's bytes, without a blank to spare."""
    return json.dumps(document, separators=(",", ":")).encode()


@dataclass(frozen=True, slots=True)
class Built:
    """A manifest with its blobs (by digest) and, of an index, its children. `platform` is what an index says of it."""

    media_type: str
    raw: bytes
    digest: str
    blobs: Mapping[str, bytes] = field(default_factory=dict)
    children: tuple[Built, ...] = ()
    platform: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    @property
    def descriptor(self) -> Json:
        """What refers to it, as JSON."""
        entry: Json = {"mediaType": self.media_type, "digest": self.digest, "size": len(self.raw)}
        if self.platform:
            entry["platform"] = dict(self.platform)
        return entry

    def walk(self) -> Iterator[Built]:
        """Every manifest below it and itself, children first."""
        for child in self.children:
            yield from child.walk()
        yield self

    def contents(self) -> dict[str, bytes]:
        """Every manifest and blob that makes it up, by digest."""
        found: dict[str, bytes] = {}
        for each in self.walk():
            found.update(each.blobs)
            found[each.digest] = each.raw
        return found


def _platform(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False)) if text else {}


def _blob(data: bytes, media_type: str, algorithm: str) -> Json:
    return {"mediaType": media_type, "digest": digest_of(data, algorithm), "size": len(data)}


def image_bytes(
    *layers: bytes,
    config: bytes | None = None,
    docker: bool = False,
    platform: str = "linux/amd64",
    subject: Built | None = None,
    annotations: Mapping[str, str] | None = None,
    algorithm: str = "sha256",
) -> Built:
    """Build an image of these layers, in OCI's form or Docker's; `platform` is `os/architecture[/variant]`."""
    system = _platform(platform)
    if config is None:
        diffs = [digest_of(layer) for layer in layers]
        config = compact({**system, "config": {}, "rootfs": {"type": "layers", "diff_ids": diffs}})
    kinds = (DOCKER_MANIFEST, DOCKER_CONFIG, DOCKER_LAYER) if docker else (MANIFEST, CONFIG, LAYER)
    document: Json = {
        "schemaVersion": 2,
        "mediaType": kinds[0],
        "config": _blob(config, kinds[1], algorithm),
        "layers": [_blob(layer, kinds[2], algorithm) for layer in layers],
    }
    blobs = {digest_of(data, algorithm): data for data in (config, *layers)}
    return _finished(document, blobs=blobs, subject=subject, annotations=annotations, platform=system, by=algorithm)


def artifact_bytes(
    *files: bytes,
    artifact_type: str = "application/vnd.example.sbom.v1",
    file_type: str = "application/vnd.example.unheard-of",
    subject: Built | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Built:
    """Build an artifact as the image-spec of 1.1 wants it: an image manifest with the empty config."""
    document: Json = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": artifact_type,
        "config": _blob(b"{}", EMPTY, "sha256"),
        "layers": [_blob(data, file_type, "sha256") for data in files],
    }
    blobs = {digest_of(data): data for data in (b"{}", *files)}
    return _finished(document, blobs=blobs, subject=subject, annotations=annotations)


def index_bytes(
    *children: Built,
    docker: bool = False,
    subject: Built | None = None,
    annotations: Mapping[str, str] | None = None,
    algorithm: str = "sha256",
) -> Built:
    """Build an index (or Docker's list) of these children, which may be indexes."""
    document: Json = {
        "schemaVersion": 2,
        "mediaType": DOCKER_LIST if docker else INDEX,
        "manifests": [child.descriptor for child in children],
    }
    return _finished(document, children=children, subject=subject, annotations=annotations, by=algorithm)


def _finished(
    document: Json,
    *,
    blobs: Mapping[str, bytes] | None = None,
    children: tuple[Built, ...] = (),
    subject: Built | None = None,
    annotations: Mapping[str, str] | None = None,
    platform: Mapping[str, str] | None = None,
    by: str = "sha256",
) -> Built:
    if subject is not None:
        document["subject"] = {key: subject.descriptor[key] for key in ("mediaType", "digest", "size")}
    if annotations:
        document["annotations"] = dict(annotations)
    raw = compact(document)
    kind = str(document.get("artifactType", ""))
    return Built(document["mediaType"], raw, digest_of(raw, by), blobs or {}, children, platform or {}, kind)


def platforms_index(*platforms: str, layers: int = 2, docker: bool = False) -> Built:
    """Build an index of one small image a platform, its layers told apart by platform and number."""
    children = [
        image_bytes(
            *(f"layer {number} of {platform}".encode() for number in range(layers)), platform=platform, docker=docker
        )
        for platform in platforms
    ]
    return index_bytes(*children, docker=docker)


def some_bytes(size: int, seed: str = "") -> bytes:
    """Return this many bytes that do not compress away and are the same for the same seed."""
    return hashlib.shake_128(f"regsync {seed}".encode()).digest(size)


def write_layout(folder: Path, images: Mapping[str, Built], *, untagged: Sequence[Built] = ()) -> None:
    """Write an OCI layout of these images by tag, as image-layout.md says, without any help of ours."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    entries = [{**image.descriptor, "annotations": {REF_NAME: tag}} for tag, image in images.items()]
    entries += [image.descriptor for image in untagged]
    (folder / "index.json").write_bytes(compact({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}))
    for image in (*images.values(), *untagged):
        for digest, data in image.contents().items():
            algorithm, _, value = digest.partition(":")
            place = folder / "blobs" / algorithm / value
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)


def read_layout(folder: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return tags (to digests) and contents (by digest) of a layout, every file proved against its name."""
    assert json.loads((folder / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((folder / "index.json").read_bytes())
    contents: dict[str, bytes] = {}
    for place in sorted((folder / "blobs").glob("*/*")):
        digest = f"{place.parent.name}:{place.name}"
        contents[digest] = place.read_bytes()
        assert digest_of(contents[digest], place.parent.name) == digest, f"{place} is not what its name says"
    named = {
        entry["annotations"][REF_NAME]: entry
        for entry in index["manifests"]
        if REF_NAME in entry.get("annotations", {})
    }
    for tag, entry in named.items():
        assert len(contents[entry["digest"]]) == entry["size"], f"{tag} has another size than its entry"
    return {tag: entry["digest"] for tag, entry in named.items()}, contents


def assert_whole(digest: str, contents: Mapping[str, bytes]) -> None:
    """Fail unless everything below this manifest is among the contents, with the sizes it says."""
    manifest = json.loads(contents[digest])
    parts = [*manifest.get("layers", ()), *([manifest["config"]] if "config" in manifest else ())]
    for part in [*parts, *manifest.get("manifests", ())]:
        assert part["digest"] in contents, f"{digest} lacks {part['digest']}"
        assert len(contents[part["digest"]]) == part["size"], f"{part['digest']} has another size"
    for child in manifest.get("manifests", ()):
        assert_whole(child["digest"], contents)
