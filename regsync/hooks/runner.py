"""Runs hooks of either kind, so many at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from regsync.clock import Clock
from regsync.errors import HookFailed
from regsync.events import HookRan, Tell
from regsync.hooks.exec import run_exec
from regsync.hooks.hook import Event, Exec, Hook, Webhook
from regsync.hooks.webhook import Post, call_webhook
from regsync.secrets import Secrets

AT_ONCE: Final = 8  # in the whole process: programs are memory, and a URL is somebody's server


class HookRunner:
    """`environ` is what programs are given a part of, `post` sends documents, `secrets` is kept out of events."""

    def __init__(self, post: Post, *, clock: Clock, environ: Mapping[str, str], secrets: Secrets, tell: Tell) -> None:
        self._post = post
        self._tell = tell
        self._clock = clock
        self._environ = environ
        self._secrets = secrets
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, hook: Hook, event: Event) -> None:
        """Run a hook to its end, or raise `HookFailed`."""
        async with self._slots:
            began = self._clock.monotonic()
            document = event.document(self._clock.now(), self._secrets.clean)
            try:
                match hook:
                    case Exec():
                        await run_exec(hook, document, self._environ)
                    case Webhook():
                        await call_webhook(hook, document, self._post, self._clock)
            except HookFailed as failed:
                named = HookFailed(f"hook {event.hook}: {failed}")
                named.attempts = failed.attempts
                raise named from failed
            seconds = self._clock.monotonic() - began
            self._tell(HookRan(event.hook, event.source, event.target, seconds))
