"""When a request to one host may start: its rate, its pauses, and what is left of our patience with it.

A host that stops answering is treated as one thing and not as many failing requests: after a few failures in a row one
request at a time goes out to see whether it is back, while all others wait without spending their own attempts. An
outage of seconds is therefore survived by everybody at the cost of a handful of requests, and a host that stays away
fails everybody at once instead of one after another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType

from regsync.clock import Clock
from regsync.errors import Unavailable
from regsync.registry.http.retry import back_off
from regsync.waiting import NAP

_SUSPECT = 6  # failures in a row without a word from the host
_PROBES = 5  # of those that are sent to see whether it is back
_OUT = 30.0  # seconds a host that stayed away is left alone
_LONGEST_OUT = 3600.0  # seconds; some say milliseconds, so everybody is asked again some time
_BROKEN = 64  # failed answers in a row (as many as may be in flight) after which not even first retries are free
_BUDGET, _SHARE, _SAVED = 10.0, 0.2, 1000.0  # retries: at first, per request, and at most


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when a host is left alone, and why."""

    until: datetime
    why: str


class Pacing:
    """The requests to one host, as far as they depend on each other."""

    def __init__(self, host: str, per_second: float, *, clock: Clock, draw: Callable[[], float]) -> None:
        self._host = host
        self._spacing = 1 / per_second if per_second > 0 else 0.0
        self._clock = clock
        self._draw = draw
        self._next = float("-inf")  # all moments are on the monotonic clock
        self._paused_until = float("-inf")
        self._why_paused = ""
        self._out_until = float("-inf")
        self._asked_until = float("-inf")  # of that, as far as it is the host that wants to be left alone
        self._since: datetime | None = None  # when it began to be left alone
        self._why = ""
        self._told = False  # whether somebody was told why
        self._silent = 0  # failures in a row that were no answer
        self._failed = 0  # failures in a row, of any kind
        self._probes = 0
        self._probe: object | None = None  # the request that is out to see whether the host is back
        self._budget = _BUDGET
        self._changed = asyncio.Event()

    @property
    def out(self) -> bool:
        """Say whether the host is left alone, so that asking is no use."""
        return self._clock.monotonic() < self._out_until

    @property
    def rest(self) -> Rest | None:
        """Say until when the host is left alone, and why; None if it is not, and while we ask less for our own sake."""
        now = self._clock.monotonic()
        until, why = max((self._out_until, self._why), (self._paused_until, self._why_paused))
        return Rest(self._clock.now() + timedelta(seconds=until - now), why) if until > now and why else None

    @property
    def closed(self) -> bool:
        """Say whether a request would have to wait now."""
        return self.out or self._clock.monotonic() < self._paused_until or (self._suspect and self._probe is not None)

    @property
    def _suspect(self) -> bool:
        return self._silent >= _SUSPECT

    async def opened(self) -> None:
        """Return when a request may start; `Unavailable` while the host is left alone."""
        while True:
            now = self._clock.monotonic()
            if now < self._out_until:
                raise self._left_alone(now)
            if now < self._paused_until:
                await self._nap(self._paused_until - now)
            elif self._suspect and self._probe is not None:
                await self._changed.wait()
            else:
                return

    def _left_alone(self, now: float) -> Unavailable:
        """Return what a request fails with; the first one says why, and the others do not say it again."""
        said = f"{self._host} is left alone since {self._since:%H:%M:%S}"
        if not self._told:
            said = f"{said} for {self._out_until - now:.0f} s: {self._why}"
        self._told = True
        return Unavailable(said, retry_after=self._asked_until - now if self._asked_until > now else None)

    async def _nap(self, seconds: float) -> None:
        if seconds > NAP:
            raise Unavailable(f"{self._host} asks to be left alone for {seconds:.0f} s", retry_after=seconds)
        await self._clock.sleep(seconds)

    def under_way(self, *, streaming: bool) -> _UnderWay:
        """Return one request under way, to be entered while not `closed`; entering waits for the configured rate.

        One that streams a body is never the probe all others wait for: it may itself wait for one of them.
        """
        return _UnderWay(self, probing=self._suspect and not streaming)

    def began(self) -> None:
        """Note a new request, whose share of the retries is earned with it."""
        self._budget = min(self._budget + _SHARE, _SAVED)

    def answered(self) -> None:
        """Note that the host works."""
        was_suspect = self._suspect
        self._silent = self._failed = self._probes = 0
        if was_suspect:
            self._probed()

    def failed(self, why: str, *, silent: bool) -> None:
        """Note a failure worth another try; `silent` when the host itself had no part in an answer."""
        self._failed += 1
        if not silent:
            return
        if self._suspect and self._probe is not None:
            self._probes += 1
            if self._probes > _PROBES:
                self._leave_alone(_OUT, why)
            else:
                self.pause(back_off(self._probes, draw=lambda: 0.5 + self._draw() / 2))
            self._probed()
        self._silent += 1

    def pause(self, seconds: float, why: str = "") -> None:
        """Let no request start for so long; `why` is what the host said that wants it."""
        until = self._clock.monotonic() + seconds
        if until > self._paused_until:
            self._paused_until, self._why_paused = until, why

    def defer(self, seconds: float, why: str) -> None:
        """Leave the host alone for longer than anybody waits (an hour at most): requests fail at once."""
        seconds = min(seconds, _LONGEST_OUT)
        self._leave_alone(seconds, why)
        self._asked_until = max(self._asked_until, self._clock.monotonic() + seconds)

    def _leave_alone(self, seconds: float, why: str) -> None:
        """Begin to leave the host alone, or go on doing so: never for shorter than was said before."""
        if not self.out:
            self._since, self._why, self._told = self._clock.now(), why, False
        self._out_until = max(self._out_until, self._clock.monotonic() + seconds)

    def may_retry(self, attempt: int) -> bool:
        """Say whether the n-th attempt's failure may be followed by another; takes it from the budget.

        The first retry is free, so that any single fault is survived, unless nothing works any more.
        """
        if self.out:
            return False
        if self._suspect or (attempt == 1 and self._failed < _BROKEN):
            return True
        if self._budget < 1:
            return False
        self._budget -= 1
        return True

    def begin(self, probe: object) -> None:
        """Let this request see whether the host is back, while the others wait."""
        self._probe = probe

    def end(self, probe: object) -> None:
        """Note that this request is over, whatever came of it."""
        if self._probe is probe:
            self._probed()

    def _probed(self) -> None:
        """Let the next one see: the probe has its answer, though its body may still be on its way."""
        self._probe = None
        self._changed.set()
        self._changed = asyncio.Event()

    async def spaced(self) -> None:
        """Wait until the configured rate lets one more request start."""
        if not self._spacing:
            return
        now = self._clock.monotonic()
        start = max(now, self._next)
        self._next = start + self._spacing
        if start > now:
            await self._clock.sleep(start - now)


class _UnderWay:
    """One request to a host; a class, since every request passes here."""

    __slots__ = ("_pacing", "_probing")

    def __init__(self, pacing: Pacing, *, probing: bool) -> None:
        self._pacing = pacing
        self._probing = probing

    async def __aenter__(self) -> None:
        if self._probing:
            self._pacing.begin(self)
        started = False
        try:
            await self._pacing.spaced()
            started = True
        finally:
            if not started:
                self._pacing.end(self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pacing.end(self)
