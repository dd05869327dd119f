"""Uploads that stopped half-way and may go on: those of one host, for a while.

They lie here and not in the repository, which is forgotten when nobody holds it. What is too many or too old is given
up, lest a registry be left with sessions nobody comes back to.
"""

from __future__ import annotations

from regsync.clock import Clock
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.registry.content.session import Upload

_MOST = 64
_OLDEST = 600.0  # seconds; registries begin to sweep their sessions some time after


class Suspended:
    """Uploads by the path of their repository and the digest and size of their blob, about which images may differ."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._uploads: dict[tuple[str, Digest, int], tuple[float, Upload]] = {}  # with when they stopped; in order

    def keep(self, path: str, upload: Upload) -> list[Upload]:
        """Keep an upload; returns those that are given up for it."""
        replaced = self.take(path, upload.blob)
        self._uploads[path, upload.blob.digest, upload.blob.size] = (self._clock.monotonic(), upload)
        excess = list(self._uploads)[: max(0, len(self._uploads) - _MOST)]
        return [*([] if replaced is None else [replaced]), *(self._uploads.pop(key)[1] for key in excess)]

    def take(self, path: str, blob: Descriptor) -> Upload | None:
        """Hand out the upload of this blob, to whoever asks first."""
        _, upload = self._uploads.pop((path, blob.digest, blob.size), (0.0, None))
        return upload

    def outdated(self) -> list[Upload]:
        """Give up those that have been here for too long."""
        now = self._clock.monotonic()
        old = [key for key, (moment, _) in self._uploads.items() if now - moment > _OLDEST]
        return [self._uploads.pop(key)[1] for key in old]

    def everything(self) -> list[Upload]:
        """Give up all of them."""
        left = [upload for _, upload in self._uploads.values()]
        self._uploads.clear()
        return left
