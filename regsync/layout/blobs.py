"""The content of a layout: files named by their digest, staged, proved, synced and only then given that name.

Blocking; called in the threads of `layout/threads.py`. A file counts as there when its bytes were hashed by this
process: peers who trust a bare look at the name copy over a damaged blob for ever without healing it. In a source, a
blob may be a link to a plain file (bazel); then it is hashed before the first byte is handed out, wherever it leads.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event
from typing import Final

from regsync.errors import IntegrityError, NotFound, RegsyncError, StorageError
from regsync.layout.files import Files
from regsync.layout.opened import OpenFile, Stat
from regsync.layout.paths import MARKER, Paths
from regsync.layout.proofs import Proofs
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX

PIECE: Final = 1 << 20  # bytes read, and hashed, at once


class Blobs:
    """The blobs of one layout. `closing` stops the hashing of a large one when the program ends.

    `follows` says whether links to plain files count as files, which is so while nobody writes.
    """

    def __init__(
        self, files: Files, paths: Paths, proofs: Proofs, *, closing: Event, follows: Callable[[], bool]
    ) -> None:
        self._files = files
        self._paths = paths
        self._proofs = proofs
        self._closing = closing
        self._follows = follows
        self.losses = 0  # how often something was moved out of the way

    def has(self, blob: Descriptor) -> bool:
        """Say whether the blob is there with its size and, hashed once, its digest; nothing is touched."""
        seen = self._seen(blob.digest)
        if seen is None or not seen.regular or seen.size != blob.size:
            return False
        try:
            return self._proved(seen, blob.digest)
        except NotFound:  # gone since we looked
            return False

    def size_of(self, digest: Digest) -> int | None:
        """Return the length of the blob's file, None when there is none."""
        seen = self._seen(digest)
        return seen.size if seen is not None and seen.regular else None

    def has_or_clears(self, blob: Descriptor) -> bool:
        """Say the same, and move what stands under the digest without having it out of the way.

        Content that has the digest stays, even when the descriptor lies about its size: a source must not be able to
        make us throw away what is good.
        """
        seen = self._files.stat(self._paths.blob(blob.digest))
        if seen is None:
            return False
        try:
            if seen.regular and self._proved(seen, blob.digest):
                return seen.size == blob.size
        except NotFound:  # another process was quicker
            return False
        self._set_aside(blob.digest, seen)
        return False

    def open(self, blob: Descriptor, *, start: int = 0) -> OpenFile:
        """Open the blob to read from this byte on; a file of another size is damaged, and waiting will not mend it."""
        with contextlib.ExitStack() as undo:
            file = self._files.open(self._paths.blob(blob.digest), follow=self._follows())
            undo.callback(file.close)
            opened = file.stat()
            if opened.size != blob.size:
                raise _damaged(file.path, f"has {opened.size} of {blob.size} bytes")
            if not self._is_here(opened, file.path) and not (
                self._proofs.hold(opened, blob.digest) or self._is_right(file, blob.digest)
            ):
                raise _damaged(file.path, "leads to a file that is not what its name says")
            file.seek(start)
            undo.pop_all()
        return file

    def acquit(self, blob: Descriptor) -> None:
        """Raise if the file is not what its name says: whoever read it got other bytes, and asks whose fault it was."""
        if not self.has(blob):
            raise _damaged(self._paths.blob(blob.digest), "is not what its name says")

    def read(self, digest: Digest) -> bytes:
        """Return a manifest's bytes, unproved; `NotFound` when they are not there."""
        return self._files.read(self._paths.blob(digest), limit=MANIFEST_MAX, follow=self._follows())

    def read_proved(self, digest: Digest) -> bytes | None:
        """Return a manifest's bytes, None when they are not what their name says; `NotFound` when not there."""
        path = self._paths.blob(digest)
        before = self._files.stat(path)
        raw = self._files.read(path, limit=MANIFEST_MAX)
        if Digest.of(raw, digest.algorithm) != digest:
            return None
        if before is not None and before == self._files.stat(path):  # not while somebody writes into it
            self._proofs.add(before, digest)
        return raw

    def is_proved(self, seen: Stat, digest: Digest) -> bool:
        """Say whether a file in this state is known to be what its name says."""
        return self._proofs.hold(seen, digest)

    def stage(self) -> OpenFile:
        """Open a new file on its way to become a blob."""
        return self._files.create(self._files.unique(self._paths.stage))

    def discard(self, staged: OpenFile) -> None:
        """Remove a file that became no blob; what the disk says to that helps nobody."""
        for step in (staged.close, lambda: self._files.remove(staged.path)):
            with contextlib.suppress(RegsyncError):
                step()

    def settle(self, staged: OpenFile, blob: Descriptor) -> None:
        """Make a staged file, wholly written and proved, this blob; removed when that fails.

        Its directory is synced later, before an index names the blob.
        """
        try:
            staged.sync()
            written = _whole(staged, blob)
            staged.close()
            self._name(staged, written, blob.digest)
        except BaseException:
            self.discard(staged)
            raise

    def write(self, blob: Descriptor, pieces: Iterable[bytes]) -> None:
        """Store small, proved content in one go."""
        staged = self.stage()
        try:
            staged.write(pieces)
        except BaseException:
            self.discard(staged)
            raise
        self.settle(staged, blob)

    def can_adopt(self, blob: Descriptor, neighbour: Blobs) -> bool:
        """Say whether a neighbour has the blob, hashed once, on our file system; its troubles are not ours."""
        home = self._files.stat(self._paths.stage)
        try:
            seen = self._files.stat(neighbour._paths.blob(blob.digest))
            if seen is None or home is None or not seen.regular:
                return False
            return seen.device == home.device and neighbour.has(blob)
        except StorageError:
            return False

    def adopt(self, blob: Descriptor, neighbour: Blobs) -> bool:
        """Link such a blob under our own name for it; False where the file system forbids that.

        One after another: a link is a change of the file, which is not proved while somebody else makes one.
        """
        with self._proofs.linking:
            return self.can_adopt(blob, neighbour) and self._link(blob, neighbour)

    def _link(self, blob: Descriptor, neighbour: Blobs) -> bool:
        path, staged = neighbour._paths.blob(blob.digest), self._files.unique(self._paths.stage)
        seen = self._files.stat(path)
        try:
            if seen is None or not self._proofs.hold(seen, blob.digest) or not self._files.link(path, staged):
                return False
        except NotFound:  # it went meanwhile
            return False
        try:
            file = self._files.open(staged)
            linked = file.stat()
            if linked.content != seen.content:
                self.discard(file)
                return False
        except BaseException:
            self._files.remove(staged)
            raise
        self.settle(file, blob)
        self._files.remove(staged)  # renaming a link over another link to the same file does nothing, says POSIX
        return True

    def sync_names(self) -> None:
        """Return when every blob's name survives a power cut; an index may name them from then on."""
        for shelf in self._paths.shelves:
            seen = self._files.stat(shelf)
            if seen is not None and seen.directory:
                self._files.sync_directory(shelf)
        self._files.sync_directory(self._paths.blobs)

    def _name(self, staged: OpenFile, written: Stat, digest: Digest) -> None:
        path = self._paths.blob(digest)
        seen = self._files.stat(path)
        if seen is None:
            self._files.make_directory(path.parent)
        elif seen.directory:  # the one thing a file cannot be renamed over
            self._set_aside(digest, seen)
        self._files.rename(staged.path, path)
        named = self._files.stat(path)
        if named is not None and named.content == written.content:
            self._proofs.add(named, digest)

    def _set_aside(self, digest: Digest, seen: Stat) -> None:
        """Move what was seen under this digest out of the way, and not what another process has put there since."""
        path = self._paths.blob(digest)
        if self._is_layout(path):
            raise StorageError(f"{path} is a layout where a blob of {self._paths.root} belongs: move it away")
        self._files.make_directory(self._paths.quarantine)
        self.losses += 1
        if self._files.stat(path) == seen:
            with contextlib.suppress(NotFound):  # gone in this moment
                self._files.rename(path, self._files.unique(self._paths.quarantine))

    def _is_layout(self, path: Path) -> bool:
        seen = self._files.stat(path)
        return seen is not None and seen.directory and self._files.stat(path / MARKER) is not None

    def _seen(self, digest: Digest) -> Stat | None:
        return self._files.stat(self._paths.blob(digest), follow=self._follows())

    def _is_here(self, opened: Stat, path: Path) -> bool:
        """Say whether what was opened by this name is the file itself, and not where a link leads."""
        named = self._files.stat(path)
        return named is not None and (named.device, named.inode) == (opened.device, opened.inode)

    def _proved(self, seen: Stat, digest: Digest) -> bool:
        if self._proofs.hold(seen, digest):
            return True
        with contextlib.closing(self._files.open(self._paths.blob(digest), follow=self._follows())) as file:
            return self._is_right(file, digest)

    def _is_right(self, file: OpenFile, digest: Digest) -> bool:
        """Say whether a file that was just opened has this digest."""
        hasher, opened = digest.hasher(), file.stat()
        while piece := file.read(PIECE):
            if self._closing.is_set():
                raise StorageError(f"stopped while hashing {file.path}")
            hasher.update(piece)
        ended = file.stat()
        if hasher.hexdigest() != digest.hex:
            return False
        if opened == ended:  # not while somebody writes into it
            self._proofs.add(ended, digest)
        return True


def _damaged(path: Path, why: str) -> StorageError:
    return StorageError(f"{path} is damaged: it {why}; copy it anew from where it came")


def _whole(staged: OpenFile, blob: Descriptor) -> Stat:
    written = staged.stat()
    if written.size != blob.size:
        raise IntegrityError(f"{staged.path} has {written.size} of {blob.size} bytes")
    return written
