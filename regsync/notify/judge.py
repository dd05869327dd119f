"""What of a run is worth a message: each cause once an hour, that all is well again, and what was given to others.

A cause is what a failure says but for what is different each time: names, digests, numbers. What was told is known as
long as the process lives.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from regsync.notify.message import EXAMPLES, Change, Message, Reason
from regsync.record.advice import advice
from regsync.record.values import ImageRecord, RunRecord
from regsync.record.words import Cause, causes

AGAIN: Final = timedelta(hours=1)
_KINDS: Final = 20  # causes of one entry that are told apart; a registry may say something else each time
_OTHERS: Final = ""

Ends = Callable[[str], tuple[str, str]]  # source and target of an entry


@dataclass(slots=True)
class _Past:
    """A cause that was told of, when, and in how many runs it was met since."""

    told: datetime
    error: str
    since: int = 0


@dataclass(slots=True)
class _Trouble:
    """What an entry was told of, and in how many runs it failed, from when on."""

    began: datetime
    runs: int = 0
    causes: dict[str, _Past] = field(default_factory=dict)


class Judge:
    """Remembers what was told of each entry."""

    def __init__(self) -> None:
        self._troubles: dict[str, _Trouble] = {}

    def judge(self, run: RunRecord, ends: Ends, over: Sequence[Reason] = ()) -> Iterator[Message]:
        """Yield what is worth telling of a run that has ended.

        `over` is what else was told of its entry and is over with this run.
        """
        if run.ended is None or run.scope == "check":
            return
        if reasons := tuple(self._failures(run, run.ended)):
            yield Message("failure", run.ended, *_about(run, reasons, ends), reasons)
        if changes := tuple(map(_change, filter(_is_change, run.images))):
            yield Message("changed", run.ended, *_about(run, changes, ends), changes=changes)
        trouble = self._troubles.pop(run.entry, None) if run.well else None
        if past := (*(_over(run.entry, trouble) if trouble is not None else ()), *over):
            yield Message("recovered", run.ended, *_about(run, past, ends), past)

    def keep_only(self, entries: Collection[str]) -> None:
        """Forget entries that are no more."""
        self._troubles = {name: trouble for name, trouble in self._troubles.items() if name in entries}

    def _failures(self, run: RunRecord, now: datetime) -> Iterator[Reason]:
        failed: dict[str, list[ImageRecord]] = defaultdict(list)
        for image in run.images:
            if image.outcome == "failed":
                failed[run.entry or image.entry].append(image)
        for entry, images in failed.items():
            trouble = self._troubles.setdefault(entry, _Trouble(now))
            trouble.runs += 1
            for cause in causes(images):
                if (reason := _due(trouble, entry, cause, now)) is not None:
                    yield reason


def _due(trouble: _Trouble, entry: str, cause: Cause, now: datetime) -> Reason | None:
    """Return what to say of a cause now; None if it was told of within the hour, and then it is counted."""
    known = trouble.causes
    if cause.kind not in known and len(known) >= _KINDS:
        trouble.causes = known = {kind: past for kind, past in known.items() if now - past.told < AGAIN}
    kind = cause.kind if cause.kind in known or len(known) < _KINDS else _OTHERS
    past = known.get(kind)
    if past is not None and now - past.told < AGAIN:
        past.since += 1
        return None
    known[kind] = _Past(now, cause.error)
    return Reason(
        entry,
        cause.error,
        count=len(cause.images),
        images=tuple(image.target for image in cause.images[:EXAMPLES]),
        advice=advice(cause.images[0].message, cause.error),
        repeated=past.since if past is not None else 0,
        since=past.told if past is not None else None,
    )


def _over(entry: str, trouble: _Trouble) -> Iterator[Reason]:
    """Yield what was told of and is over, with the number of runs that failed, whatever with."""
    for past in trouble.causes.values():
        yield Reason(entry, past.error, repeated=trouble.runs, since=trouble.began)


def _about(run: RunRecord, told: Sequence[Reason | Change], ends: Ends) -> tuple[str, str, str, str]:
    """Return entry, source, target and run of a message; of a run over all entries it may well be about one alone."""
    named = {one.entry for one in told}
    entry = run.entry or (named.pop() if len(named) == 1 else "")
    return entry, *(ends(entry) if entry else ("", "")), run.id


def _is_change(image: ImageRecord) -> bool:
    return image.outcome == "copied" and image.before != image.digest


def _change(image: ImageRecord) -> Change:
    return Change(image.entry, image.source, image.target, image.before, image.digest)
