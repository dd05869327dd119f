"""What is told of a fact to those who follow: few kinds of events, with the fields that the API gives such things.

What is unchanged is not told: of ten thousand tags nobody follows each, and a pass that finds nothing stays cheap.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Final

from regsync.events import (
    Commanded,
    ImageCopied,
    ImageCurrent,
    ImageDelayed,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    ImageRefreshing,
    ImageSkipped,
    JobSkipped,
    Ready,
    Reloaded,
    ReloadRefused,
    RunFinished,
    RunStarted,
    Stopping,
)
from regsync.facts import Fact
from regsync.record.objects import Object, run_object, stamp
from regsync.record.recorder import run_name
from regsync.record.values import RunRecord

_OF_SERVER: Final = {Ready: "ready", Reloaded: "reloaded", ReloadRefused: "reload-refused", Stopping: "stopping"}


@dataclass(frozen=True, slots=True)
class Saying:
    """An event as it is told; `entry` is empty where it is one of the server's own.

    What is said of a run is made of its record when somebody listens: of runs there are many.
    """

    name: str
    entry: str
    of: Object | RunRecord

    @property
    def data(self) -> Object:
        """What is said."""
        return run_object(self.of) if isinstance(self.of, RunRecord) else self.of


@dataclass(slots=True)
class _Run:
    name: str
    images: set[str] = field(default_factory=set)  # that were told to have started


class Vocabulary:
    """Says what becomes of facts; knows the runs that go on."""

    def __init__(self) -> None:
        self._runs: dict[str, _Run] = {}

    def say(self, fact: Fact) -> Saying | None:
        """Return what is told of this, None if nothing is; of a run that ends, see `ended`."""
        event = fact.event
        if name := _OF_SERVER.get(type(event)):
            return Saying(name, "", asdict(event))
        match event:
            case RunStarted(entry=entry, scope=scope):
                run = self._runs[fact.run] = _Run(run_name(fact))
                return Saying("run-started", entry, RunRecord(run.name, entry, scope, fact.at))
            case RunFinished():
                self._runs.pop(fact.run, None)
            case Commanded(command=command, entry=entry, paused=paused):
                return Saying("commanded", entry, {"entry": entry, "command": command, "paused": paused})
            case JobSkipped(entry=entry):
                return Saying("run-skipped", entry, {**asdict(event), "due": stamp(event.due)})
            case _:
                known = self._runs.get(fact.run)
                return None if known is None else _of_image(fact, known)
        return None


def ended(run: RunRecord) -> Saying:
    """Return what is told of a run that has ended."""
    return Saying("run-ended", run.entry, replace(run, images=()))


def _of_image(fact: Fact, run: _Run) -> Saying | None:
    match event := fact.event:
        case ImageNeeded() | ImageRefreshing():
            run.images.add(event.target)
            before = event.before if isinstance(event, ImageNeeded) else event.digest
            ends = _ends(fact, run, event.source, event.target)
            return Saying("image-started", fact.entry, {**ends, "digest": event.digest, "before": before})
        case ImagePostponed() | ImageDelayed():
            why = event.why if isinstance(event, ImagePostponed) else f"{event.remaining} pulls are left"
            until = stamp(fact.at + timedelta(seconds=event.pause))
            ends = _ends(fact, run, event.source, event.target)
            return Saying("image-waits", fact.entry, {**ends, "until": until, "why": why})
        case _:
            return _of_end(fact, run)


def _of_end(fact: Fact, run: _Run) -> Saying | None:
    match event := fact.event:
        case ImageCopied(digest=digest):
            return _end(fact, run, event.source, event.target, outcome="copied", digest=digest)
        case ImageFailed():
            why = {"message": event.message, "error": event.error, "attempts": event.attempts}
            return _end(fact, run, event.source, event.target, outcome="failed", **why)
        case ImageCurrent(digest=digest) if event.target in run.images:
            return _end(fact, run, event.source, event.target, outcome="unchanged", digest=digest)
        case ImageSkipped() if fact.image in run.images:
            return _end(fact, run, event.source, fact.image, outcome="skipped")
        case _:
            return None


def _end(fact: Fact, run: _Run, source: str, target: str, **more: object) -> Saying:
    run.images.discard(target)
    said = {"digest": "", "message": "", "error": "", "attempts": 0}
    return Saying("image-ended", fact.entry, {**_ends(fact, run, source, target), **said, **more})


def _ends(fact: Fact, run: _Run, source: str, target: str) -> Object:
    return {"run": run.name, "entry": fact.entry, "source": source, "target": target}
