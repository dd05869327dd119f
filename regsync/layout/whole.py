"""What lies below a manifest of a layout, looked at: a file that is there proves nothing of what it names.

A layout is files. Garbage collection, a killed program or a person may have left a manifest whose parts are gone, so a
writer is told of a manifest only if all of it is there: it copies, and heals, what else it would have relied on.
Manifests are read; of blobs, presence and size count. Blocking; called in the threads of `layout/threads.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from regsync.errors import Incomplete, IntegrityError, Malformed, NotFound, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.files import Files
from regsync.layout.paths import Paths
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.mediatype import is_blob, is_manifest

_DEEPEST: Final = 16  # indexes below indexes, as `transfer/plan.py` copies them; RELIABILITY B12
_MOST: Final = 100_000  # manifests below one root


class Whole:
    """Proves manifests of one layout. What was seen whole counts until `forget`: the lease keeps it from the sweep."""

    def __init__(self, files: Files, paths: Paths, blobs: Blobs) -> None:
        self._files = files
        self._paths = paths
        self._blobs = blobs
        self._known: set[Digest] = set()
        self._losses = 0

    def forget(self) -> None:
        """Look at everything again from now on."""
        self._known.clear()

    def prove(self, listed: Descriptor) -> None:
        """Raise `Incomplete` unless this and all below it is there. One nobody can read counts by its own bytes."""
        self._walk([listed], set())

    def prove_parts(self, manifest: Manifest) -> None:
        """Raise `Incomplete` unless all below this manifest is there, whether itself is or not."""
        if manifest.digest not in self._known:
            self._walk(self._parts(manifest), {manifest.digest})

    def _walk(self, level: Sequence[Descriptor], seen: set[Digest]) -> None:
        """Go down level by level; every manifest is read once and not kept."""
        losses = self._blobs.losses
        if self._losses != losses:  # what was whole may have lost a damaged part
            self._losses = losses
            self._known.clear()
        for _ in range(_DEEPEST + 1):
            level = [child for each in level for child in self._below(each, seen)]
            if len(seen) > _MOST:
                raise Incomplete(f"more than {_MOST} manifests are below it")
            if not level:
                if losses == self._blobs.losses:
                    self._known.update(seen)
                return
        raise Incomplete(f"indexes are nested more than {_DEEPEST} deep")

    def _below(self, each: Descriptor, seen: set[Digest]) -> Iterable[Descriptor]:
        """Return what this names, if that has to be looked at."""
        if is_blob(each.media_type) or (not is_manifest(each.media_type) and each.size > MANIFEST_MAX):
            self._demand(each)
            return ()
        if each.digest in seen or each.digest in self._known:
            return ()
        seen.add(each.digest)
        manifest = self._read(each)
        return () if manifest is None else self._parts(manifest)

    def _parts(self, manifest: Manifest) -> Sequence[Descriptor]:
        for blob in manifest.blobs:
            if not blob.urls:  # a foreign layer stays where its URLs say
                self._demand(blob)
        return manifest.children

    def _read(self, each: Descriptor) -> Manifest | None:
        """Read a manifest; None for a blob of a type nobody has told us, and for what is right and yet not readable."""
        seen = self._files.stat(self._paths.blob(each.digest))
        if seen is None or not seen.regular:
            raise Incomplete(f"{each.digest} is missing")
        if seen.size > MANIFEST_MAX:
            raise Incomplete(f"{each.digest} is damaged")
        try:
            raw = self._blobs.read(each.digest)
        except NotFound as error:
            raise Incomplete(f"{each.digest} is missing") from error
        if Digest.of(raw, each.digest.algorithm) != each.digest:
            raise Incomplete(f"{each.digest} is damaged")
        for media_type in (each.media_type, ""):  # what lists it may be wrong about its type
            try:
                return Manifest.read(raw, content_type=media_type, expected=each.digest)
            except (Malformed, Unsupported, IntegrityError):
                continue
        return None

    def _demand(self, blob: Descriptor) -> None:
        seen = self._files.stat(self._paths.blob(blob.digest))
        if seen is None or not seen.regular:
            raise Incomplete(f"{blob.digest} is missing")
        if seen.size != blob.size:
            raise Incomplete(f"{blob.digest} has {seen.size} of {blob.size} bytes")
