"""What waits to be told to one receiver, and who tells it: so much at most, and nobody ever waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from regsync.clock import Clock
from regsync.errors import NotNotified
from regsync.events import Notified, Tell, Warned
from regsync.notify.judge import AGAIN
from regsync.notify.message import Message
from regsync.notify.receiver import Receiver

_WAITING: Final = 100  # messages
_REMEMBERED: Final = 20  # causes of failures; a receiver may say something else each time

Send = Callable[[Message], Awaitable[None]]  # raises `NotNotified`


class Outbox:
    """The messages for one receiver, sent one after another as long as its task lives; so many are `waiting`."""

    def __init__(self, receiver: Receiver, send: Send, *, clock: Clock, tell: Tell) -> None:
        self.receiver = receiver
        self._send = send
        self._clock = clock
        self._tell = tell
        self._queue: asyncio.Queue[Message] = asyncio.Queue(_WAITING)
        self.waiting = 0
        self._dropped = 0
        self._warned: dict[str, datetime] = {}
        self._task = asyncio.create_task(self._work(), name="notify")

    def put(self, message: Message) -> None:
        """Have a message sent, if it is one for this receiver; where too many wait already it is dropped."""
        if message.kind not in self.receiver.kinds:
            return
        try:
            self._queue.put_nowait(message)
            self.waiting += 1
        except asyncio.QueueFull:
            self._dropped += 1
            self._tell(Notified(self.receiver.place, message.kind, "dropped"))
            if self._dropped == 1:
                self._tell(Warned("Notifications are dropped: too many wait for one that is slow or away", self._who))

    async def sent(self) -> None:
        """Return when nothing waits any more."""
        await self._queue.join()

    def close(self) -> None:
        """Send nothing more."""
        self._task.cancel()

    @property
    def _who(self) -> dict[str, object]:
        return {"receiver": self.receiver.place}

    async def _work(self) -> None:
        while True:
            message = await self._queue.get()
            try:
                await self._deliver(message)
            finally:
                self._queue.task_done()
                self.waiting -= 1
            if self._dropped and self._queue.empty():
                self._tell(Warned("Notifications were dropped", {**self._who, "count": self._dropped}))
                self._dropped = 0

    async def _deliver(self, message: Message) -> None:
        place, kind = self.receiver.place, message.kind
        try:
            await self._send(message)
        except NotNotified as error:
            why = str(error)
        except Exception as bug:  # noqa: BLE001 - ours or a plugin's; telling of the work must not stop it
            why = f"failed by a bug: {type(bug).__name__}"
        else:
            self._tell(Notified(place, kind, "sent"))
            return
        self._tell(Notified(place, kind, "failed"))
        self._warn(why)

    def _warn(self, why: str) -> None:
        """Say why a message was not sent, once an hour."""
        now = self._clock.now()
        self._warned = {known: at for known, at in self._warned.items() if now - at < AGAIN}
        if why not in self._warned and len(self._warned) < _REMEMBERED:
            self._warned[why] = now
            self._tell(Warned("Notification not sent", {**self._who, "err": why}))
