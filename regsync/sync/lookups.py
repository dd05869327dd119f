"""What one run has learnt and does not ask again.

Many entries name the same source, and a target repository is often shared by hundreds of them: a source's tag is
resolved once, a manifest fetched once, a target's tags listed once. A lock per question is all that is shared: whoever
waited for it finds the answer.
"""

from __future__ import annotations

from collections import OrderedDict

from regsync.errors import NotFound, RegsyncError
from regsync.limits import KeyedLock
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository

_KEPT = 32 << 20  # bytes of manifests


class Lookups:
    """The memory of one run."""

    def __init__(self) -> None:
        self._one_asker = KeyedLock()
        self._heads: dict[tuple[str, str | Digest], Descriptor | None] = {}
        self._tags: dict[str, frozenset[str] | None] = {}
        self._manifests: OrderedDict[Digest, Manifest] = OrderedDict()
        self._bytes = 0

    async def head(self, source: Repository, ref: str | Digest) -> Descriptor:
        """Return what a source's tag or digest stands for during this run; `NotFound` when it is not there."""
        key = (source.name, ref)
        if key not in self._heads:
            async with self._one_asker(key):
                if key not in self._heads:
                    self._heads[key] = await source.head_manifest(ref)
        found = self._heads[key]
        if found is None:
            raise NotFound(f"{source.name}: {ref} is not there")
        return found

    def forget(self, source: Repository, ref: str | Digest) -> None:
        """Ask again next time: what this stood for is gone."""
        self._heads.pop((source.name, ref), None)

    async def manifest(self, source: Repository, digest: Digest) -> Manifest:
        """Return a manifest by digest, from memory if any source has given it in this run."""
        async with self._one_asker(digest):
            kept = self._manifests.get(digest)
            if kept is None:
                kept = await source.get_manifest(digest)
                self._keep(kept)
            self._manifests.move_to_end(digest)
            return kept

    def _keep(self, manifest: Manifest) -> None:
        self._manifests[manifest.digest] = manifest
        self._bytes += len(manifest.raw)
        while self._bytes > _KEPT and len(self._manifests) > 1:
            _, oldest = self._manifests.popitem(last=False)
            self._bytes -= len(oldest.raw)

    async def tags(self, target: Repository) -> frozenset[str] | None:
        """Return the tags a target has; None when it cannot be asked, so that each image has to be."""
        if target.name not in self._tags:
            async with self._one_asker((target.name, "tags")):
                if target.name not in self._tags:
                    self._tags[target.name] = await _listed(target)
        return self._tags[target.name]


async def _listed(target: Repository) -> frozenset[str] | None:
    try:
        return frozenset([tag async for tag in target.tags()])
    except NotFound:
        return frozenset()
    except RegsyncError:
        return None
