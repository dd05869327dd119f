"""A message as the JSON object that webhooks get; fields may be added to it without another version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from regsync.notify.message import Message, Reason
from regsync.notify.text import headline, told
from regsync.record.objects import Object, stamp

VERSION: Final = 1
_LISTED: Final = 100  # causes, changes; more are counted
_ERROR_MOST: Final = 2000  # characters
_CONTENT_MOST: Final = 2000  # characters, beyond which Discord refuses a message


def document(message: Message) -> bytes:
    """Return the object.

    `text` is what Slack, Mattermost and their like show, and `content` what Discord does, which is to call nobody.
    """
    said = "\n".join([headline(message), *told(message)])
    whole: Object = {
        "version": VERSION,
        "event": message.kind,
        "time": stamp(message.at),
        "entry": message.entry,
        "source": message.source,
        "target": message.target,
        "run": message.run,
        "causes": [_cause(one) for one in message.reasons[:_LISTED]],
        "changes": [asdict(one) for one in message.changes[:_LISTED]],
        "omitted": _beyond(message.reasons) + _beyond(message.changes),
        "text": said,
        "content": said[:_CONTENT_MOST],
        "allowed_mentions": {"parse": []},
    }
    return json.dumps(whole).encode()


def _beyond(listed: Sequence[object]) -> int:
    return max(0, len(listed) - _LISTED)


def _cause(reason: Reason) -> Object:
    return {**asdict(reason), "error": reason.error[:_ERROR_MOST], "since": stamp(reason.since)}
