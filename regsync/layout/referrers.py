"""What refers to a manifest in a layout: what the list under its tag names, and on demand all the index lists.

Blocking; called in the threads of `layout/threads.py`. A layout has no API, so writers keep the list; tools that only
enter their manifests in the index leave referrers that no list names, and looking for them means reading everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from threading import Event

from regsync.errors import Incomplete, IntegrityError, Malformed, NotFound, StorageError, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue
from regsync.layout.index import Index
from regsync.layout.whole import Whole
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.mediatype import is_blob
from regsync.oci.referrers import Referrers, fallback_tag, listed

_Found = Mapping[Digest, Sequence[Descriptor]]


class LayoutReferrers:
    """The referrers of one layout, which people call `name`; `closing` stops the search when the program ends."""

    def __init__(self, catalogue: Catalogue, blobs: Blobs, whole: Whole, *, name: str, closing: Event) -> None:
        self._catalogue = catalogue
        self._blobs = blobs
        self._whole = whole
        self._name = name
        self._closing = closing
        self._searched: tuple[Index, _Found] | None = None

    def of(self, subject: Digest, *, slow: bool, proving: bool) -> tuple[Descriptor, ...]:
        """Return what refers to this digest; with `proving` only what is whole, and a damaged list names nothing."""
        index = self._catalogue.index()
        if index is None:
            return ()
        found = Referrers(f"referrers of {self._name}@{subject}")
        page = self._list(index, fallback_tag(subject), proving=proving)
        if page is not None:
            found.add(page)
        if slow:
            found.take(self._search(index).get(subject, ()))
        return tuple(each for each in found.all if not proving or self._is_whole(each))

    def _list(self, index: Index, tag: str, *, proving: bool) -> Manifest | None:
        entry = index.find(tag)
        if entry is None:
            return None
        known = entry.descriptor
        try:
            return Manifest.read(self._blobs.read(known.digest), content_type=known.media_type, expected=known.digest)
        except (NotFound, IntegrityError) as error:
            if proving:  # it is written anew with the first referrer that is entered
                return None
            raise StorageError(f"{self._name}:{tag}, a list of referrers, is damaged: {error}") from error

    def _is_whole(self, referrer: Descriptor) -> bool:
        try:
            self._whole.prove(referrer)
        except Incomplete:
            return False
        return True

    def _search(self, index: Index) -> _Found:
        """Return all that the index lists and that has a subject, by that; read once for each state of the index."""
        if self._searched is None or self._searched[0] is not index:
            found: dict[Digest, list[Descriptor]] = defaultdict(list)
            for manifest in self._manifests(index):
                if manifest.subject is not None:
                    found[manifest.subject.digest].append(listed(manifest))
            self._searched = index, dict(found)
        return self._searched[1]

    def _manifests(self, index: Index) -> Iterator[Manifest]:
        for known in dict.fromkeys(
            entry.descriptor for entry in index.entries if not is_blob(entry.descriptor.media_type)
        ):
            if self._closing.is_set():
                raise StorageError(f"stopped while searching {self._name} for referrers")
            try:
                raw = self._blobs.read(known.digest)
                yield Manifest.read(raw, content_type=known.media_type, expected=known.digest)
            except (NotFound, IntegrityError, Malformed, Unsupported):
                continue  # nobody can be told by it what it refers to
