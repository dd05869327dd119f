"""What an event says, and how loud: the Go regsync's keys and messages.

Decided here, in one `match`; an event without a decision is a type error.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import assert_never

from regsync.duration import format_duration
from regsync.events import (
    BackupStarted,
    BlobDone,
    BlobProgress,
    BlobRead,
    BlobRetried,
    BlobStarted,
    Commanded,
    Complained,
    CopyPlanned,
    EntryIgnored,
    Event,
    Exchanged,
    HookRan,
    ImageCopied,
    ImageCurrent,
    ImageDelayed,
    ImageDiffers,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    ImageRefreshing,
    ImageSkipped,
    JobFinished,
    JobQueued,
    JobSkipped,
    JobStarted,
    ManifestPushed,
    NoTagsMatched,
    Notified,
    PassedOver,
    Ready,
    Reloaded,
    Reloading,
    ReloadRefused,
    RequestRetried,
    RunFinished,
    RunStarted,
    Stopping,
    TagsSelected,
    Warned,
)
from regsync.observe.levels import DEBUG, ERROR, INFO, TRACE, WARN

Line = tuple[int, str, Mapping[str, object]]
_SHOWN = 12  # digits of a digest that tell configurations apart
_WARNED_OF = frozenset(3 << doubled for doubled in range(32))  # skips in a row: an hour's job due every second says 11
_DONE = {"run": "Run asked for", "cancel": "Run cancelled", "pause": "Entry paused", "resume": "Entry resumed"}
_Ends = (
    BlobStarted
    | BlobRetried
    | ImageCurrent
    | ImageDiffers
    | ImageNeeded
    | ImageRefreshing
    | HookRan
    | CopyPlanned
    | ImageCopied
    | ImageFailed
    | ImagePostponed
    | ImageDelayed
)
_Waits = ImagePostponed | ImageDelayed
TRACED = (Exchanged, BlobProgress, BlobRead)  # of which there are thousands, and lines at TRACE alone


def line_of(event: Event) -> Line:
    """Decide what an event says, and how loud."""
    match event:
        case Exchanged() | BlobProgress() | BlobRead():
            return _line_of_trace(event)
        case RequestRetried() | Warned() | BlobStarted() | BlobDone() | BlobRetried() | ManifestPushed():
            return _line_of_bytes(event)
        case BackupStarted() | HookRan() | CopyPlanned() | ImageDiffers() | ImageCopied():
            return _line_of_copy(event)
        case TagsSelected() | NoTagsMatched() | ImageCurrent() | ImageNeeded() | ImageRefreshing() | ImageSkipped():
            return _line_of_choice(event)
        case ImageFailed():
            said = {"error": event.error, "attempts": event.attempts, **_traced("trace", event.crash)}
            return ERROR, event.message, {**_ends(event), **said}
        case ImagePostponed() | ImageDelayed():
            return _line_of_waiting(event)
        case RunStarted() | RunFinished():
            return _line_of_run(event)
        case EntryIgnored() | JobQueued() | JobSkipped() | JobStarted() | JobFinished() | Complained():
            return _line_of_job(event)
        case (
            Ready() | Reloading() | Reloaded() | ReloadRefused() | Stopping() | Notified() | Commanded() | PassedOver()
        ):
            return _line_of_service(event)
        case _:
            assert_never(event)


def _traced(name: str, crash: BaseException | None) -> Mapping[str, str]:
    return {} if crash is None else {name: "".join(traceback.format_exception(crash))}


def _line_of_trace(event: Exchanged | BlobProgress | BlobRead) -> Line:
    if isinstance(event, Exchanged):
        login = {"authorization": "[censored]"} if event.authorized else {}
        return TRACE, "Exchange", {"method": event.method, "url": event.url, "status": event.status, **login}
    if isinstance(event, BlobRead):
        return TRACE, "Blob read", {"source": event.source, "digest": event.digest, "bytes": event.read}
    ends = {"source": event.source, "targets": list(event.targets)}
    return TRACE, "Blob under way", {**ends, "digest": event.digest, "bytes": event.offset, "of": event.size}


def _line_of_bytes(event: RequestRetried | Warned | BlobStarted | BlobDone | BlobRetried | ManifestPushed) -> Line:
    match event:
        case RequestRetried():
            said = {"host": event.host, "request": event.request, "attempt": event.attempt}
            return DEBUG, "Request failed, trying again", {**said, "pause": round(event.pause, 2), "err": event.why}
        case Warned():
            return WARN, event.message, event.fields
        case BlobStarted(kind="config"):
            return INFO, "Copy config", {**_ends(event), "digest": event.digest}
        case BlobStarted():
            return INFO, "Copy layer", {**_ends(event), "layer": event.digest}
        case BlobDone():
            return DEBUG, "Blob done", {"target": event.target, "digest": event.digest, "how": event.how}
        case BlobRetried():
            fields = {**_ends(event), "digest": event.digest, "attempt": event.attempt, "err": event.why}
            return WARN, "Failed to copy layer", fields
        case ManifestPushed():
            return DEBUG, "Manifest pushed", {"target": event.target, "ref": event.ref, "digest": event.digest}
        case _:
            assert_never(event)


def _line_of_copy(event: BackupStarted | HookRan | CopyPlanned | ImageDiffers | ImageCopied) -> Line:
    match event:
        case HookRan():
            return DEBUG, "Hook ran", {"hook": event.hook, **_ends(event), "seconds": round(event.seconds, 2)}
        case CopyPlanned():
            return DEBUG, "Copy planned", {**_ends(event), "blobs": event.blobs, "bytes": event.size}
        case ImageDiffers():
            digests = {"before": event.before, "digest": event.digest}
            return DEBUG, "Image differs", {**_ends(event), "change": event.change, **digests, "bytes": event.size}
        case BackupStarted():
            return INFO, "Saving backup", {"original": event.original, "backup": event.backup}
        case ImageCopied():
            return INFO, "Image copied", {**_ends(event), "digest": event.digest}
        case _:
            assert_never(event)


def _line_of_choice(
    event: TagsSelected | NoTagsMatched | ImageCurrent | ImageNeeded | ImageRefreshing | ImageSkipped,
) -> Line:
    match event:
        case TagsSelected():
            counts = {"available": event.available, "selected": event.selected}
            return DEBUG, "Tags selected", {"source": event.source, **counts}
        case NoTagsMatched():
            return (
                WARN,
                "No matching tags found",
                {"source": event.source, "tags": event.filters, "available": list(event.available)},
            )
        case ImageCurrent():
            return DEBUG, "Image matches" if event.how == "same" else "target exists", _ends(event)
        case ImageNeeded():
            return INFO, "Image sync needed", _ends(event)
        case ImageRefreshing():
            extras = {"forced": event.forced, "digestTags": event.digest_tags, "referrers": event.referrers}
            return INFO, "Image refreshing", {**_ends(event), **extras}
        case ImageSkipped():
            kinds = {"mediaType": event.media_type, "allowed": list(event.allowed)}
            return INFO, "Skipping unsupported media type", {"ref": event.source, **kinds}
        case _:
            assert_never(event)


def _line_of_waiting(event: _Waits) -> Line:
    match event:
        case ImagePostponed():
            return INFO, "Image postponed", {**_ends(event), "pause": round(event.pause), "err": event.why}
        case ImageDelayed():
            left = {"source-remain": event.remaining, "source-limit": event.limit, "step-min": event.least}
            return INFO, "Delaying for rate limit", {**_ends(event), **left, "sleep": format_duration(event.pause)}
        case _:
            assert_never(event)


def _line_of_job(event: EntryIgnored | JobQueued | JobSkipped | JobStarted | JobFinished | Complained) -> Line:
    match event:
        case EntryIgnored():
            fields = {"source": event.source, "target": event.target, "type": event.kind}
            return ERROR, event.message, fields | ({"expected": event.expected} if event.expected else {})
        case JobQueued():
            return DEBUG, "Scheduled task", {"entry": event.entry, "due": event.due.isoformat()}
        case JobSkipped():
            level = WARN if event.times in _WARNED_OF else DEBUG
            said = {"entry": event.entry, "due": event.due.isoformat(), "times": event.times}
            return level, "Still running, not started again", said
        case JobStarted():
            return DEBUG, "Running task", {"entry": event.entry, "due": event.due.isoformat()}
        case JobFinished(crash=None):
            return DEBUG, "Task finished", {"entry": event.entry, "failed": event.failed}
        case JobFinished(crash=crash):
            return ERROR, "Failed to sync", {"entry": event.entry, **_traced("error", crash)}
        case Complained():
            task = {"task": event.task} if event.task else {}
            return ERROR, "The event loop complains", {"what": event.message, **task, **_traced("error", event.crash)}
        case _:
            assert_never(event)


def _line_of_command(event: Commanded | PassedOver) -> Line:
    if isinstance(event, PassedOver):
        return INFO, "Due while paused, not started", {"entry": event.entry, "due": event.due.isoformat()}
    said = {"entry": event.entry, "who": event.who, "client": event.client, "paused": event.paused}
    return INFO, _DONE[event.command], said


def _line_of_service(
    event: Ready | Reloading | Reloaded | ReloadRefused | Stopping | Notified | Commanded | PassedOver,
) -> Line:
    match event:
        case Commanded() | PassedOver():
            return _line_of_command(event)
        case Ready():
            return INFO, "Server ready", {"entries": event.entries, "config": event.digest[:_SHOWN]}
        case Reloading():
            return DEBUG, "Reading the configuration again", {}
        case Reloaded():
            numbers = {"added": event.added, "changed": event.changed, "removed": event.removed}
            fields = {"entries": event.entries, **numbers, "config": event.digest[:_SHOWN]}
            return INFO, "Configuration reloaded", fields
        case ReloadRefused():
            return ERROR, "Configuration refused, the one before stays in force", {"error": list(event.problems)}
        case Stopping():
            return INFO, "Stopping server", {"grace": event.grace}
        case Notified():
            return DEBUG, f"Notification {event.outcome}", {"receiver": event.receiver, "event": event.event}
        case _:
            assert_never(event)


def _line_of_run(event: RunStarted | RunFinished) -> Line:
    """One entry of a daemon that had nothing to do is not worth a line; a run over everything always is."""
    entry = {"entry": event.entry} if event.entry else {}
    if isinstance(event, RunStarted):
        return DEBUG, "Run started", {**entry, "scope": event.scope}
    fields = {
        "copied": event.copied,
        "unchanged": event.unchanged,
        "skipped": event.skipped,
        "failed": event.failed,
        "bytes": event.moved,
        "spared": event.spared,
        "seconds": round(event.seconds, 2),
    }
    quiet = event.cut or (event.entry and not event.copied and not event.failed)
    return DEBUG if quiet else INFO, "Run cut off" if event.cut else "Run finished", {**entry, **fields}


def _ends(event: _Ends) -> dict[str, object]:
    return {"source": event.source, "target": event.target}
