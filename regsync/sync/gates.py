"""What stands between deciding that an image is needed and copying it, in one fixed order, and what is told afterwards.

A gate looks at an image that is needed and lets it pass (by returning what it was given), puts it off, skips or fails
it. Nothing is held while it thinks. The first gate that does not let it pass has the word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from regsync.errors import BadTemplate, Malformed
from regsync.sync.decide import Decision, Failed, Needed
from regsync.sync.entry import ImagePair, SyncEntry


class Gate(Protocol):
    """Something that may keep an image from being copied now, or at all."""

    async def __call__(self, entry: SyncEntry, pair: ImagePair, needed: Needed, /) -> Decision:
        """Return `needed` to let the image pass, or what is to become of it instead."""
        ...


async def name_backup(entry: SyncEntry, pair: ImagePair, needed: Needed, /) -> Decision:
    """Find the name for what is about to be overwritten, if that is to be kept: a gate, since there may be none."""
    if entry.backup is None or needed.before is None or needed.there:
        return needed
    try:
        return replace(needed, backup=entry.backup(pair.target))
    except Malformed as error:
        message = (
            f"Failed to {'expand backup template' if isinstance(error, BadTemplate) else 'parse backup reference'}"
        )
        return Failed(message, str(pair.source), str(pair.target), error)


async def passed(gates: Sequence[Gate], entry: SyncEntry, pair: ImagePair, needed: Needed) -> Decision:
    """Send an image through the gates and return what they made of it."""
    decision: Decision = needed
    for gate in gates:
        if not isinstance(decision, Needed):
            break
        decision = await gate(entry, pair, decision)
    return decision
