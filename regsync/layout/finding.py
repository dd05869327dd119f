"""What a tag or digest of a layout stands for. Blocking; called in the threads of `layout/threads.py`."""

from __future__ import annotations

from dataclasses import dataclass

from regsync.errors import Incomplete, IntegrityError, Malformed, NotFound, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue
from regsync.layout.whole import Whole
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks up manifests of the layout that people call `name`."""

    catalogue: Catalogue
    blobs: Blobs
    whole: Whole
    name: str

    def head(
        self, ref: str | Digest, *, proving: bool, sparse: Platforms | None = None
    ) -> tuple[Descriptor | None, str]:
        """Return what is found, and what is missing of that if the index lists it.

        `proving` looks at all below it, of indexes, with `sparse`, at these children only.
        """
        index = self.catalogue.index()
        entry = None if index is None else index.find(ref)
        try:
            if entry is not None:
                found = self._listed(entry.descriptor, proving=proving, sparse=sparse)
            elif index is not None and isinstance(ref, Digest):
                found = self._unlisted(ref, proving=proving, sparse=sparse)
            else:
                return None, ""
        except Incomplete as error:
            return None, "" if entry is None else str(error)
        return found, ""

    def get(self, ref: str | Digest) -> Manifest:
        """Return the manifest, proved; a digest no entry lists is looked for among the blobs."""
        index = self.catalogue.index()
        entry = None if index is None else index.find(ref)
        if entry is None:
            if index is None or not isinstance(ref, Digest):
                raise NotFound(f"{self.name} has no manifest {ref}")
            return Manifest.read(self.blobs.read(ref), expected=ref)
        known = entry.descriptor
        return Manifest.read(self.blobs.read(known.digest), content_type=known.media_type, expected=known.digest)

    def _listed(self, known: Descriptor, *, proving: bool, sparse: Platforms | None) -> Descriptor:
        if proving:
            self.whole.prove(known, sparse=sparse)
        elif not self.blobs.has(known):
            raise Incomplete(f"{known.digest} is missing or damaged")
        return known

    def _unlisted(self, digest: Digest, *, proving: bool, sparse: Platforms | None) -> Descriptor:
        try:
            manifest = Manifest.read(self.blobs.read(digest), expected=digest)
        except (NotFound, IntegrityError, Malformed, Unsupported) as error:
            raise Incomplete(str(error)) from error
        if proving:
            self.whole.prove_parts(manifest, sparse=sparse)
        return manifest.descriptor
