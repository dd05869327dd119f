"""What an index.json says and how a change of ours alters it: pure values, no file is touched here.

Which tag an entry stands for is not plain: other tools write whole image names, and not always where we look.

Keys we do not know, in the index and in its entries, are kept as they were. Reading is strict: an index we misread
would be written back wrong, and then what it no longer lists would be collected.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from regsync.errors import Malformed
from regsync.oci.descriptor import DESCRIPTOR_KEYS, Descriptor, data_of
from regsync.oci.digest import HEX_LENGTH, Digest
from regsync.oci.document import BOM, read_document
from regsync.oci.manifest import MANIFEST_KEYS
from regsync.oci.mediatype import INDEXES, OCI_INDEX
from regsync.oci.reference import valid_tag

NAME: Final = "org.opencontainers.image.ref.name"
CONTAINERD_NAME: Final = "io.containerd.image.name"  # a whole image name, of `ctr export` and buildkit
_CREATED: Final = "org.opencontainers.image.created"
_VALUES_MAX: Final = 4_000_000  # keys and values: 300,000 images; it is read in a thread


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of `manifests`: its descriptor, name and tag (empty for none), and its JSON with all else it says.

    Kept as text, so that an index of thousands is not rendered anew for each of its changes.
    """

    descriptor: Descriptor
    name: str
    tag: str
    text: str

    @classmethod
    def read(cls, node: object, *, place: str) -> Entry:
        """Check one element; `place` is where it stands, for the message."""
        if not isinstance(node, dict):
            raise Malformed(f"{place} is no object")
        DESCRIPTOR_KEYS.refuse_variants(node, where=place)
        media_type, digest, size = node.get("mediaType") or "", node.get("digest"), node.get("size")
        if not isinstance(media_type, str) or not isinstance(digest, str):
            raise Malformed(f"{place} needs a mediaType and a digest, both text")
        if not isinstance(size, int) or isinstance(size, bool) or not 0 <= size < 1 << 63:
            raise Malformed(f"{place}.size is no size")
        annotations = node.get("annotations") or {}
        if not isinstance(annotations, dict) or not isinstance(annotations.get(NAME, ""), str):
            raise Malformed(f"{place}.annotations must be texts by name")
        known = Digest.parse(digest)
        descriptor = Descriptor(media_type, known, size, data=data_of(node, known, size, where=place))
        return cls(descriptor, annotations.get(NAME, ""), _tag_of(annotations), _rendered(node))

    @classmethod
    def new(cls, manifest: Descriptor, *, name: str, created: datetime) -> Entry:
        """Write an element; it holds the descriptor, its name and when it was entered (UTC, whole seconds)."""
        annotations = {NAME: name} if name else {}
        annotations[_CREATED] = created.strftime("%Y-%m-%dT%H:%M:%SZ")
        node = {"mediaType": manifest.media_type, "digest": str(manifest.digest), "size": manifest.size}
        return cls(manifest, name, name, _rendered({**node, "annotations": annotations}))


class _Tables:
    """Where to find entries; of several that fit, the first."""

    def __init__(self, entries: tuple[Entry, ...]) -> None:
        last_first = entries[::-1]
        self.exact = {entry.name: entry for entry in last_first if entry.name}
        self.by_tag = {entry.tag: entry for entry in last_first if entry.tag}
        self.by_digest = {entry.descriptor.digest: entry for entry in last_first}
        tagged = ((entry.tag, entry.descriptor.digest) for entry in entries if entry.tag)
        self.disputed = {tag for tag, digest in tagged if self.by_tag[tag].descriptor.digest != digest}


