"""Carry out a CopyPlan: blobs together, manifests wave by wave, the name last.

Killed anywhere, a copy leaves only unreferenced parts; run again, it finds them and skips them. Nothing is shared
between two images but a lock and what is known: whoever loses the race for a blob asks again and finds it.
"""

from __future__ import annotations

from typing import Literal

from regsync.clock import Clock
from regsync.errors import CopyFailed, IntegrityError, RegsyncError
from regsync.events import BlobDone, BlobRetried, BlobStarted, ManifestPushed, Tell
from regsync.limits import KeyedLock, Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository, Verified
from regsync.transfer.plan import CopyPlan
from regsync.transfer.together import together

TRANSFERS = "transfers"  # a host of its own in Limits: what all transfers of the process share is memory
_ATTEMPTS = 4  # times one blob is begun
_PAUSE = 1.0  # seconds before a blob is begun again, doubled each time
_LONGEST_PAUSE = 10.0  # seconds; whoever asks for more gets it from the run, which holds nothing meanwhile


class Copier:
    """Moves images during one run; what it has seen at a target stays known for that run.

    `movers` is shared by all copiers of the process, so that a blob two runs want at one host moves once.
    """

    def __init__(self, limits: Limits, movers: KeyedLock, *, clock: Clock, tell: Tell) -> None:
        self._limits = limits
        self._movers = movers
        self._clock = clock
        self._tell = tell
        self._known: set[tuple[str, Digest]] = set()  # (repository, blob or manifest) seen there
        self._holders: dict[tuple[str, Digest], Repository] = {}  # (host, blob) -> a repository that has it

    async def run(self, plan: CopyPlan, source: Repository, target: Repository, *, trusting: bool = True) -> None:
        """Make the plan's root stand at its name; raises `CopyFailed`, and then the name stands where it stood.

        Without `trusting`, what the target says it has is sent again: it refused a manifest for lack of it.
        """
        await together(
            self._copy_blob(blob, source, target, config=blob.digest in plan.configs, trusting=trusting)
            for blob in plan.blobs
        )
        for wave in plan.waves:
            await together(self._push_part(manifest, target, trusting=trusting) for manifest in wave)
        await self._push(plan.root, target, plan.at)

    async def _copy_blob(
        self, blob: Descriptor, source: Repository, target: Repository, *, config: bool, trusting: bool
    ) -> None:
        digest = str(blob.digest)
        self._tell(BlobStarted(source.name, target.name, digest, "config" if config else "layer"))
        try:
            async with self._movers((target.host, blob.digest)):
                how = await self._settle(blob, source, target, trusting=trusting)
        except RegsyncError as error:
            raise CopyFailed("blob", digest, error) from error
        self._known.add((target.name, blob.digest))
        self._holders.setdefault((target.host, blob.digest), target)
        self._tell(BlobDone(target.name, digest, blob.size, how))

    async def _settle(
        self, blob: Descriptor, source: Repository, target: Repository, *, trusting: bool
    ) -> Literal["present", "adopted", "copied"]:
        """Get one blob to the target in the cheapest way there is; without `trusting`, its word for it is not taken."""
        spared = await self._spare(blob, source, target) if trusting else None
        if spared is None:
            await self._move(blob, source, target)
        return spared or "copied"

    async def _spare(
        self, blob: Descriptor, source: Repository, target: Repository
    ) -> Literal["present", "adopted"] | None:
        """Find the blob at the target or next to it, so that no byte has to move."""
        if (target.name, blob.digest) in self._known or await target.has_blob(blob):
            return "present"
        for neighbour in (self._holders.get((target.host, blob.digest)), source):
            if neighbour is not None and await target.adopt_blob(blob, neighbour):
                return "adopted"
        return None

    async def _move(self, blob: Descriptor, source: Repository, target: Repository) -> None:
        """Move the blob, begun again where it broke."""
        attempt = 1
        while not await self._moved(blob, source, target, attempt=attempt):
            attempt += 1

    async def _moved(self, blob: Descriptor, source: Repository, target: Repository, *, attempt: int) -> bool:
        """Say whether this attempt brought the blob over; an answer that was lost is no reason for another one."""
        try:
            await self._pour(blob, source, target)
        except RegsyncError as error:
            pause = max(error.retry_after or 0.0, _PAUSE * 2 ** (attempt - 1))
            if not error.retryable or attempt == _ATTEMPTS or pause > _LONGEST_PAUSE:
                error.attempts = max(error.attempts, attempt)
                raise
            self._tell(BlobRetried(source.name, target.name, str(blob.digest), attempt, str(error)))
            await self._clock.sleep(pause)
            return await target.has_blob(blob)
        return True

    async def _pour(self, blob: Descriptor, source: Repository, target: Repository) -> None:
        async with self._limits.hold(source.host, target.host, TRANSFERS), source.open_blob(blob) as chunks:
            await target.put_blob(Verified(blob, chunks))

    async def _push_part(self, manifest: Manifest, target: Repository, *, trusting: bool) -> None:
        """Push a manifest that is part of an index; one that several indexes share, once.

        docker-registry rewrites a manifest's link at every PUT, and an index pushed in that moment is refused.
        """
        key = (target.name, manifest.digest)
        async with self._movers(key):
            if not (trusting and key in self._known):
                await self._push(manifest, target, None)
                self._known.add(key)

    async def _push(self, manifest: Manifest, target: Repository, at: str | Digest | None) -> None:
        try:
            await self._put(manifest, target, at)
        except RegsyncError as error:
            raise CopyFailed("manifest", str(manifest.digest), error) from error
        self._tell(ManifestPushed(target.name, str(manifest.digest), str(at or manifest.digest), len(manifest.raw)))

    async def _put(self, manifest: Manifest, target: Repository, at: str | Digest | None) -> None:
        try:
            await target.put_manifest(manifest, at=at)
        except IntegrityError:  # our bytes are proved, so it was an accident of the way or of the other end
            await self._clock.sleep(_PAUSE)
            await target.put_manifest(manifest, at=at)
