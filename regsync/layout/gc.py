"""What no index entry leads to any more goes, when nobody writes and nobody's blob can be in flight.

Blocking. Mark: everything index.json lists, children of indexes, configs and layers; a `subject` is not followed,
referrers live because the fallback index lists them. A manifest we cannot understand keeps all it mentions. What is
younger than the grace stays, with all it names, since other tools write their blobs first and the index last, and know
nothing of our locks. Sweep: only files whose name is a digest, parents before children; so it may be killed at any
point, and no manifest is left whose parts are gone.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final

from regsync.errors import Malformed, NotFound, RegsyncError, StorageError
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue
from regsync.layout.files import Files
from regsync.layout.lease import taken
from regsync.layout.paths import Paths
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.mediatype import is_blob

_BEGINNING: Final = 1 << 16  # bytes in which a document begins
_MENTIONED: Final = re.compile(rb"sha(?:256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Collector:
    """Collects one layout. `grace` is in seconds."""

    files: Files
    paths: Paths
    blobs: Blobs
    catalogue: Catalogue
    grace: float

    def collect(self, *, now: float) -> int | None:
        """Remove what is not needed, and what only writers need; return how many blobs went.

        None when another process is at work. `now` is in seconds since 1970.
        """
        return self._leave(lambda: self._sweep(now))

    def leave(self) -> None:
        """Remove what only writers need, unless another process is at work."""
        self._leave(lambda: 0)

    def _leave(self, sweep: Callable[[], int]) -> int | None:
        if self.files.stat(self.paths.root) is None:
            return None
        with self._alone() as alone:
            if not alone:
                return None
            try:
                removed = sweep()
            finally:
                self._clear()
                self.files.remove(self.paths.index_lock)
                self.files.remove(self.paths.lease)
        self.files.remove_directory(self.paths.hidden)
        return removed

    def clear_left(self) -> None:
        """Remove what processes that were killed had staged, if nobody writes."""
        if self.files.names(self.paths.stage):
            with self._alone() as alone:
                if alone:
                    self._clear()

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        with contextlib.ExitStack() as locks:
            for path in (self.paths.lease, self.paths.index_lock):
                lock = taken(path, exclusive=True, files=self.files)
                if lock is None:
                    yield False
                    return
                locks.callback(lock.close)
            yield True

    def _clear(self) -> None:
        for directory in (self.paths.stage, self.paths.quarantine):
            for name in self.files.names(directory) or ():
                seen = self.files.stat(directory / name)
                if seen is not None and not seen.directory:
                    self.files.remove(directory / name)
            self.files.remove_directory(directory)

    def _sweep(self, now: float) -> int:
        index = self.catalogue.index(strict=True)
        if index is None or self.files.stat(self.paths.index) is None:
            return 0
        needed = self._marked([entry.descriptor for entry in index.entries])
        ages = {digest: self._age(digest, now) for digest in self._present() if digest not in needed}
        young = [digest for digest, age in ages.items() if age <= self.grace and self._may_name(digest)]
        needed |= self._marked([Descriptor("", digest, 0) for digest in young])
        old = [digest for digest, age in ages.items() if age > self.grace and digest not in needed]
        for digest in self._parents_first(old):
            self.files.remove(self.paths.blob(digest))
        return len(old)

    def _parents_first(self, digests: Sequence[Digest]) -> Sequence[Digest]:
        sorter: TopologicalSorter[Digest] = TopologicalSorter()
        among = set(digests)
        for digest in digests:
            sorter.add(digest)
            if self._may_name(digest):
                for named in among & self._marked([Descriptor("", digest, 0)]) - {digest}:
                    sorter.add(named, digest)
        try:
            return list(sorter.static_order())
        except CycleError:  # of damaged files, which may claim anything
            return digests

    def _marked(self, wanted: list[Descriptor]) -> set[Digest]:
        """Return all of this and what lies below it; a layer of one image may be the manifest of another."""
        marked, read = set[Digest](), set[Digest]()
        while wanted:
            descriptor = wanted.pop()
            marked.add(descriptor.digest)
            if is_blob(descriptor.media_type) or descriptor.digest in read:
                continue
            read.add(descriptor.digest)
            raw = self._small(descriptor.digest)
            try:
                manifest = Manifest.read(raw, content_type=descriptor.media_type, expected=descriptor.digest)
            except RegsyncError:
                wanted.extend(Descriptor("", digest, 0) for digest in _mentioned(raw))
            else:
                marked.update(blob.digest for blob in manifest.blobs)
                wanted.extend(manifest.children)
        return marked

    def _small(self, digest: Digest) -> bytes:
        """Return the bytes of what may be a manifest, none for what is too long to be one or not there."""
        seen = self.files.stat(self.paths.blob(digest))
        if seen is None or not seen.regular or seen.size > MANIFEST_MAX:
            return b""
        try:
            return self.blobs.read(digest)
        except NotFound:
            return b""

    def _present(self) -> Iterator[Digest]:
        for shelf in self.paths.shelves:
            seen = self.files.stat(shelf)
            if seen is None or not seen.directory:
                continue
            for name in self.files.names(shelf) or ():
                with contextlib.suppress(Malformed):
                    yield Digest.parse(f"{shelf.name}:{name}")

    def _age(self, digest: Digest, now: float) -> float:
        seen = self.files.stat(self.paths.blob(digest))
        return now - seen.ctime_ns / 1e9 if seen is not None and seen.regular else 0.0

    def _may_name(self, digest: Digest) -> bool:
        """Say whether the file may be a manifest, by how it begins."""
        try:
            with contextlib.closing(self.files.open(self.paths.blob(digest))) as file:
                return file.stat().size <= MANIFEST_MAX and file.read(_BEGINNING).lstrip().startswith(b"{")
        except (NotFound, StorageError):  # gone meanwhile, or no file
            return False


def _mentioned(raw: bytes) -> Iterator[Digest]:
    for text in _MENTIONED.findall(raw):
        yield Digest.parse(text.decode("ascii"))
