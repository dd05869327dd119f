"""Which files were hashed and found to be what their name says, so that each is hashed once in a process.

A proof belongs to an inode and to its size and times. `ctime` is among them because nobody can set it; a hard link
changes it, which is why linking renews the proof of both names.
"""

from __future__ import annotations

from threading import Lock as Mutex

from regsync.layout.opened import Stat
from regsync.oci.digest import Digest

_MOST = 200_000  # proofs kept; the oldest go first


class Proofs:
    """The proofs of one process, over all its layouts; `linking` is held by whoever links a file that is proved."""

    def __init__(self) -> None:
        self.linking = Mutex()
        self._known: dict[tuple[int, int], tuple[int, int, int, Digest]] = {}

    def hold(self, seen: Stat, digest: Digest) -> bool:
        """Say whether this very state of the file was proved to have the digest."""
        return self._known.get((seen.device, seen.inode)) == (seen.size, seen.mtime_ns, seen.ctime_ns, digest)

    def add(self, seen: Stat, digest: Digest) -> None:
        """Note that the file, in this state, has the digest."""
        while len(self._known) >= _MOST:
            self._known.pop(next(iter(self._known)), None)
        self._known[seen.device, seen.inode] = (seen.size, seen.mtime_ns, seen.ctime_ns, digest)