class Index:
    """An index.json, never altered. `top` holds its other keys, and the place of `manifests` among them.

    The tables are made when first asked, so that many changes in a row cost little each.
    """

    def __init__(self, top: Mapping[str, Any], entries: tuple[Entry, ...]) -> None:
        self.entries = entries
        self._top = top
        self._tables: _Tables | None = None

    @classmethod
    def empty(cls) -> Index:
        """Return the index of a new layout."""
        return cls({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []}, ())

    @classmethod
    def read(cls, raw: bytes) -> Index:
        """Read an index.json; `Malformed` says what is wrong with it."""
        top = read_document(raw.removeprefix(BOM), what="index.json", most=_VALUES_MAX)
        MANIFEST_KEYS.refuse_variants(top, where="index.json")
        if top.get("schemaVersion") != 2 or "manifests" not in top:
            raise Malformed("index.json is no OCI image index: it needs schemaVersion 2 and a list of manifests")
        media_type = top.get("mediaType")
        if media_type not in (None, "", *INDEXES):  # docker's list type is what some exporters write
            raise Malformed(f"index.json has the mediaType {str(media_type)[:200]!r}, and not that of an image index")
        nodes = top["manifests"]
        if nodes is None:  # how Go programs write an empty list
            nodes = []
        if not isinstance(nodes, list):
            raise Malformed("index.json: manifests must be a list")
        entries = (Entry.read(node, place=f"index.json: manifests[{at}]") for at, node in enumerate(nodes))
        return cls({**top, "manifests": []}, tuple(entries))

    def find(self, ref: str | Digest) -> Entry | None:
        """Return the entry of a digest, or of a tag: by its exact name, else by a name that ends in it."""
        tables = self._looked_up()
        if isinstance(ref, Digest):
            return tables.by_digest.get(ref)
        return tables.exact.get(ref) or tables.by_tag.get(ref)

    def is_disputed(self, ref: str | Digest) -> bool:
        """Say whether this is a tag under which entries list different manifests."""
        return ref in self._looked_up().disputed

    def tags(self) -> list[str]:
        """Return every tag once, sorted."""
        return sorted({entry.tag for entry in self.entries if entry.tag})

    def _looked_up(self) -> _Tables:
        if self._tables is None:
            self._tables = _Tables(self.entries)
        return self._tables

    def with_entry(self, manifest: Descriptor, *, at: str | Digest, created: datetime) -> Index:
        """Return this index with the manifest under a tag or, untagged, under its digest; itself if it is there.

        The first entry of that name keeps its place, and as it is if it already says so; duplicates go.
        """
        name = "" if isinstance(at, Digest) else at
        if name:
            same = [entry for entry in self.entries if entry.name == name]
        else:
            same = [entry for entry in self.entries if not entry.name and entry.descriptor.digest == manifest.digest]
        if not same:
            return Index(self._top, (*self.entries, Entry.new(manifest, name=name, created=created)))
        first = same[0]
        if first.descriptor == manifest and len(same) == 1:
            return self
        kept = first if first.descriptor == manifest else Entry.new(manifest, name=name, created=created)
        drop = {id(entry) for entry in same[1:]}
        entries = (kept if entry is first else entry for entry in self.entries if id(entry) not in drop)
        return Index(self._top, tuple(entries))

    def render(self) -> bytes:
        """Return the JSON: compact, keys in the order they had, no newline at the end."""
        listed = f"[{','.join([entry.text for entry in self.entries])}]"
        pairs = ((key, listed if key == "manifests" else _rendered(value)) for key, value in self._top.items())
        return f"{{{','.join(f'{_rendered(key)}:{text}' for key, text in pairs)}}}".encode("ascii")


def _rendered(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _tag_of(annotations: Mapping[str, object]) -> str:
    """Return the tag of an entry with these annotations, "" for none; containerd's name counts where ours is no tag."""
    names = (annotations.get(key) for key in (NAME, CONTAINERD_NAME))
    return next((tag for name in names if isinstance(name, str) and (tag := tag_in(name))), "")


def tag_in(name: str) -> str:
    """Return the tag that a name is or ends in, "" for none.

    What stands behind the last colon of `host/name@sha256:…`, of a bare digest and of `host:5000/name` is no tag.
    """
    image, at, _ = name.partition("@")
    if not at and valid_tag(image):
        return image
    path, _, tag = image.rpartition(":")
    return tag if path and valid_tag(tag) and len(tag) != HEX_LENGTH.get(path) else ""
