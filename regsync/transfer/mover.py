"""Get one blob to the targets that want it, in the cheapest way for each: it is there, it is next door, it is moved.

What has to be moved is read from the source once, however many targets want it. Of several targets at one host only one
gets the bytes and the others take the blob from it (mount, hard link); a target that cannot do that is remembered and
gets the bytes with the first the next time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final, Literal

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.events import BlobDone, BlobRetried, BlobStarted, Tell
from regsync.limits import KeyedLock, Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.repository import Repository
from regsync.transfer.proof import Proof
from regsync.transfer.seen import Seen
from regsync.transfer.stream import Sink, pour
from regsync.transfer.together import together
from regsync.waiting import NAP

TRANSFERS: Final = "transfers"  # a host of its own in Limits: what all transfers of the process share is memory
_ATTEMPTS: Final = 4  # times in a row a blob is begun without getting further
_PAUSE: Final = 1.0  # seconds before a blob is begun again, doubled each time
_FURTHER: Final = 64 << 10  # bytes that make an attempt count as one that got further
_PROOFS: Final = 256  # kept of blobs that broke; the oldest go first
How = Literal["present", "adopted", "copied"]
Ended = Callable[[Repository, RegsyncError | None], None]
"""Told once of each target: its blob is there, or why it is not."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What all transfers of a process share: a blob two images want at one host moves once, and is gone on with.

    `broken` has the proofs of blobs that broke, by digest and size: two images may say different things of a digest.
    """

    limits: Limits
    clock: Clock
    seen: Seen
    movers: KeyedLock = field(default_factory=KeyedLock)
    broken: OrderedDict[tuple[Digest, int], Proof] = field(default_factory=OrderedDict)
    loners: set[str] = field(default_factory=set)  # repositories that could not take a blob from a neighbour


@dataclass(slots=True)
class _Try:
    """One target of a blob that is being moved: how often in a row it was begun in vain, and how far on at most."""

    attempt: int = 1
    furthest: int = 0

    def goes_on(self, sink: Sink) -> None:
        """Count the attempt that has just ended; one that began further on than any before is a first.

        Than any: an upload that gets so far and is lost, again and again, is no progress.
        """
        if sink.began - self.furthest >= _FURTHER:
            self.attempt, self.furthest = 1, sink.began


class Mover:
    """Moves blobs for one run, which believes what was seen at the target since `since` (monotonic, seconds).

    Without `trusting`, what targets say they have is sent again.
    """

    def __init__(self, shared: Shared, *, since: float, trusting: bool, tell: Tell) -> None:
        self._shared = shared
        self._since = since
        self._trusting = trusting
        self._tell = tell

    async def settle(
        self, blob: Descriptor, source: Repository, targets: Sequence[Repository], *, config: bool, ended: Ended
    ) -> None:
        """Get the blob to all of these; `ended` is called for each as soon as that is known."""
        for target in targets:
            self._tell(BlobStarted(source.name, target.name, str(blob.digest), "config" if config else "layer"))
        async with AsyncExitStack() as locks:
            for host in sorted({target.host for target in targets}):
                await locks.enter_async_context(self._shared.movers((host, blob.digest)))
            left = await self._unspared(blob, source, targets, ended)
            while left:
                leaders = self._leaders(left)
                await self._move(blob, source, leaders, ended)
                followers = [target for target in left if target not in leaders]
                left = await self._unspared(blob, source, followers, ended)
                self._note_loners(blob, left)

    def _note_loners(self, blob: Descriptor, targets: Sequence[Repository]) -> None:
        """Remember those of the targets that were offered the blob by a neighbour and could not take it."""
        if self._trusting:
            holder = self._shared.seen.holder
            self._shared.loners.update(target.name for target in targets if holder(target.host, blob.digest))

    def _leaders(self, targets: Sequence[Repository]) -> list[Repository]:
        """Return the targets that need the bytes themselves: one of each host, and those that adopt nothing."""
        hosts: set[str] = set()
        leaders = []
        for target in targets:
            if target.host not in hosts or target.name in self._shared.loners:
                leaders.append(target)
                hosts.add(target.host)
        return leaders

    async def _unspared(
        self, blob: Descriptor, source: Repository, targets: Sequence[Repository], ended: Ended
    ) -> list[Repository]:
        """Return those of the targets that have to be sent the bytes."""
        if not self._trusting:
            return list(targets)
        left: list[Repository] = []

        async def look(target: Repository) -> None:
            try:
                how = await self._spare(blob, source, target)
            except RegsyncError as error:
                ended(target, error)
                return
            if how is None:
                left.append(target)
            else:
                self._done(blob, target, how, ended)

        if len(targets) == 1:
            await look(targets[0])
        else:
            await together(look(target) for target in targets)
        return [target for target in targets if target in left]

    async def _spare(self, blob: Descriptor, source: Repository, target: Repository) -> How | None:
        """Find the blob at the target or next to it, so that no byte has to move.

        A target that was not there yet is asked for it by opening the upload, which is two questions in one. Where
        mounts are refused that says nothing, and some registries have the blobs of each repository in all of them.
        """
        seen = self._shared.seen
        if seen.has(target, "blob", blob.digest, since=self._since):
            return "present"
        new = seen.is_new(target, since=self._since)
        if not new and await target.has_blob(blob):
            return "present"
        neighbours = [one for one in (seen.holder(target.host, blob.digest), source) if one is not None]
        for neighbour in neighbours:
            if await target.adopt_blob(blob, neighbour):
                return "adopted"
        if not new:
            return None
        refused = any(neighbour.host == target.host for neighbour in neighbours)
        there = await target.has_blob(blob) if refused else await target.adopt_blob(blob, target)
        return "present" if there else None

    def _done(self, blob: Descriptor, target: Repository, how: How, ended: Ended) -> None:
        self._shared.seen.note(target, "blob", blob.digest)
        self._tell(BlobDone(target.name, str(blob.digest), blob.size, how))
        ended(target, None)

    async def _move(self, blob: Descriptor, source: Repository, targets: Sequence[Repository], ended: Ended) -> None:
        """Move the blob, gone on with where it broke."""
        shared = self._shared
        proof = shared.broken.pop((blob.digest, blob.size), None) or Proof(blob)
        tries = {target.name: _Try() for target in targets}
        left, failed = list(targets), list[Repository]()

        def noted(target: Repository, error: RegsyncError | None) -> None:
            if error is not None:
                failed.append(target)
            ended(target, error)

        try:
            while left:
                sinks = [Sink(target) for target in left]
                async with shared.limits.hold(source.host, *(target.host for target in left), TRANSFERS):
                    await pour(proof, source, sinks, insisting=not self._trusting, clock=shared.clock, tell=self._tell)
                left = await self._to_go_on_with(blob, source, sinks, tries, noted)
        finally:
            if proof.offset and (left or failed):  # somebody may come back for the rest
                self._keep(proof)

    def _keep(self, proof: Proof) -> None:
        self._shared.broken[proof.blob.digest, proof.blob.size] = proof
        while len(self._shared.broken) > _PROOFS:
            self._shared.broken.popitem(last=False)

    async def _to_go_on_with(
        self,
        blob: Descriptor,
        source: Repository,
        sinks: Sequence[Sink],
        tries: Mapping[str, _Try],
        ended: Ended,
    ) -> list[Repository]:
        """Sort out what became of each target; wait, and return those that are worth another attempt."""
        again: list[Repository] = []
        pauses = [0.0]
        for sink in sinks:
            name, one = sink.target.name, tries[sink.target.name]
            if sink.failure is None:
                self._done(blob, sink.target, "copied", ended)
                continue
            one.goes_on(sink)
            pause = max(sink.failure.retry_after or 0.0, _PAUSE * 2 ** (one.attempt - 1))
            if not sink.failure.retryable or one.attempt == _ATTEMPTS or pause > NAP:
                sink.failure.attempts = max(sink.failure.attempts, one.attempt)
                ended(sink.target, sink.failure)
                continue
            self._tell(BlobRetried(source.name, name, str(blob.digest), one.attempt, str(sink.failure)))
            one.attempt += 1
            again.append(sink.target)
            pauses.append(pause)
        if again:
            await self._shared.clock.sleep(max(pauses))
        return await self._without_lost_answers(blob, again, ended)

    async def _without_lost_answers(
        self, blob: Descriptor, targets: Sequence[Repository], ended: Ended
    ) -> list[Repository]:
        """Return those of the targets that do not have the blob: an answer that was lost is no reason to send it.

        Unless what they say is not to be trusted.
        """
        if not self._trusting:
            return list(targets)
        left = []
        for target in targets:
            try:
                there = await target.has_blob(blob)
            except RegsyncError as error:
                ended(target, error)
                continue
            if there:
                self._done(blob, target, "copied", ended)
            else:
                left.append(target)
        return left
