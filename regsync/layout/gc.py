"""What no index entry leads to any more goes, when nobody writes and nobody's blob can be in flight.

Blocking, safe to be killed at any point: it only removes what nothing reachable names. Mark: everything index.json
lists, children of indexes, configs and layers; a `subject` is not followed, referrers live because the fallback index
lists them. A manifest we cannot understand keeps all it mentions. Sweep: only files whose name is a digest, older than
the grace, since other tools write their blobs first and the index last, and know nothing of our locks.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from regsync.errors import Malformed, NotFound, RegsyncError
from regsync.layout.blobs import Blobs
from regsync.layout.catalogue import Catalogue
from regsync.layout.files import Files
from regsync.layout.paths import Paths
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.mediatype import is_blob

_STALE: Final = 24 * 3600.0  # seconds after which a staged or quarantined file of ours is nobody's
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
        """Remove what is not needed and return how many blobs that were; None when another process is at work.

        `now` is in seconds since 1970.
        """
        if self.files.stat(self.paths.hidden) is None:
            return None
        with contextlib.ExitStack() as locks:
            for path in (self.paths.lease, self.paths.index_lock):
                lock = self.files.lock(path, exclusive=True)
                if lock is None:
                    return None
                locks.callback(lock.close)
            return self._sweep(now)

    def _sweep(self, now: float) -> int:
        index = self.catalogue.index()
        if index is None or self.files.stat(self.paths.index) is None:
            return 0
        needed = self._marked([entry.descriptor for entry in index.entries])
        removed = 0
        for digest in self._present():
            if digest not in needed and self._age(digest, now) > self.grace:
                self.files.remove(self.paths.blob(digest))
                removed += 1
        self._clear_stale(now)
        return removed

    def _marked(self, wanted: list[Descriptor]) -> set[Digest]:
        marked: set[Digest] = set()
        while wanted:
            descriptor = wanted.pop()
            if descriptor.digest in marked:
                continue
            marked.add(descriptor.digest)
            raw = b"" if is_blob(descriptor.media_type) else self._small(descriptor.digest)
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
        for algorithm in self.files.names(self.paths.blobs) or ():
            seen = self.files.stat(self.paths.blobs / algorithm)
            if seen is None or not seen.directory:
                continue
            for name in self.files.names(self.paths.blobs / algorithm) or ():
                with contextlib.suppress(Malformed):
                    yield Digest.parse(f"{algorithm}:{name}")

    def _age(self, digest: Digest, now: float) -> float:
        seen = self.files.stat(self.paths.blob(digest))
        return now - seen.ctime_ns / 1e9 if seen is not None and seen.regular else 0.0

    def _clear_stale(self, now: float) -> None:
        for directory in (self.paths.stage, self.paths.quarantine):
            for name in self.files.names(directory) or ():
                seen = self.files.stat(directory / name)
                if seen is not None and not seen.directory and now - seen.ctime_ns / 1e9 > _STALE:
                    self.files.remove(directory / name)


def _mentioned(raw: bytes) -> Iterator[Digest]:
    for text in _MENTIONED.findall(raw):
        yield Digest.parse(text.decode("ascii"))
