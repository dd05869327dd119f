"""Events become lines on standard error: the Go regsync's keys and messages, as text or JSON.

Which level an event has is decided here, in one `match`; an event without a decision is a type error.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, assert_never

import structlog

from regsync.duration import format_duration
from regsync.errors import Malformed
from regsync.events import (
    BackupStarted,
    BlobDone,
    BlobProgress,
    BlobRetried,
    BlobStarted,
    EntryIgnored,
    Event,
    Exchanged,
    HookRan,
    ImageCopied,
    ImageCurrent,
    ImageDelayed,
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
    RequestRetried,
    RunFinished,
    Stopping,
    TagsSelected,
    Warned,
)
from regsync.facts import Fact
from regsync.observe.lines import json_line, text_line
from regsync.observe.output import Output
from regsync.secrets import Secrets

TRACE, DEBUG, INFO, WARN, ERROR = -8, -4, 0, 4, 8  # the numbers of Go's slog, so that INFO+2 means the same
_LEVELS = {"debug": DEBUG, "info": INFO, "warn": WARN, "error": ERROR}
_VERBOSITY = re.compile(r"([A-Za-z]+)([+-][0-9]{1,3})?")
_WARNED_OF = frozenset(3 << doubled for doubled in range(32))  # skips in a row: an hour's job due every second says 11
_REMEMBERED = 1000  # hosts that were in trouble, each in its run
Line = tuple[int, str, Mapping[str, object]]
_Ends = (
    BlobStarted
    | BlobRetried
    | ImageCurrent
    | ImageNeeded
    | ImageRefreshing
    | HookRan
    | ImageCopied
    | ImageFailed
    | ImagePostponed
    | ImageDelayed
)
_Waits = ImagePostponed | ImageDelayed


def parse_verbosity(text: str) -> int:
    """Return the threshold of `debug`, `info`, `warn` or `error` in any case, with an offset (`INFO+2`), or `trace`."""
    if text == "trace":
        return TRACE
    found = _VERBOSITY.fullmatch(text)
    level = _LEVELS.get(found[1].lower()) if found else None
    if found is None or level is None:
        raise Malformed(f"unable to parse verbosity {text}: expected debug, info, warn, error or trace")
    return level + int(found[2] or 0)


class _Queue:
    """The end of structlog's chain: `Output`, for which a line is urgent from ERROR on."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def msg(self, line: str, level: int) -> None:
        self._output.put(line, urgent=level >= ERROR)


class _Lines(structlog.BoundLoggerBase):
    """The one log method there is."""

    def line(self, message: str, **fields: object) -> None:
        self._proxy_to_logger("msg", message, **fields)


class Log:
    """An observer that writes lines of this level and above; what is secret is left out of them."""

    def __init__(self, output: Output, *, threshold: int, as_json: bool, secrets: Secrets) -> None:
        self._threshold = threshold
        self._secrets = secrets
        self._written = json_line if as_json else text_line
        self._in_trouble: dict[tuple[str, str], None] = {}
        self._last = datetime.fromtimestamp(0, UTC)
        self._logger = structlog.wrap_logger(
            _Queue(output), processors=[self._rendered], wrapper_class=_Lines, cache_logger_on_first_use=True
        )
        output.lost = self._lost

    def __call__(self, fact: Fact, /) -> None:
        """Write the line a fact becomes, if its level is wanted."""
        level, message, fields = line_of(fact.event)
        if isinstance(fact.event, RequestRetried) and self._is_first(fact.run, fact.event.host):
            level = WARN  # 16 s may pass until a host counts as gone, and nobody should wonder for so long
        if level >= self._threshold:
            self._last = fact.at
            self._logger.line(message, at=fact.at, level=level, fields=fields)

    def _is_first(self, run: str, host: str) -> bool:
        """Say whether this host had no trouble in this run before; of long ago that is forgotten."""
        if (run, host) in self._in_trouble:
            return False
        if len(self._in_trouble) >= _REMEMBERED:
            del self._in_trouble[next(iter(self._in_trouble))]
        self._in_trouble[run, host] = None
        return True

    def _rendered(self, _logger: Any, _method: str, line: Mapping[str, Any]) -> tuple[tuple[str], dict[str, int]]:
        level = line["level"]
        text = self._written(line["at"], _level_name(level), line["event"], line["fields"], self._secrets)
        return (text,), {"level": level}

    def _lost(self, count: int) -> str:
        return self._written(self._last, _level_name(WARN), "log lines dropped", {"dropped": count}, self._secrets)


