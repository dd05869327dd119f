"""Hooks that are URLs: a POST of the event, tried again where a later try may go better."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol
from urllib.parse import urlsplit

from regsync.clock import Clock
from regsync.duration import format_duration
from regsync.errors import HookFailed, RegsyncError, Unavailable
from regsync.hooks.hook import Webhook
from regsync.waiting import NAP

_PAUSES: Final = (1.0, 2.0, 4.0)  # seconds between tries


class Post(Protocol):
    """What sends a document somewhere, once: no redirect is followed."""

    async def __call__(self, url: str, body: bytes) -> tuple[int, float | None]:
        """Return the status of the answer and how many seconds its sender wants to be left alone, if it said so."""
        ...


async def call_webhook(hook: Webhook, event: bytes, post: Post, clock: Clock) -> None:
    """Send the event; `HookFailed` unless the answer is a success (2xx). Of the URL only its host is ever told."""
    place = f"webhook at {urlsplit(hook.url).hostname}"
    try:
        async with asyncio.timeout(hook.timeout):
            await _persist(hook.url, event, post, clock, place)
    except TimeoutError:
        raise HookFailed(f"{place} did not answer within {format_duration(hook.timeout)}") from None


async def _persist(url: str, event: bytes, post: Post, clock: Clock, place: str) -> None:
    for attempt, pause in enumerate((*_PAUSES, None), start=1):
        asked: float | None = None
        try:
            status, asked = await post(url, event)
        except RegsyncError as error:
            failed = HookFailed(f"{place}: {error}")
            again = isinstance(error, Unavailable)
        else:
            if 200 <= status < 300:
                return
            failed = HookFailed(f"{place} answered {status}{_meaning(status)}")
            again = status >= 500
        failed.attempts = attempt
        if pause is None or not again or (asked or 0.0) > NAP:
            raise failed
        await clock.sleep(max(pause, asked or 0.0))


def _meaning(status: int) -> str:
    return ", a redirect, which is not followed" if 300 <= status < 400 else ""
