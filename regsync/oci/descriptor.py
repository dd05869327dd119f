"""A descriptor: what some content is, how long, and under which digest (image-spec, descriptor.md)."""

from __future__ import annotations

import base64
import binascii
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from regsync.errors import Malformed
from regsync.oci.digest import Digest
from regsync.oci.document import Keys
from regsync.oci.platform import Platform

DESCRIPTOR_KEYS: Final = Keys.of("mediaType artifactType digest size platform urls annotations data")

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
SIZE_UNKNOWN: Final = -1  # of content that is named without its size, as layers of schema 1 are

_SIZE_MAX: Final = 2**63 - 1  # what Go's clients can hold
_DATA_MAX: Final = 1 << 16  # bytes; more is fetched, so that reading it is bounded like all that is fetched


@dataclass(frozen=True, slots=True)
class Descriptor:
    """`size` is in bytes, or `SIZE_UNKNOWN`.

    `urls` are the foreign places of a layer no registry may hold; `data` its inline bytes.

    Equality and hash are those of the content: media type, digest and size.
    """

    media_type: str
    digest: Digest
    size: int
    platform: Platform | None = field(default=None, compare=False)
    urls: tuple[str, ...] = field(default=(), compare=False)
    annotations: Mapping[str, str] = field(default_factory=lambda: _NOTHING, compare=False)
    artifact_type: str = field(default="", compare=False)
    data: bytes | None = field(default=None, compare=False)

    @classmethod
    def from_json(cls, node: object, *, where: str, typed: bool = True) -> Descriptor:
        """Read a descriptor out of a document; `Malformed` names the field, whose path starts with `where`.

        Unless it has to be `typed`, its media type may be missing: a layer is copied whatever it is, and what an index
        lists without one is looked at.
        """
        if not isinstance(node, dict):
            raise Malformed(f"{where} must be an object")
        DESCRIPTOR_KEYS.refuse_variants(node, where=where)
        digest, size = read_digest(node, where=where), _size(node, where=where)
        platform = node.get("platform")
        return cls(
            read_text(node, "mediaType", where=where, required=typed),
            digest,
            size,
            platform=None if platform is None else Platform.from_json(platform, where=f"{where}.platform"),
            urls=_urls(node, where=where),
            annotations=read_annotations(node, where=where),
            artifact_type=read_text(node, "artifactType", where=where),
            data=data_of(node, digest, size, where=where),
        )

    def to_json(self) -> dict[str, Any]:
        """Return the object a document lists this content as; without `data`, which nobody needs twice."""
        node: dict[str, Any] = {"mediaType": self.media_type, "digest": str(self.digest), "size": self.size}
        if self.platform is not None:
            node["platform"] = self.platform.to_json()
        if self.urls:
            node["urls"] = list(self.urls)
        if self.annotations:
            node["annotations"] = dict(self.annotations)
        if self.artifact_type:
            node["artifactType"] = self.artifact_type
        return node


def read_text(node: Mapping[str, Any], key: str, *, where: str = "", required: bool = False) -> str:
    """Return the text under a key, one object for equal texts; "" when it is absent or null and may be."""
    text = node.get(key)
    if text is None and not required:
        return ""
    if not isinstance(text, str) or (required and not text):
        raise Malformed(f"{_path(where, key)} must be text")
    return sys.intern(text)


def read_digest(node: Mapping[str, Any], *, where: str, key: str = "digest") -> Digest:
    """Return the checked digest of a descriptor's object."""
    try:
        return Digest.parse(read_text(node, key, where=where, required=True))
    except Malformed as error:
        raise Malformed(f"{_path(where, key)}: {error}") from None


def read_annotations(node: Mapping[str, Any], *, where: str = "") -> Mapping[str, str]:
    """Return the annotations of an object: text under text, nothing when they are absent or null.

    Values that are no text, which some tools write (null, numbers), are left out: no client makes anything of them.
    """
    annotations = node.get("annotations")
    if not annotations and (annotations is None or isinstance(annotations, dict)):
        return _NOTHING
    if not isinstance(annotations, dict):
        raise Malformed(f"{_path(where, 'annotations')} must be an object")
    return MappingProxyType({key: value for key, value in annotations.items() if isinstance(value, str)})


def _size(node: Mapping[str, Any], *, where: str) -> int:
    size = node.get("size")
    if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size <= _SIZE_MAX:
        raise Malformed(f"{where}.size must be a whole number from 0 to 2^63 - 1")
    return size


def _urls(node: Mapping[str, Any], *, where: str) -> tuple[str, ...]:
    urls = node.get("urls")
    if urls is None:
        return ()
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise Malformed(f"{where}.urls must be a list of texts")
    return tuple(urls)


def data_of(node: Mapping[str, Any], digest: Digest, size: int, *, where: str) -> bytes | None:
    """Return inline content that is what it is described as; anything else is fetched as if it were not there."""
    text = node.get("data")
    if text is None:
        return None
    if not isinstance(text, str):
        raise Malformed(f"{where}.data must be text")
    if size > _DATA_MAX or len(text) != (size + 2) // 3 * 4:
        return None
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) == size and Digest.of(data, digest.algorithm) == digest else None


def _path(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key
