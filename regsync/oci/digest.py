"""A digest is a checked value, never a bare string (image-spec, descriptor.md: Digests).

Unchecked digests have led clients of this field to attacker-chosen paths and URLs, so those are built of nothing else.
Some tags name one, as cosign and others attach things: `sha256-<hex>.sig`.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from regsync.errors import Malformed

HEX_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}
ALGORITHMS = tuple(HEX_LENGTH)
_HEX = re.compile(r"[0-9a-f]+")
_BEGINNING: Final = re.compile("|".join(f"({each})-([0-9a-f]{{{HEX_LENGTH[each]}}})" for each in ALGORITHMS))


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


def digest_tags(tags: Iterable[str]) -> Mapping[Digest, tuple[str, ...]]:
    """Return those tags that belong to a digest, by that digest and in their order; one of sha512 is too long to be."""
    found: dict[Digest, list[str]] = defaultdict(list)
    for tag in tags:
        if begins := _BEGINNING.match(tag):
            algorithm, value = (part for part in begins.groups() if part)
            found[Digest(algorithm, value)].append(tag)
    return {digest: tuple(each) for digest, each in found.items()}
