"""Receivers that are URLs of the web: a POST of one JSON object, tried again where a later try may go better.

Fields may be added to the object without another version.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from regsync.clock import Clock
from regsync.errors import NotNotified, RegsyncError, Unavailable
from regsync.hooks.webhook import Post
from regsync.notify.message import Message, Reason
from regsync.notify.text import headline, told
from regsync.record.objects import Object, stamp

VERSION: Final = 1
_LISTED: Final = 100  # causes, changes; more are counted
_ERROR_MOST: Final = 2000  # characters
_CONTENT_MOST: Final = 2000  # characters, beyond which Discord refuses a message
_PATIENCE: Final = 10.0  # seconds of one try
_PAUSES: Final = (1.0, 4.0)  # seconds between tries
_LONGEST: Final = 60.0  # seconds: whoever wants to be left alone for longer is


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


async def call(url: str, said: bytes, post: Post, clock: Clock) -> None:
    """Send a document; `NotNotified` unless the answer is a success (2xx). Nothing of the URL is told."""
    for pause in (*_PAUSES, None):
        asked: float | None = None
        try:
            async with asyncio.timeout(_PATIENCE):
                status, asked = await post(url, said)
        except TimeoutError:
            why, again = f"did not answer within {_PATIENCE:.0f} s", True
        except RegsyncError as error:
            why, again = str(error), isinstance(error, Unavailable)
        else:
            if 200 <= status < 300:
                return
            why, again = f"answered {status}{_meaning(status)}", status >= 500 or status == 429
        if pause is None or not again or (asked or 0.0) > _LONGEST:
            raise NotNotified(why)
        await clock.sleep(max(pause, asked or 0.0))


def _meaning(status: int) -> str:
    return ", a redirect, which is not followed" if 300 <= status < 400 else ""
