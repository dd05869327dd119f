"""The proof that a blob's bytes are the ones described, kept while its transfer breaks and goes on.

A hash runs along with the bytes. When a transfer goes on at an earlier byte than it broke at (what was on its way is
lost), the hash goes back to a state it had before that, and whatever is read a second time has to be what it was the
first time: else the bytes a target holds already would be proved by others than themselves.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from regsync.errors import IntegrityError
from regsync.oci.descriptor import Descriptor

_SPACING: Final = 1 << 20  # bytes between two states that are kept
_STATES: Final = 64  # the latest that are kept, besides the one of the beginning


@dataclass(frozen=True, slots=True)
class _State:
    offset: int
    hasher: Any  # hashlib's, which has no name to type


class Proof:
    """What was hashed of one blob so far. `offset` is where it stands, in bytes.

    `proves` names the repositories that hold nothing of the blob but what was hashed here. Bytes that turn out to be
    wrong prove nobody's: whoever was given them may hold them still.
    """

    def __init__(self, blob: Descriptor) -> None:
        self.blob = blob
        self._begin_anew()

    def _begin_anew(self) -> None:
        self.offset = 0
        self.proves: set[str] = set()
        self._hasher = self.blob.digest.hasher()
        self._states: deque[_State] = deque(maxlen=_STATES)
        self._earlier: _State | None = None  # how far an earlier pass came, if we have not come as far again

    def covers(self, repository: str, offset: int) -> bool:
        """Say whether what this repository holds, up to here, was hashed, so that it can be gone on from."""
        return repository in self.proves and offset <= max(self.offset, self._earlier.offset if self._earlier else 0)

    def go_back(self, offset: int) -> int:
        """Return the byte to read from so that everything from `offset` on is proved; it is not behind `offset`."""
        if offset == self.offset:
            return offset
        if self._earlier is None or self._earlier.offset < self.offset:
            self._earlier = _State(self.offset, self._hasher)
        while self._states and self._states[-1].offset > offset:
            self._states.pop()
        state = self._states[-1] if self._states else _State(0, self.blob.digest.hasher())
        self.offset, self._hasher = state.offset, state.hasher.copy()
        return self.offset

    def add(self, chunk: bytes) -> None:
        """Hash the next bytes; `IntegrityError` when they are too many, or others than they were before."""
        end = self.offset + len(chunk)
        if end > self.blob.size:
            raise IntegrityError(f"blob {self.blob.digest} is longer than its {self.blob.size} bytes")
        if self._earlier is not None and self._earlier.offset <= end:
            known = self._earlier.offset - self.offset
            self._hasher.update(chunk[:known])
            self._compare(self._earlier)
            chunk = chunk[known:]
        self._hasher.update(chunk)  # here and now: handing a chunk of 256 KiB to a thread costs more than hashing it
        self.offset = end
        if end - (self._states[-1].offset if self._states else 0) >= _SPACING:
            self._states.append(_State(end, self._hasher.copy()))

    def finish(self) -> None:
        """Raise `IntegrityError` unless the bytes that were hashed are the blob; then the proof begins anew."""
        if self.offset != self.blob.size:
            raise IntegrityError(f"blob {self.blob.digest} ended after {self.offset} of {self.blob.size} bytes")
        found = self._hasher.hexdigest()
        if found != self.blob.digest.hex:
            self._begin_anew()
            raise IntegrityError(f"blob {self.blob.digest} came as {self.blob.digest.algorithm}:{found}")

    def _compare(self, earlier: _State) -> None:
        self._earlier = None
        if self._hasher.hexdigest() != earlier.hasher.hexdigest():
            self._begin_anew()
            raise IntegrityError(f"blob {self.blob.digest} has other bytes than when it was begun")
