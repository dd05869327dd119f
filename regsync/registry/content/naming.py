"""The digest a registry names beside a manifest that was asked for by tag, and what to do where the bytes have another.

That is either damage on the way, which does not come the same twice, or a lie of the registry or of a proxy before it
(distribution/distribution#2395, google/go-containerregistry#56), which does.
"""

from __future__ import annotations

from contextlib import suppress

from regsync.errors import IntegrityError, Malformed
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.registry.http.transport import Answer


class Naming:
    """Reads the answers to one question by tag; `believed` until the host is known to name wrong digests.

    `doubted` is the digest that was named where the bytes came twice and have another: it may still be theirs before a
    proxy kept them damaged.
    """

    def __init__(self, *, believed: bool) -> None:
        self.doubted: Digest | None = None
        self._believed = believed
        self._seen: set[Digest] = set()

    def read(self, answer: Answer) -> Manifest:
        """Read the manifest; `IntegrityError`: it has not the digest that is named, and came so for the first time."""
        kind = answer.headers.get("content-type", "")
        expected = named(answer)
        try:
            return Manifest.read(answer.body, content_type=kind, expected=expected)
        except IntegrityError:
            digest = Digest.of(answer.body)
            if self._believed and digest not in self._seen:
                self._seen.add(digest)
                raise
            manifest = Manifest.read(answer.body, content_type=kind)
            self.doubted = expected if self._believed else None
            return manifest


def named(answer: Answer) -> Digest | None:
    """Return the digest an answer names; what is no digest of ours counts as not given."""
    with suppress(Malformed):
        return Digest.parse(answer.headers.get("docker-content-digest", ""))
    return None
