"""What a tag or digest of a layout stands for. Blocking; called in the threads of `layout/threads.py`."""

from __future__ import annotations

from dataclasses import dataclass

from regsync.errors import Incomplete, IntegrityError, Malformed, NotFound, StorageError, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue
from regsync.layout.whole import Whole
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms

_LOST = (
    "write the layout anew; if its blobs lie in a directory that layouts share (skopeo's --dest-shared-blob-dir), make "
    "blobs/sha256 a link to the sha256 in that"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a tag or digest stands for, None for nothing, and what that `lacks` if the index lists it.

    `disputed`: other entries of the index claim the same tag for something else.
    """

    manifest: Descriptor | None = None
    lacks: str = ""
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Finder:
    """Looks up manifests of the layout that people call `name`."""

    catalogue: Catalogue
    blobs: Blobs
    whole: Whole
    name: str

    def head(self, ref: str | Digest, *, proving: bool, sparse: Platforms | None = None) -> Found:
        """Look one up; `proving` looks at all below it, of indexes, with `sparse`, at these children only."""
        index = self.catalogue.index()
        entry = None if index is None else index.find(ref)
        try:
            if index is not None and entry is not None:
                found = self._listed(entry.descriptor, proving=proving, sparse=sparse)
                return Found(found, disputed=index.is_disputed(ref))
            if index is not None and isinstance(ref, Digest):
                return Found(self._unlisted(ref, proving=proving, sparse=sparse))
        except Incomplete as error:
            return Found(lacks="" if entry is None else str(error))
        return Found()

    def get(self, ref: str | Digest) -> Manifest:
        """Return the manifest, proved; a digest no entry lists is looked for among the blobs."""
        index = self.catalogue.index()
        entry = None if index is None else index.find(ref)
        if entry is not None:
            return self._read(entry.descriptor, ref)
        if index is None or not isinstance(ref, Digest):
            raise NotFound(f"{self.name} has no manifest {ref}")
        return Manifest.read(self.blobs.read(ref), expected=ref)

    def _read(self, known: Descriptor, ref: str | Digest) -> Manifest:
        try:
            raw = self.blobs.read(known.digest) if known.data is None else known.data
        except NotFound as error:
            lost = f"{self.name}: index.json lists {ref} as {known.digest}, and {error}"
            raise StorageError(f"{lost}: {_LOST}") from error
        try:
            return Manifest.read(raw, content_type=known.media_type, expected=known.digest)
        except Malformed:
            itself = Manifest.read(raw, expected=known.digest)  # else it cannot be read in any case
            raise Malformed(
                f"{self.name}: index.json lists {known.digest} as {known.media_type[:200]!r}, and its file says "
                f"that it is {itself.media_type!r}: correct index.json, or write the layout anew"
            ) from None

    def _listed(self, known: Descriptor, *, proving: bool, sparse: Platforms | None) -> Descriptor:
        if proving:
            self.whole.prove(known, sparse=sparse)
        elif known.data is None and not self.blobs.has(known):
            raise Incomplete(f"{known.digest} is missing or damaged")
        if known.media_type:
            return known
        return Manifest.read(known.data or self.blobs.read(known.digest), expected=known.digest).descriptor

    def _unlisted(self, digest: Digest, *, proving: bool, sparse: Platforms | None) -> Descriptor:
        try:
            manifest = Manifest.read(self.blobs.read(digest), expected=digest)
        except (NotFound, IntegrityError, Malformed, Unsupported) as error:
            raise Incomplete(str(error)) from error
        if proving:
            self.whole.prove_parts(manifest, sparse=sparse)
        return manifest.descriptor
