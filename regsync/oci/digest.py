"""A digest is a checked value, never a bare string (image-spec, descriptor.md: Digests).

Unchecked digests have led clients of this field to attacker-chosen paths and URLs, so those are built of nothing else.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any

from regsync.errors import Malformed

HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}
ALGORITHMS = tuple(HEX_LENGTH)
_HEX = re.compile(r"[0-9a-f]+")


@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """An algorithm of sha256, sha384 or sha512 and its lower-case hex value."""

    algorithm: str
    hex: str

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read `algorithm:hex`; anything but a known algorithm with exactly its length is `Malformed`."""
        algorithm, _, value = text.partition(":")
        if len(value) != HEX_LENGTH.get(algorithm) or not _HEX.fullmatch(value):
            raise Malformed(f"unsupported digest {text[:160]!r}: expected sha256, sha384 or sha512 and its hex digits")
        return cls(algorithm, value)

    @classmethod
    def of(cls, data: bytes, algorithm: str = "sha256") -> Digest:
        """Return the digest these bytes have."""
        return cls(algorithm, hashlib.new(algorithm, data).hexdigest())

    def hasher(self) -> Any:
        """Return a fresh hashlib object of this digest's algorithm."""
        return hashlib.new(self.algorithm)

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.hex}"
