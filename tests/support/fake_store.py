"""What the fake registry holds: repositories of blobs, manifests, tags and uploads, and what may be stored in them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.support.built import Built, digest_of

ALGORITHMS = {"sha256": 64, "sha384": 96, "sha512": 128}


@dataclass(frozen=True, slots=True)
class Stored:
    """A manifest as it was put."""

    media_type: str
    raw: bytes

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON."""
        found: dict[str, Any] = json.loads(self.raw)
        return found


@dataclass(slots=True)
class FakeRepository:
    """Digests are text. `phantoms` are blobs (with their sizes) that HEAD finds although they are not there; `lies` are
    blobs and manifests that come with other bytes than theirs.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[str, Stored] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)
    phantoms: dict[str, int] = field(default_factory=dict)
    lies: dict[str, bytes] = field(default_factory=dict)
    tagged: bool = False  # it had a tag once

    def take(self, built: Built) -> None:
        """Store everything that makes up an image."""
        for each in built.walk():
            self.blobs.update(each.blobs)
            self.manifests[each.digest] = Stored(each.media_type, each.raw)

    def find(self, reference: str) -> tuple[str, Stored] | None:
        """Return the digest and the manifest a tag or digest stands for."""
        digest = reference if ":" in reference else self.tags.get(reference, "")
        stored = self.manifests.get(digest)
        return (digest, stored) if stored is not None else None

    def lacking(self, document: dict[str, Any]) -> list[str]:
        """Return the digests of blobs and children that a manifest names and that are not here."""
        blobs = [*([document["config"]] if "config" in document else ()), *(document.get("layers") or ())]
        missing = [each["digest"] for each in blobs if not each.get("urls") and each["digest"] not in self.blobs]
        children = (each["digest"] for each in document.get("manifests", ()))
        return [*missing, *(each for each in children if each not in self.manifests)]

    def referrers(self, digest: str) -> Iterator[tuple[str, Stored]]:
        """Every manifest whose subject this is."""
        for found, stored in self.manifests.items():
            if (stored.document.get("subject") or {}).get("digest") == digest:
                yield found, stored


class Store:
    """Every repository by its path; one exists from the first manifest or upload on."""

    def __init__(self) -> None:
        self.repositories: dict[str, FakeRepository] = {}
        self._uploads = 0

    def make(self, name: str) -> FakeRepository:
        """Return a repository, made if it is not there."""
        return self.repositories.setdefault(name, FakeRepository())

    def upload_in(self, name: str) -> str:
        """Open an upload session and return its name."""
        self._uploads += 1
        session = f"00000000-0000-4000-8000-{self._uploads:012d}"
        self.make(name).uploads[session] = bytearray()
        return session

    def anywhere(self, digest: str) -> bytes | None:
        """Return a blob of whichever repository has it whole."""
        found = (each.blobs.get(digest) for each in self.repositories.values())
        return next((data for data in found if data is not None and proves(digest, data)), None)


def is_digest(text: str) -> bool:
    """Say whether this is a digest of an algorithm the registry knows."""
    algorithm, _, value = text.partition(":")
    return len(value) == ALGORITHMS.get(algorithm) and set(value) <= set("0123456789abcdef")


def proves(digest: str, data: bytes) -> bool:
    """Say whether these bytes have this digest."""
    return digest_of(data, digest.partition(":")[0]) == digest
