"""What is run around the copies of one run: hooks before and after its images, and before and after its entries.

`pre` is the last gate. Whatever goes wrong with a hook is a failure, and counts as one: that of `pre` instead of the
copy, that of any other beside it. `entryPre` runs before the first image of an entry that is copied, and where it fails
none of them is.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from regsync.errors import HookFailed
from regsync.hooks.hook import Counts, Event, Hook, Outcome, Stage
from regsync.limits import KeyedLock
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.sync.decide import Current, Decision, Failed, Needed, Skipped
from regsync.sync.entry import ImagePair, Pair, Scope, SyncEntry

RunHook = Callable[[Hook, Event], Awaitable[None]]
_Told = tuple[Hook | None, Event]


async def no_hook(hook: Hook, event: Event, /) -> None:
    """Run nothing: for who has no hooks."""


@dataclass(frozen=True, slots=True)
class Copied:
    """An image was copied: the target's name stands for this now."""

    digest: Digest


class Around:
    """The hooks of one run; `run_hook` raises `HookFailed`. A check runs none."""

    def __init__(self, run_hook: RunHook, scope: Scope) -> None:
        self._run_hook = run_hook
        self._scope = scope
        self._begun: dict[tuple[str, ImagePair], Needed] = {}  # what `pre` let pass, until it is known what came of it
        self._entered: dict[str, HookFailed | None] = {}  # entries whose `entryPre` has run, and why it failed
        self._one_enters = KeyedLock()
        self._became: dict[str, Counter[str]] = {}

    async def gate(self, entry: SyncEntry, pair: ImagePair, needed: Needed, /) -> Decision:
        """Run what goes before a copy; an image that was put off while it was copied is not announced once more."""
        if entry.hooks is None:
            return needed
        if (entry.name, pair) not in self._begun:
            event = _of_copy("pre", "needed", entry, pair, needed, after=needed.root.digest)
            try:
                await self._enter(entry, entry.hooks.entry_pre)
                await self._run(entry.hooks.pre, event)
            except HookFailed as error:
                return _failed(pair, error)
        self._begun[entry.name, pair] = needed
        return needed

    async def after(self, entry: SyncEntry, pair: Pair, became: Decision | Copied | None) -> Failed | None:
        """Run what goes after an image, and count it for its entry; return how a hook failed, if one did."""
        if entry.hooks is None or self._scope == "check":
            return None
        self._count(entry, became)
        told = self._told(entry, pair, became) if isinstance(pair, ImagePair) else None
        try:
            if told is not None:
                await self._run(*told)
        except HookFailed as error:
            self.note_failure(entry)
            return _failed(pair, error)
        return None

    async def after_entry(self, entry: SyncEntry) -> Failed | None:
        """Run what goes after an entry of which all has ended; return how a hook failed, if one did."""
        became = self._became.pop(entry.name, Counter())
        if entry.hooks is None or self._scope == "check":
            return None
        counts = Counts(**became)
        try:
            if counts.copied or counts.failed:
                outcome: Outcome = "failed" if counts.failed else "copied"
                await self._run(entry.hooks.entry_post, _of_entry("entryPost", outcome, entry, counts))
            elif self._scope == "changed":
                await self._run(entry.hooks.entry_unchanged, _of_entry("entryUnchanged", "unchanged", entry, counts))
        except HookFailed as error:
            return Failed("Failed to run hook", entry.source, entry.target, error)
        return None

    def note_failure(self, entry: SyncEntry) -> None:
        """Count a failure for an entry, whatever it is one of."""
        self._became.setdefault(entry.name, Counter())["failed"] += 1

    def _count(self, entry: SyncEntry, became: Decision | Copied | None) -> None:
        match became:
            case Copied():
                name = "copied"
            case Current():
                name = "unchanged"
            case Skipped():
                name = "skipped"
            case Failed():
                name = "failed"
            case _:  # a listing that went well, or what is put off
                return
        self._became.setdefault(entry.name, Counter())[name] += 1

    async def _enter(self, entry: SyncEntry, hook: Hook | None) -> None:
        """Run `entryPre` if it has not run yet, and raise its failure to each who asks."""
        async with self._one_enters(entry.name):
            if entry.name not in self._entered:
                try:
                    await self._run(hook, _of_entry("entryPre", "needed", entry, None))
                except HookFailed as error:
                    self._entered[entry.name] = error
                else:
                    self._entered[entry.name] = None
            failed = self._entered[entry.name]
        if failed is not None:
            raise copy.copy(failed)

    async def _run(self, hook: Hook | None, event: Event) -> None:
        if hook is not None:
            await self._run_hook(hook, event)

    def _told(self, entry: SyncEntry, pair: ImagePair, became: Decision | Copied | None) -> _Told | None:
        """Return what is to be run after an image, and what it is told."""
        needed = self._begun.pop((entry.name, pair), None)
        if entry.hooks is None:
            return None
        match became:
            case Copied(digest=digest) if needed is not None:
                return entry.hooks.post, _of_copy("post", "copied", entry, pair, needed, after=digest)
            case Failed(error=error) if needed is not None:
                return entry.hooks.post, _of_copy("post", "failed", entry, pair, needed, error=str(error))
            case Current(image=image) if image is not None:
                return entry.hooks.unchanged, _of_current(entry, pair, image)
            case _:
                return None


def _of_copy(
    stage: Stage,
    outcome: Outcome,
    entry: SyncEntry,
    pair: ImagePair,
    needed: Needed,
    *,
    after: Digest | None = None,
    error: str | None = None,
) -> Event:
    return Event(
        stage,
        entry.name,
        str(pair.source),
        str(pair.target),
        outcome,
        before=None if needed.before is None else str(needed.before.digest),
        after=None if after is None else str(after),
        media_type=needed.root.media_type,
        error=error,
    )


def _of_current(entry: SyncEntry, pair: ImagePair, image: Descriptor) -> Event:
    digest = str(image.digest)
    ends = str(pair.source), str(pair.target)
    return Event("unchanged", entry.name, *ends, "unchanged", digest, digest, image.media_type)


def _of_entry(stage: Stage, outcome: Outcome, entry: SyncEntry, counts: Counts | None) -> Event:
    return Event(stage, entry.name, entry.source, entry.target, outcome, images=counts)


def _failed(pair: Pair, error: HookFailed) -> Failed:
    return Failed("Failed to run hook", str(pair.source), str(pair.target), error)
