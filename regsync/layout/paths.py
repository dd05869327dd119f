"""Where things lie in a layout directory (image-spec, image-layout.md) and in our hidden corner of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from regsync.oci.digest import ALGORITHMS, Digest

HIDDEN: Final = ".regsync"
MARKER: Final = "oci-layout"
VERSION: Final = "1.0.0"  # of the layout, the only one there is (image-layout.md)


@dataclass(frozen=True, slots=True)
class Paths:
    """The names under one root. Other tools ignore `.regsync`; when nobody writes, at most `previous` is in it."""

    root: Path
    _shelves: Mapping[str, Path] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_shelves", {algorithm: self.blobs / algorithm for algorithm in ALGORITHMS})

    @property
    def marker(self) -> Path:
        """What makes the directory a layout."""
        return self.root / MARKER

    @property
    def index(self) -> Path:
        """What lists the tags."""
        return self.root / "index.json"

    @property
    def blobs(self) -> Path:
        """Blobs and manifests, by algorithm."""
        return self.root / "blobs"

    @property
    def shelves(self) -> Iterable[Path]:
        """Where blobs lie, by algorithm. What else is in `blobs` is not ours: it may be a layout of its own."""
        return self._shelves.values()

    @property
    def hidden(self) -> Path:
        """What only we write."""
        return self.root / HIDDEN

    @property
    def stage(self) -> Path:
        """Files on their way to their name."""
        return self.hidden / "stage"

    @property
    def quarantine(self) -> Path:
        """What stood under a digest it does not have."""
        return self.hidden / "quarantine"

    @property
    def previous(self) -> Path:
        """The index before its last change."""
        return self.hidden / "index.json.previous"

    @property
    def lease(self) -> Path:
        """Held shared by every process that writes, alone by one that collects garbage."""
        return self.hidden / "lease.lock"

    @property
    def index_lock(self) -> Path:
        """Held by whoever changes the index."""
        return self.hidden / "index.lock"

    def blob(self, digest: Digest) -> Path:
        """Return where this content lies."""
        return self._shelves[digest.algorithm] / digest.hex
