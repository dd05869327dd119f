"""A manifest is its bytes; everything else here is a checked view of them, read once.

Nothing is ever written back from the view, so a digest cannot change by accident. What a manifest is must not depend
on who reads it (CVE-2021-41190): media type, body and shape have to agree, or it is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from regsync.errors import IntegrityError, Malformed
from regsync.oci import mediatype, schema1
from regsync.oci.descriptor import Descriptor, read_annotations, read_text
from regsync.oci.digest import Digest
from regsync.oci.document import Keys, read_document

MANIFEST_MAX: Final = 8 * 1024 * 1024  # bytes
DESCRIPTORS_MAX: Final = 10_000  # in one manifest (RELIABILITY B12)

# What clients look for in a manifest of whatever kind, and in the index.json of a layout.
MANIFEST_KEYS: Final = Keys.of(
    "schemaVersion mediaType artifactType config layers manifests blobs subject annotations fsLayers history signatures"
)

# What registries and file servers say when they do not know; the body decides then.
_SAYS_NOTHING: Final = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "text/plain", "application/json"}
)
_SIGNATURES: Final = b'"signatures"'  # in what may go by another digest than that of its bytes
_DOCKER_PREFIX: Final = "application/vnd.docker."

# The key each kind cannot lack (an empty list of Go's is null) and those that would make it another kind, too.
_OLD_SHAPE: Final = ("fsLayers", ("manifests", "layers", "config", "blobs"))
_INDEX_SHAPE: Final = ("manifests", ("layers", "config", "blobs", "fsLayers"))
_IMAGE_SHAPE: Final = ("config", ("manifests", "blobs", "fsLayers"))
_SHAPES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    mediatype.OCI_INDEX: _INDEX_SHAPE,
    mediatype.DOCKER_LIST: _INDEX_SHAPE,
    mediatype.OCI_MANIFEST: _IMAGE_SHAPE,
    mediatype.DOCKER_MANIFEST: _IMAGE_SHAPE,
    mediatype.DOCKER_SCHEMA1: _OLD_SHAPE,
    mediatype.DOCKER_SCHEMA1_SIGNED: _OLD_SHAPE,
    mediatype.OCI_ARTIFACT: ("mediaType", ("manifests", "layers", "config", "fsLayers")),
}


@dataclass(frozen=True, slots=True, weakref_slot=True, kw_only=True)
class Manifest:
    """An image, an index or an artifact: made by `read` only, so that the fields cannot belie the bytes.

    `children` are an index's entries, of whatever type; `blobs` is what must be there before it: config and layers,
    each once.
    """

    media_type: str
    raw: bytes = field(repr=False)
    digest: Digest
    children: tuple[Descriptor, ...] = field(repr=False, compare=False)
    config: Descriptor | None = field(repr=False, compare=False)
    layers: tuple[Descriptor, ...] = field(repr=False, compare=False)
    blobs: tuple[Descriptor, ...] = field(repr=False, compare=False)
    subject: Descriptor | None = field(repr=False, compare=False)
    artifact_type: str = field(repr=False, compare=False)
    annotations: Mapping[str, str] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: bytes, *, content_type: str = "", expected: Digest | None = None) -> Manifest:
        """Prove the bytes against the digest they were asked by and read them.

        `IntegrityError`: other bytes. `Malformed`: not one thing to all readers.
        """
        if len(raw) > MANIFEST_MAX:
            raise Malformed(f"manifest {expected or ''} is longer than {MANIFEST_MAX} bytes")
        digest = Digest.of(raw, expected.algorithm if expected else "sha256")
        if expected not in {None, digest}:
            if _SIGNATURES not in raw:
                raise IntegrityError(f"manifest {expected} came as {digest}")
            try:  # another document is other bytes, whatever is wrong with it
                manifest = cls._read(raw, content_type=content_type, digest=digest, signed=True)
            except Malformed as error:
                raise IntegrityError(f"manifest {expected} came as something else: {error}") from error
            if manifest.digest != expected:
                raise IntegrityError(f"manifest {expected} came as {manifest.digest}")
            return manifest
        return cls._read(raw, content_type=content_type, digest=digest, signed=expected is None)

    @classmethod
    def _read(cls, raw: bytes, *, content_type: str, digest: Digest, signed: bool) -> Manifest:
        """Read the bytes of this digest; `signed`: those of a signed one go by the digest of what was signed."""
        what = f"manifest {digest}"
        document = read_document(raw, what=what)
        try:
            MANIFEST_KEYS.refuse_variants(document)
            media_type = _media_type(document, mediatype.base(content_type))
            _refuse_confusion(document, media_type)
            if signed and media_type in mediatype.SCHEMA1 and "signatures" in document:
                digest = Digest.of(schema1.signed_part(raw, document), digest.algorithm)
            return cls._view(document, raw=raw, digest=digest, media_type=media_type)
        except Malformed as error:
            raise Malformed(f"{what}: {error}") from None

    @classmethod
    def _view(cls, document: Mapping[str, Any], *, raw: bytes, digest: Digest, media_type: str) -> Manifest:
        children = _descriptors(document, "manifests")
        config = _descriptor(document, "config")
        layers = _layers(document, media_type)
        _each_once(children)
        return cls(
            media_type=media_type,
            raw=raw,
            digest=digest,
            children=children,
            config=config,
            layers=layers,
            blobs=_each_once(layers if config is None else (replace(config, urls=()), *layers)),
            subject=_descriptor(document, "subject", typed=True),
            artifact_type=read_text(document, "artifactType"),
            annotations=read_annotations(document),
        )

    @property
    def descriptor(self) -> Descriptor:
        """What these bytes are listed as."""
        return Descriptor(self.media_type, self.digest, len(self.raw))

    @property
    def blobs_at_home(self) -> tuple[Descriptor, ...]:
        """The blobs without those of a foreign type that lie where their URLs say.

        The media type decides: a layer of an ordinary type lies in the registry, whatever its URLs are for
        (google/go-containerregistry#709), and they are none of our business, so they are left out.
        """
        return tuple(replace(blob, urls=()) for blob in self.blobs if not _lies_elsewhere(blob))

    @property
    def is_index(self) -> bool:
        """Whether this lists other manifests and has no blobs of its own."""
        return self.media_type in mediatype.INDEXES


def _media_type(document: Mapping[str, Any], header: str) -> str:
    """Return the one media type that header, body and shape allow (BEHAVIOUR 3.10, RELIABILITY B9)."""
    body = read_text(document, "mediaType")
    if header in _SAYS_NOTHING:
        header = body
    if body and body != header:
        raise Malformed(f"mediaType is {body[:200]!r}, but it was served as {header[:200]!r}")
    media_type = header or _sniffed(document)
    if media_type not in mediatype.MANIFESTS:
        raise Malformed(f"{media_type[:200]!r} is not the media type of a manifest")
    return media_type


def _sniffed(document: Mapping[str, Any]) -> str:
    """Guess the type of a body that nobody named, from its version and the first type it lists."""
    version = document.get("schemaVersion")
    if version == 1 and "fsLayers" in document:
        return mediatype.DOCKER_SCHEMA1_SIGNED if "signatures" in document else mediatype.DOCKER_SCHEMA1
    if version == 2 and "manifests" in document:
        docker = _lists_docker_types(document, "manifests")
        return mediatype.DOCKER_LIST if docker else mediatype.OCI_INDEX
    if version == 2 and "config" in document:
        docker = _lists_docker_types(document, "layers")
        return mediatype.DOCKER_MANIFEST if docker else mediatype.OCI_MANIFEST
    raise Malformed("nothing says what kind of manifest this is, and it looks like none")


def _lists_docker_types(document: Mapping[str, Any], key: str) -> bool:
    nodes = document.get(key) or [document.get("config")]
    first = nodes[0] if isinstance(nodes, list) else None
    return isinstance(first, dict) and str(first.get("mediaType")).startswith(_DOCKER_PREFIX)


def _refuse_confusion(document: Mapping[str, Any], media_type: str) -> None:
    """Refuse a body that is of another kind than its media type, or of two; a key counts even if it holds null."""
    wanted = 1 if media_type in mediatype.SCHEMA1 else 2
    version = document.get("schemaVersion", wanted)
    if version != wanted or not isinstance(version, int) or isinstance(version, bool):
        raise Malformed(f"schemaVersion must be the number {wanted} in {media_type}")
    needed, foreign = _SHAPES[media_type]
    if needed not in document or (document[needed] is None and needed != "manifests"):
        raise Malformed(f"{needed} is missing in {media_type}")
    for key in foreign:
        if key in document:
            raise Malformed(f"{key} has no place in {media_type}: readers would not agree on what this is")


def _descriptor(document: Mapping[str, Any], key: str, *, typed: bool = False) -> Descriptor | None:
    node = document.get(key)
    return None if node is None else Descriptor.from_json(node, where=key, typed=typed)


def _layers(document: Mapping[str, Any], media_type: str) -> tuple[Descriptor, ...]:
    if media_type in mediatype.SCHEMA1:
        return schema1.layers_of(document)
    return _descriptors(document, "blobs" if media_type == mediatype.OCI_ARTIFACT else "layers")


def _descriptors(document: Mapping[str, Any], key: str) -> tuple[Descriptor, ...]:
    nodes = document.get(key)
    if nodes is None:
        return ()
    if not isinstance(nodes, list):
        raise Malformed(f"{key} must be a list")
    if len(nodes) > DESCRIPTORS_MAX:
        raise Malformed(f"{key} lists {len(nodes)} descriptors, more than {DESCRIPTORS_MAX}")
    return tuple(Descriptor.from_json(each, where=f"{key}[{at}]", typed=False) for at, each in enumerate(nodes))


def _each_once(descriptors: Iterable[Descriptor]) -> tuple[Descriptor, ...]:
    """Return a descriptor of each digest, the first or one that lies here; one digest cannot have two sizes."""
    first: dict[Digest, Descriptor] = {}
    for descriptor in descriptors:
        known = first.setdefault(descriptor.digest, descriptor)
        if known.size != descriptor.size:
            raise Malformed(f"{descriptor.digest} is listed with two sizes")
        if _lies_elsewhere(known):
            first[descriptor.digest] = descriptor
    return tuple(first.values())


def _lies_elsewhere(blob: Descriptor) -> bool:
    return bool(blob.urls) and mediatype.is_foreign(blob.media_type)
