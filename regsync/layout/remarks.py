"""What is told of a layout besides errors, each once: what is odd there, and what we do about it."""

from __future__ import annotations

from regsync.events import Tell, Warned
from regsync.layout.finding import Found
from regsync.layout.index import Index
from regsync.oci.digest import Digest

DAMAGED = "A tag of this layout is damaged"
DISPUTED = "Several entries of this layout have one tag"
ODD = "Layout is odd, and read all the same"
UNTAGGED = "No image of this layout has a tag"
_SHOWN = 5  # digests


class Remarks:
    """Tells them of the layout that people call `name`."""

    def __init__(self, name: str, tell: Tell) -> None:
        self._name = name
        self._tell = tell
        self._told: set[tuple[str, str]] = set()

    def of_found(self, found: Found, ref: str | Digest, *, writing: bool) -> None:
        """Tell a writer what a tag lacks, and a reader which of several entries was taken."""
        if found.lacks and writing:
            self._warn(DAMAGED, str(ref), tag=str(ref), missing=found.lacks)
        elif found.disputed and not writing:
            self._warn(DISPUTED, str(ref), tag=str(ref), taken=str(found.manifest and found.manifest.digest))

    def of_index(self, index: Index | None, *, oddity: str) -> None:
        """Tell a reader what is odd about the layout, and how its images are named that have no tag."""
        if oddity:
            self._warn(ODD, oddity, why=oddity)
        if index is not None and index.entries and not index.tags():
            digests = [str(entry.descriptor.digest) for entry in index.entries]
            shown = ", ".join(digests[:_SHOWN]) + (", ..." if len(digests) > _SHOWN else "")
            self._warn(UNTAGGED, "", images=str(len(digests)), digests=shown, use=f"{self._name}@DIGEST")

    def _warn(self, message: str, key: str, **fields: str) -> None:
        if (message, key) not in self._told:
            self._told.add((message, key))
            self._tell(Warned(message, {"layout": self._name, **fields}))
