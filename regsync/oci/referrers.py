"""What refers to a manifest by its `subject`: which of it is wanted, and the list that stands in for a missing API.

The list is an index under a tag that is made of the digest (distribution-spec, "Referrers Tag Schema"). Lists are
written by strangers, so an entry that is no manifest refuses the list it stands in, and there is an end to how many.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from regsync.errors import Malformed, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.document import read_document
from regsync.oci.manifest import Manifest
from regsync.oci.reference import Reference

REFERRERS_MAX: Final = 10_000  # of one subject (RELIABILITY B12)

_HEX_MAX: Final = 64  # so much of a longer digest is in its tag
_FALLBACK: Final = re.compile(rf"sha(?:256|384|512)-[0-9a-f]{{{_HEX_MAX}}}")
_NO_ANNOTATIONS: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ReferrerFilter:
    """Which referrers are wanted: those of this artifact type (empty: any) that have all of these annotations.

    An annotation without a value wants its key to be there, whatever it holds.
    """

    artifact_type: str = ""
    annotations: Mapping[str, str] = field(default_factory=lambda: _NO_ANNOTATIONS)

    def takes(self, referrer: Descriptor) -> bool:
        """Say whether a referrer, as it is listed, is one of these."""
        if self.artifact_type and referrer.artifact_type != self.artifact_type:
            return False
        found = referrer.annotations
        return all(key in found and value in {"", found[key]} for key, value in self.annotations.items())


@dataclass(frozen=True, slots=True)
class ReferrerOptions:
    """How an entry treats what refers to its images.

    Without `filters` all are wanted. `source` and `target` are repositories to read them from and to write them to
    instead of the image's own; `slow` looks for a source layout's referrers among all that its index lists.
    """

    filters: tuple[ReferrerFilter, ...] = ()
    source: Reference | None = None
    target: Reference | None = None
    slow: bool = False


def wanted(referrers: Sequence[Descriptor], filters: Sequence[ReferrerFilter]) -> tuple[Descriptor, ...]:
    """Return what each filter takes, in the filters' order and each referrer once; everything without filters."""
    if not filters:
        return tuple(referrers)
    taken = {each.digest: each for one in filters for each in referrers if one.takes(each)}
    return tuple(taken.values())


class Referrers:
    """A list of referrers on its way in, page by page, each digest once; `what` is what people call it."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._found: dict[Digest, Descriptor] = {}

    def add(self, page: Manifest) -> int:
        """Take a page of a list and return how many of it were new; `Malformed` when it is no list."""
        if page.media_type != mediatype.OCI_INDEX:
            raise Malformed(f"{self._what}: {page.media_type} stands there instead of an index")
        return self.take(page.children)

    def take(self, descriptors: Iterable[Descriptor]) -> int:
        """Take these and return how many were new.

        `Malformed` when one is no manifest, `Unsupported` when there are more than anybody is to follow.
        """
        before = len(self._found)
        for each in descriptors:
            if mediatype.is_blob(each.media_type):
                raise Malformed(f"{self._what}: {each.digest} is listed as {each.media_type}, which is no manifest")
            if self._found.setdefault(each.digest, each).size != each.size:
                raise Malformed(f"{self._what}: {each.digest} is listed with two sizes")
        if len(self._found) > REFERRERS_MAX:
            raise Unsupported(f"{self._what}: more than {REFERRERS_MAX:,}")
        return len(self._found) - before

    @property
    def all(self) -> tuple[Descriptor, ...]:
        """Return everything so far, in the order of the list."""
        return tuple(self._found.values())


def fallback_tag(digest: Digest) -> str:
    """Return the tag under which the referrers of this digest are listed."""
    return f"{digest.algorithm}-{digest.hex[:_HEX_MAX]}"


def is_fallback_tag(tag: str) -> bool:
    """Say whether a tag can be such a list."""
    return _FALLBACK.fullmatch(tag) is not None


def listed(referrer: Manifest) -> Descriptor:
    """Return how a list describes a referrer: what it says of itself, its config's type where it names none."""
    config_type = referrer.config.media_type if referrer.config else ""
    return Descriptor(
        referrer.media_type,
        referrer.digest,
        len(referrer.raw),
        annotations=referrer.annotations,
        artifact_type=referrer.artifact_type or config_type,
    )


def with_referrers(
    index: Manifest | None, referrers: Iterable[Manifest], *, without: Collection[Digest] = ()
) -> Manifest | None:
    """Return the list with these added, or None when all of them are listed already.

    What the list holds is kept, fields we do not know included, save what is `without` anything behind it. `Malformed`
    when the tag holds something else: the specification forbids to replace it.
    """
    if index is not None and index.media_type != mediatype.OCI_INDEX:
        raise Malformed(f"the tag that lists referrers holds {index.media_type} instead of an index")
    there = {child.digest for child in index.children} if index is not None else set()
    fresh = {each.digest: listed(each).to_json() for each in referrers if each.digest not in there}
    if not fresh:
        return None
    document: dict[str, Any] = {"schemaVersion": 2, "mediaType": mediatype.OCI_INDEX, "manifests": []}
    if index is not None:
        document = read_document(index.raw, what=f"manifest {index.digest}")
    lost = {str(digest) for digest in without}
    kept = [node for node in document["manifests"] or () if node["digest"] not in lost]
    document["manifests"] = [*kept, *fresh.values()]
    raw = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return Manifest.read(raw, content_type=mediatype.OCI_INDEX)
