"""Who is to be told is told while the program works: of runs that end, and of entries that have grown old."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from regsync.events import JobFinished, Reloaded, Warned
from regsync.facts import Fact
from regsync.notify.judge import Judge
from regsync.notify.message import Message, Reason
from regsync.notify.others import Others
from regsync.notify.outbox import Outbox, Send
from regsync.notify.receiver import Receiver
from regsync.notify.stale import Ages, OverdueAt
from regsync.notify.text import headline, told
from regsync.notify.webhook import call, document
from regsync.record.recorder import Recorder
from regsync.record.values import Counts, ImageRecord, RunRecord
from regsync.registry.http.courier import Courier
from regsync.registry.http.wire import Wire
from regsync.setup import Common, Setup
from regsync.translate import receivers_of

if TYPE_CHECKING:
    from regsync.keeping import Kept
    from regsync.service import Service

_LOOKED_AT_EVERY: Final = 10.0  # seconds
_AT_ONCE: Final = 20  # entries whose schedules are asked before others have a turn


class Notifier:
    """An observer, and whom `hear` tells of runs that end.

    `setup` gives the configuration in force. It hears of runs from its own recorder, or else (not `recording`) from
    whoever has one.
    """

    def __init__(self, setup: Callable[[], Setup], common: Common, courier: Courier, *, recording: bool) -> None:
        self._setup = setup
        self._common = common
        self._courier = courier
        self._recording = recording
        self._recorder: Recorder | None = None
        self._judge = Judge()
        self._ages = Ages()
        self._boxes: list[Outbox] = []
        self._take()

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        event = fact.event
        if self._recorder is not None:
            self._recorder(fact)
        if isinstance(event, Reloaded):
            self._courier.trust_anew()
            self._take()
        elif isinstance(event, JobFinished) and event.crash is not None:
            self.hear(self._broken(event.entry, event.crash, fact.at))

    def hear(self, run: RunRecord) -> None:
        """Tell what is worth telling of a run that has ended."""
        over = tuple(self._ages.hear(run))
        if not self._boxes:
            return
        for message in self._judge.judge(run, self._ends, over):
            self._put(message)

    async def watch(self, service: Service, keeping: Kept | None) -> None:
        """Look for entries that have grown old, for ever; `keeping` may know them from before."""
        setup: Setup | None = None
        while True:
            if setup is not self._setup():
                setup, entries = self._setup(), [*service.planned]
                asked = keeping if setup.config.defaults.state else None
                known = {} if asked is None else await asked.known_since(entries)
                self._ages.follow(entries, self._common.clock.now(), known)
            await self._common.clock.sleep(_LOOKED_AT_EVERY)
            if any("stale" in box.receiver.kinds for box in self._boxes):
                await self._look(service.overdue_at)

    async def sent(self, patience: float) -> None:
        """Return when everything is sent, or after so many seconds; what is not then is given up."""
        with suppress(TimeoutError):
            async with asyncio.timeout(patience):
                for box in self._boxes:
                    await box.sent()
        for box in self._boxes:
            if box.waiting:
                told_of = {"receiver": box.receiver.place, "count": box.waiting}
                self._common.tell(Warned("Notifications were not sent before the end", told_of))

    def close(self) -> None:
        """Send nothing more."""
        for box in self._boxes:
            box.close()

    def _take(self) -> None:
        """Tell those whom the configuration in force names; whoever stays is still told what waits for him."""
        setup, before, boxes = self._setup(), self._boxes, []
        for receiver in receivers_of(setup.config):
            known = next((box for box in before if box.receiver.url == receiver.url), None)
            if known is None:
                known = Outbox(receiver, self._way_to(receiver), clock=self._common.clock, tell=self._common.tell)
            else:
                before.remove(known)
                known.receiver = receiver
            boxes.append(known)
        for gone in before:
            gone.close()
        self._boxes = boxes
        self._judge.keep_only(setup.entries.keys())
        if not (boxes and self._recording):
            self._recorder = None
        elif self._recorder is None:
            self._recorder = Recorder(self.hear, most_unchanged=0)

    def _way_to(self, receiver: Receiver) -> Send:
        if receiver.is_web:
            return partial(self._post, receiver.url)
        others = Others(receiver.url)
        return lambda message: others.send(headline(message), "\n".join(told(message)))

    async def _post(self, url: str, message: Message) -> None:
        await call(url, document(message), self._once, self._common.clock)

    async def _once(self, url: str, body: bytes) -> tuple[int, float | None]:
        agent = self._setup().manner.user_agent
        return await self._courier.post(url, body, user_agent=agent, now=self._common.clock.now())

    def _put(self, message: Message) -> None:
        cleaned = message.cleaned(self._common.secrets.clean)
        for box in self._boxes:
            box.put(cleaned)

    async def _look(self, overdue_at: OverdueAt) -> None:
        now = self._common.clock.now()
        found: list[Reason] = []
        for number, entry in enumerate(self._ages.due(now), start=1):
            if (reason := self._ages.look(entry, now, overdue_at)) is not None:
                found.append(reason)
            if not number % _AT_ONCE:
                await asyncio.sleep(0)
        if found:
            one = found[0].entry if len(found) == 1 else ""
            self._put(Message("stale", now, one, *self._ends(one), reasons=tuple(found)))

    def _ends(self, name: str) -> tuple[str, str]:
        entry = self._setup().entries.get(name)
        return ("", "") if entry is None else (entry.source, entry.target)

    def _broken(self, entry: str, crash: BaseException, at: datetime) -> RunRecord:
        """Return a run that ended by a bug of ours."""
        error = f"a bug in regsync: {type(crash).__name__}"
        image = ImageRecord(entry, *self._ends(entry), "failed", at, error=error)
        return RunRecord("", entry, "changed", at, at, counts=Counts(failed=1), images=(image,))


@asynccontextmanager
async def notifying(
    setup: Callable[[], Setup], common: Common, *, keeping: Kept | None = None
) -> AsyncIterator[Notifier]:
    """Tell who is to be told while the block lasts; what waits at its end is given up."""
    async with Wire(environ=common.environ) as wire:
        notifier = Notifier(setup, common, Courier(wire, common.environ), recording=keeping is None)
        if keeping is not None:
            keeping.pass_on_to(notifier.hear)
        with common.tell.joined(notifier):
            try:
                yield notifier
            finally:
                notifier.close()
