"""The index file of a layout: read strictly, changed under a lock, replaced in one step, its predecessor kept.

Blocking; called in the threads of `layout/threads.py`. The order of a change is what makes a crash harmless: the names
of all blobs are durable before an index that names them is written, and the index is durable before it gets its name.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from regsync.errors import IntegrityError, Malformed, NotFound, RegsyncError, StorageError
from regsync.layout.blobs import Blobs
from regsync.layout.files import Files
from regsync.layout.index import Index
from regsync.layout.marker import Marker
from regsync.layout.opened import Lock, Stat
from regsync.layout.paths import VERSION, Paths
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.referrers import fallback_tag, with_referrers

_LARGEST: Final = 64 << 20  # bytes of an index: some 200,000 entries
_ROUNDS: Final = 20  # how often a foreign program may change the index under our hands before we give up
_MARK: Final = {"imageLayoutVersion": VERSION}


@dataclass(frozen=True, slots=True)
class Change:
    """One manifest to enter: under a tag, under its own digest, or (None) not at all; and its subject's referrers."""

    manifest: Manifest
    at: str | Digest | None


class Catalogue:
    """Reads and changes one layout's index. What was read is kept for as long as the file is the same.

    `follows` says whether links to plain files count as files, which is so while nobody writes.
    """

    def __init__(
        self, files: Files, paths: Paths, blobs: Blobs, *, now: Callable[[], datetime], follows: Callable[[], bool]
    ) -> None:
        self._files = files
        self._paths = paths
        self._blobs = blobs
        self._now = now
        self._follows = follows
        self._marker = Marker(files, paths)
        self._read: tuple[Stat, Index] | None = None

    def index(self, *, strict: bool = False) -> Index | None:
        """Return the index, None where there is no layout; a directory that is something else is an error.

        `strict` is for who means to remove what it does not list: no link is followed then.
        """
        follow = not strict and self._follows()
        return self._load(follow=follow)[1] if self.is_layout(follow=follow) else None

    def found(self) -> bool:
        """Make the directory a layout if it is missing or empty, and ready to be written; say whether it has no index.

        One whose index cannot be used, or that leads elsewhere by a link, is refused here: before a blob is written.
        """
        self._load()
        for shelf in (self._paths.stage, *self._paths.shelves):
            if shelf == self._paths.stage or self._files.stat(shelf) is not None:
                self._files.make_directory(shelf)
        if not self.is_layout():
            self._mark()
            self._files.sync_directory(self._paths.root.parent)
        if self._files.stat(self._paths.blobs) is None:
            self._files.make_directory(self._paths.blobs)
            self._files.sync_directory(self._paths.root)
        return self._files.stat(self._paths.index) is None

    def change(self, changes: Sequence[Change | None], *, lock: Lock) -> list[RegsyncError | None]:
        """Enter these in one step and give the lock back; return, for each, why it could not be entered.

        A program that knows nothing of our lock may write meanwhile: whatever it wrote is taken into account.
        """
        try:
            for _ in range(_ROUNDS):
                seen, index = self._load()
                changed, refusals = self._entered(index, changes)
                if (changed is index and seen is not None) or self._commit(seen, index, changed):
                    return refusals
        finally:
            lock.close()
        raise StorageError(f"{self._paths.index} is changed by another program all the time: stop it and run again")

    def is_layout(self, *, follow: bool = False) -> bool:
        """Say whether there is a layout; False for a directory without images, an error for a broken layout."""
        return self._marker.is_layout(reading=follow)

    @property
    def oddity(self) -> str:
        """What is wrong with this layout that a reader need not care about, "" for nothing."""
        return self._marker.oddity

    def _load(self, *, follow: bool = False) -> tuple[Stat | None, Index]:
        seen = self._files.stat(self._paths.index, follow=follow)
        if seen is None:
            if self._files.stat(self._paths.previous) is None and not self._marker.has_blobs():
                return None, Index.empty()
            seen = self._files.stat(self._paths.index, follow=follow)  # somebody may have begun the layout since
            if seen is None:
                raise self._unreadable("it is missing")
        if self._read is not None and self._read[0] == seen:
            return self._read
        try:
            index = Index.read(self._files.read(self._paths.index, limit=_LARGEST, follow=follow))
        except (Malformed, NotFound) as error:
            raise self._unreadable(str(error)) from error
        if self._files.stat(self._paths.index, follow=follow) == seen:
            self._read = seen, index
        return seen, index

    def _unreadable(self, why: str) -> StorageError:
        if self._files.stat(self._paths.previous) is None:
            remedy = "there is no earlier copy of it here"
        else:
            remedy = f"the one before its last change is {self._paths.previous}: look at it and copy it back"
        return StorageError(f"{self._paths.index} cannot be used ({why}); nothing was changed or removed; {remedy}")

    def _entered(self, index: Index, changes: Sequence[Change | None]) -> tuple[Index, list[RegsyncError | None]]:
        refusals: list[RegsyncError | None] = []
        for change in changes:
            try:
                index = index if change is None else self._with(index, change)
            except RegsyncError as error:
                refusals.append(error)
            else:
                refusals.append(None)
        return index, refusals

    def _with(self, index: Index, change: Change) -> Index:
        stamp = self._files.stamp()
        created = self._now() if stamp is None else datetime.fromtimestamp(stamp, tz=self._now().tzinfo)
        if change.manifest.subject is not None:
            tag = fallback_tag(change.manifest.subject.digest)
            referrers = with_referrers(self._referrers(index, tag), [change.manifest])
            if referrers is not None:
                self._blobs.write(referrers.descriptor, (referrers.raw,))
                index = index.with_entry(referrers.descriptor, at=tag, created=created)
        if change.at is None:
            return index
        return index.with_entry(change.manifest.descriptor, at=change.at, created=created)

    def _referrers(self, index: Index, tag: str) -> Manifest | None:
        entry = index.find(tag)
        if entry is None:
            return None
        known: Descriptor = entry.descriptor
        try:
            return Manifest.read(self._blobs.read(known.digest), content_type=known.media_type, expected=known.digest)
        except (NotFound, IntegrityError):  # what a damaged list named is lost, and it is written anew
            return None

    def _commit(self, seen: Stat | None, before: Index, index: Index) -> bool:
        """Replace the index; False when it is no longer the one that was `seen`. An empty one need not be kept."""
        self._blobs.sync_names()
        staged = self._staged(index.render())
        with self._passing(staged):
            if self._files.stat(self._paths.index) != seen:
                self._files.remove(staged)
                return False
            if before.entries:
                self._keep_previous()
            self._files.rename(staged, self._paths.index)
        self._files.sync_directory(self._paths.root)
        now = self._files.stat(self._paths.index)
        self._read = None if now is None else (now, index)
        return True

    def _keep_previous(self) -> None:
        kept = self._files.unique(self._paths.stage)
        if not self._files.link(self._paths.index, kept):
            kept = self._staged(self._files.read(self._paths.index, limit=_LARGEST))
        with self._passing(kept):
            self._files.rename(kept, self._paths.previous)
        self._files.remove(kept)  # still there if both were links to one file: then renaming does nothing, says POSIX

    def _mark(self) -> None:
        staged = self._staged(json.dumps(_MARK, separators=(",", ":")).encode())
        with self._passing(staged):
            self._files.rename(staged, self._paths.marker)

    def _staged(self, raw: bytes) -> Path:
        staged = self._blobs.stage()
        try:
            staged.write((raw,))
            staged.sync()
            staged.close()
        except BaseException:
            self._blobs.discard(staged)
            raise
        return staged.path

    @contextlib.contextmanager
    def _passing(self, staged: Path) -> Iterator[None]:
        """Remove a staged file that did not get its name."""
        try:
            yield
        except BaseException:
            with contextlib.suppress(RegsyncError):
                self._files.remove(staged)
            raise
