"""Plans of single images, for whoever decides and for whoever carries out: sources are asked through `Lookups`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.sync.lookups import Lookups


@dataclass(frozen=True, slots=True)
class Remembered:
    """How sources are asked (`Asking`): by answers given since this moment (monotonic, seconds), or else anew."""

    lookups: Lookups
    since: float

    async def manifest(self, source: Repository, wanted: Descriptor, /) -> Manifest:
        """Return a manifest by digest."""
        return await self.lookups.manifest(source, wanted, since=self.since)

    async def head(self, source: Repository, tag: str, /, *, fetching: bool) -> Descriptor:
        """Return what a tag stands for."""
        return await self.lookups.head(source, tag, since=self.since, fetching=fetching)

    def is_new(self, target: Repository, /) -> bool:
        """Say whether the target was not there yet."""
        return self.lookups.is_new(target, since=self.since)

    async def digest_tags(self, source: Repository, digest: Digest, /) -> Sequence[str]:
        """Return the tags whose names begin with this digest."""
        return await self.lookups.digest_tags(source, digest, since=self.since)

    async def lacking(self, target: Repository, tags: Sequence[str], /) -> frozenset[str]:
        """Return those of several tags that a target surely lacks, by its list; one alone is looked at instead."""
        present = await self.lookups.present(target, since=self.since) if len(tags) > 1 else None
        return frozenset() if present is None else frozenset(tags) - present

    async def referrers(
        self, source: Repository, subject: Digest, /, *, slow: bool, settled: bool
    ) -> Sequence[Descriptor]:
        """Return what refers to this digest."""
        return await self.lookups.referrers(source, subject, slow=slow, settled=settled, since=self.since)
