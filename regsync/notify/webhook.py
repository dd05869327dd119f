"""Receivers that are URLs of the web: a POST of the object, tried again where a later try may go better."""

from __future__ import annotations

import asyncio
from typing import Final

from regsync.clock import Clock
from regsync.errors import NotNotified, RegsyncError, Unavailable
from regsync.hooks.webhook import Post

_PATIENCE: Final = 10.0  # seconds of one try
_PAUSES: Final = (1.0, 4.0)  # seconds between tries
_LONGEST: Final = 60.0  # seconds: whoever wants to be left alone for longer is


async def call(url: str, document: bytes, post: Post, clock: Clock) -> None:
    """Send the object; `NotNotified` unless the answer is a success (2xx). Nothing of the URL is told."""
    for pause in (*_PAUSES, None):
        asked: float | None = None
        try:
            async with asyncio.timeout(_PATIENCE):
                status, asked = await post(url, document)
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