def line_of(event: Event) -> Line:
    """Decide what an event says, and how loud."""
    match event:
        case Exchanged():
            login = {"authorization": "[censored]"} if event.authorized else {}
            return TRACE, "Exchange", {"method": event.method, "url": event.url, "status": event.status, **login}
        case BlobProgress():
            ends = {"source": event.source, "targets": list(event.targets)}
            return TRACE, "Blob under way", {**ends, "digest": event.digest, "bytes": event.offset, "of": event.size}
        case RequestRetried() | Warned() | BlobStarted() | BlobDone() | BlobRetried() | ManifestPushed():
            return _line_of_bytes(event)
        case BackupStarted() | HookRan() | ImageCopied():
            return _line_of_copy(event)
        case TagsSelected() | NoTagsMatched() | ImageCurrent() | ImageNeeded() | ImageRefreshing() | ImageSkipped():
            return _line_of_choice(event)
        case ImageFailed():
            crash = {} if event.crash is None else {"trace": "".join(traceback.format_exception(event.crash))}
            return ERROR, event.message, {**_ends(event), "error": event.error, "attempts": event.attempts, **crash}
        case ImagePostponed() | ImageDelayed():
            return _line_of_waiting(event)
        case RunFinished():
            return _finished(event)
        case EntryIgnored() | JobQueued() | JobSkipped() | JobStarted() | JobFinished() | Stopping():
            return _line_of_life(event)
        case _:
            assert_never(event)


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


def _line_of_copy(event: BackupStarted | HookRan | ImageCopied) -> Line:
    match event:
        case HookRan():
            return DEBUG, "Hook ran", {"hook": event.hook, **_ends(event), "seconds": round(event.seconds, 2)}
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


def _line_of_life(event: EntryIgnored | JobQueued | JobSkipped | JobStarted | JobFinished | Stopping) -> Line:
    match event:
        case EntryIgnored():
            return ERROR, event.message, {"source": event.source, "target": event.target, "type": event.kind}
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
            return ERROR, "Failed to sync", {"entry": event.entry, "error": "".join(traceback.format_exception(crash))}
        case Stopping():
            return INFO, "Stopping server", {"grace": event.grace}
        case _:
            assert_never(event)


def _finished(event: RunFinished) -> Line:
    """One entry of a daemon that had nothing to do is not worth a line; a run over everything always is."""
    fields = {
        **({"entry": event.entry} if event.entry else {}),
        "copied": event.copied,
        "unchanged": event.unchanged,
        "skipped": event.skipped,
        "failed": event.failed,
        "bytes": event.moved,
        "spared": event.spared,
        "seconds": round(event.seconds, 2),
    }
    quiet = event.entry and not event.copied and not event.failed
    return DEBUG if quiet else INFO, "Run finished", fields


def _ends(event: _Ends) -> dict[str, object]:
    return {"source": event.source, "target": event.target}


def _level_name(level: int) -> str:
    """Return the name Go's slog prints: the level below, and how far above it."""
    name, base = max(
        ((name, base) for name, base in _LEVELS.items() if base <= level),
        key=lambda one: one[1],
        default=("debug", DEBUG),
    )
    return name.upper() if level == base else f"{name.upper()}{level - base:+d}"
