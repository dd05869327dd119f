"""What lies below a manifest of a layout, looked at: a file that is there proves nothing of what it names.

A layout is files. Garbage collection, a killed program or a person may have left a manifest whose parts are gone, so a
writer is told of a manifest only if all of it is there: it copies, and heals, what else it would have relied on.
Manifests are read; of blobs, presence and size count. Children that are left out of an index on purpose are not looked
for: which these are, whoever asks says each time (`sparse`), so a layout keeps no note of it that could be wrong or
lost. Blocking; called in the threads of `layout/threads.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from regsync.errors import Incomplete, Malformed, NotFound, Unsupported
from regsync.layout.blobs import Blobs
from regsync.layout.files import Files
from regsync.layout.paths import Paths
from regsync.oci.descriptor import SIZE_UNKNOWN, Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.mediatype import is_blob, is_manifest
from regsync.oci.platform import Platforms

_DEEPEST: Final = 16  # indexes below indexes, as `transfer/plan.py` copies them; RELIABILITY B12
_MOST: Final = 100_000  # manifests below one root
_KEPT: Final = 100_000  # descriptors that are remembered from manifests read


@dataclass(frozen=True, slots=True)
class _Names:
    """What a manifest names: the blobs that have to be here, and its children."""

    blobs: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest) -> _Names:
        """A foreign layer stays where its URLs say."""
        return cls(manifest.blobs_at_home, manifest.children)


class Whole:
    """Proves manifests of one layout. What was seen whole counts until `forget`: the lease keeps it from the sweep.

    What a manifest names is remembered for longer: its digest stands for it, as long as its file is the one read.
    """

    def __init__(self, files: Files, paths: Paths, blobs: Blobs) -> None:
        self._files = files
        self._paths = paths
        self._blobs = blobs
        self._known: dict[Platforms | None, set[Digest]] = {}
        self._losses = 0
        self._read: dict[Digest, _Names] = {}
        self._kept = 0

    def forget(self) -> None:
        """Look at everything again from now on."""
        self._known = {}  # a thread that nobody waits for any more may still add to the one before

    def prove(self, listed: Descriptor, *, sparse: Platforms | None = None) -> None:
        """Raise `Incomplete` unless this and all below it is there. One nobody can read counts by its own bytes."""
        self._demand(listed)
        self._known.get(sparse, set()).discard(listed.digest)  # its own file is looked at in any case
        self._walk([listed], set(), sparse)

    def prove_parts(self, manifest: Manifest, *, sparse: Platforms | None = None) -> None:
        """Raise `Incomplete` unless all below this manifest is there, whether itself is or not."""
        if manifest.digest not in self._known.get(sparse, ()):
            self._walk(self._children(_Names.of(manifest), sparse), {manifest.digest}, sparse)

    def _walk(self, level: Sequence[Descriptor], seen: set[Digest], sparse: Platforms | None) -> None:
        """Go down level by level; every manifest is looked at once."""
        losses = self._blobs.losses
        if self._losses != losses:  # what was whole may have lost a damaged part
            self._losses = losses
            self.forget()
        known = self._known.setdefault(sparse, set())
        for _ in range(_DEEPEST + 1):
            level = [child for each in level for child in self._below(each, seen, known, sparse)]
            if len(seen) > _MOST:
                raise Incomplete(f"more than {_MOST} manifests are below it")
            if not level:
                if losses == self._blobs.losses:
                    known.update(seen)
                return
        raise Incomplete(f"indexes are nested more than {_DEEPEST} deep")

    def _below(
        self, each: Descriptor, seen: set[Digest], known: set[Digest], sparse: Platforms | None
    ) -> Iterable[Descriptor]:
        """Return what this names, if that has to be looked at."""
        if is_blob(each.media_type) or (not is_manifest(each.media_type) and each.size > MANIFEST_MAX):
            self._demand(each)
            return ()
        if each.digest in seen or each.digest in known:
            return ()
        seen.add(each.digest)
        return self._children(self._names(each), sparse)

    def _children(self, names: _Names, sparse: Platforms | None) -> Sequence[Descriptor]:
        for blob in names.blobs:
            self._demand(blob)
        return names.children if sparse is None else [child for child in names.children if sparse.takes(child)]

    def _names(self, each: Descriptor) -> _Names:
        """Return what a manifest names: nothing, when it is a blob of unknown type, or right and yet not readable."""
        seen = self._files.stat(self._paths.blob(each.digest))
        if seen is None or not seen.regular:
            raise Incomplete(f"{each.digest} is missing")
        names = self._read.get(each.digest)
        if names is not None and self._blobs.is_proved(seen, each.digest):
            return names
        if seen.size > MANIFEST_MAX:
            raise Incomplete(f"{each.digest} is damaged")
        try:
            raw = self._blobs.read_proved(each.digest)
        except NotFound as error:
            raise Incomplete(f"{each.digest} is missing") from error
        if raw is None:
            raise Incomplete(f"{each.digest} is damaged")
        return self._noted(each.digest, _named_in(raw, each))

    def _noted(self, digest: Digest, names: _Names) -> _Names:
        self._kept += 1 + len(names.blobs) + len(names.children)
        if self._kept > _KEPT:
            self._read.clear()
            self._kept = 1 + len(names.blobs) + len(names.children)
        self._read[digest] = names
        return names

    def _demand(self, blob: Descriptor) -> None:
        seen = self._files.stat(self._paths.blob(blob.digest))
        if seen is None or not seen.regular:
            raise Incomplete(f"{blob.digest} is missing")
        if blob.size not in {seen.size, SIZE_UNKNOWN}:
            raise Incomplete(f"{blob.digest} has {seen.size} of {blob.size} bytes")


def _named_in(raw: bytes, each: Descriptor) -> _Names:
    for media_type in (each.media_type, ""):  # what lists it may be wrong about its type
        try:
            return _Names.of(Manifest.read(raw, content_type=media_type, expected=each.digest))
        except (Malformed, Unsupported):
            continue
    return _Names()
