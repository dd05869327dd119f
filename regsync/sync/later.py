"""What of a run was put off: how long each waits and for how long the run has patience, by the table in `waiting.py`.

Whoever waits here holds nothing: no worker, no slot, no place among the images in flight.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

from regsync.clock import Clock
from regsync.events import ImageDelayed, ImagePostponed, Tell
from regsync.oci.reference import Reference
from regsync.sync.decide import Delayed, Postponed
from regsync.sync.entry import ImagePair
from regsync.sync.units import Unit, Units
from regsync.transfer.together import Group
from regsync.waiting import RUN, Activity

Hire = Callable[[], None]  # sees to it that somebody takes units that are given back


class Later:
    """Gives units back when their time has come.

    Whoever is to hire then is held only while something waits: a run that holds what holds the run would stay in memory
    until garbage is looked for.
    """

    def __init__(
        self,
        units: Units,
        group: Group,
        *,
        clock: Clock,
        tell: Tell,
        say: Callable[[Activity], None] | None,
    ) -> None:
        self._units = units
        self._group = group
        self._clock = clock
        self._tell = tell
        self._say = say
        self._asleep = 0
        self._delayed: dict[Reference, list[Unit]] = {}
        self._idle_since: float | None = None
        self._idle = 0.0  # seconds in which nothing was left but what a registry in trouble put off

    def idle(self) -> None:
        """Note that nothing is left but what was put off; waiting for a quota costs no patience."""
        self._idle_since = None if self._delayed else self._clock.monotonic()
        if self._asleep and self._say is not None:
            self._say("waiting")

    def busy(self) -> None:
        """Note that there is work again."""
        if self._idle_since is not None:
            self._idle += self._clock.monotonic() - self._idle_since
            self._idle_since = None
        if self._say is not None:
            self._say("working")

    def put_off(self, unit: Unit, postponed: Postponed, hire: Hire) -> bool:
        """Try a unit again later if anybody waits that long."""
        pause = unit.waited.pause(postponed.asked)
        if pause is None or self._idle + pause > RUN:
            return False
        failed = postponed.failed
        self._tell(ImagePostponed(failed.source, failed.target, pause, str(failed.error)))
        self._start(self._try_again(unit, pause, hire))
        return True

    def delay(self, unit: Unit, pair: ImagePair, delayed: Delayed, hire: Hire) -> None:
        """Ask for the quota of an image's source again later, however long that goes on; its targets stay together."""
        ends = str(pair.source), str(pair.target)
        quota = delayed.quota
        self._tell(ImageDelayed(*ends, quota.remaining or 0, quota.limit, delayed.least, delayed.pause))
        waiting = self._delayed.setdefault(pair.source, [])
        waiting.append(replace(unit, delayed=True))
        if len(waiting) == 1:
            self._start(self._ask_again(pair.source, delayed.pause, hire))

    def _start(self, wait: Coroutine[object, object, None]) -> None:
        self._asleep += 1
        self._group.start(wait)

    async def _ask_again(self, source: Reference, pause: float, hire: Hire) -> None:
        await self._clock.sleep(pause)
        self._give_back(self._delayed.pop(source), hire)

    async def _try_again(self, unit: Unit, pause: float, hire: Hire) -> None:
        await self._clock.sleep(pause)
        self._give_back([replace(unit, waited=unit.waited.longer(pause))], hire)

    def _give_back(self, units: Sequence[Unit], hire: Hire) -> None:
        self._asleep -= 1
        now = self._clock.monotonic()
        for unit in units:
            self._units.put_back(replace(unit, since=now))
        hire()
