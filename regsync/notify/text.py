"""A message in words, short enough for a telephone. Names come from registries: none of them can call anybody."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, assert_never

from regsync.notify.message import Change, Message, Reason
from regsync.record.words import short
from regsync.text import plain

_LINES: Final = 10  # causes, changes; more are counted
_NAMED: Final = 3  # images of a cause
_LONGEST: Final = 300  # characters of an error or of a name
_CALL: Final = re.compile(r"@(?=(all|channel|everyone|here)\b)", re.IGNORECASE)
_CALMED: Final = str.maketrans({"<": "\u2039", ">": "\u203a"})  # what Slack takes for links and calls


def headline(message: Message) -> str:
    """Return what happened in one line."""
    where = _calm(message.entry) or "several entries"
    match message.kind:
        case "failure":
            return f"regsync: {_images(sum(reason.count for reason in message.reasons))} failed: {where}"
        case "recovered":
            return f"regsync: all is well again: {where}"
        case "changed":
            return f"regsync: {_images(len(message.changes))} changed: {where}"
        case "stale":
            return f"regsync: not up to date: {where}"
        case _:
            assert_never(message.kind)


def told(message: Message) -> list[str]:
    """Return the lines below it."""
    lines = [f"{_calm(message.source)} -> {_calm(message.target)}"] if message.source else []
    written = _past if message.kind == "recovered" else _reason
    lines += _listed(written(one, named=not message.entry) for one in message.reasons)
    lines += _listed(_change(one) for one in message.changes)
    return lines


def _listed(lines: Iterable[str]) -> list[str]:
    shown = [*lines]
    more = len(shown) - _LINES
    return shown if more <= 0 else [*shown[:_LINES], f"- and {more} more"]


def _reason(reason: Reason, *, named: bool) -> str:
    parts = [_begun(reason, named=named)]
    if reason.images:
        shown = ", ".join(map(_calm, reason.images[:_NAMED]))
        more = reason.count - min(len(reason.images), _NAMED)
        parts.append(f" ({shown}{f' and {more} more' if more > 0 else ''})")
    if reason.repeated:
        times = "once more" if reason.repeated == 1 else f"{reason.repeated} times more"
        parts.append(f"; {times}{_since(reason)}")
    if reason.advice:
        parts.append(f". {reason.advice}")
    return "".join(parts)


def _past(reason: Reason, *, named: bool) -> str:
    """Return what is over."""
    runs = "" if not reason.repeated else "1 run failed" if reason.repeated == 1 else f"{reason.repeated} runs failed"
    return f"{_begun(reason, named=named)}{f'; {runs}{_since(reason)}' if runs else ''}"


def _begun(reason: Reason, *, named: bool) -> str:
    return f"- {_calm(reason.entry)}: {_calm(reason.error)}" if named else f"- {_calm(reason.error)}"


def _since(reason: Reason) -> str:
    return "" if reason.since is None else f" since {reason.since:%Y-%m-%d %H:%M} UTC"


def _change(change: Change) -> str:
    before = short(change.before) if change.before else "new"
    return f"- {_calm(change.target)}: {before} -> {short(change.after)}"


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _calm(text: str) -> str:
    """Return a text of somebody else's so that a chat shows it and does nothing more."""
    return _CALL.sub("@\u200b", plain(text)[:_LONGEST].translate(_CALMED))
