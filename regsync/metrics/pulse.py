"""Whether the event loop is alive: how late its turns come, looked at once a second."""

from __future__ import annotations

from collections import deque
from typing import Final

from regsync.clock import Clock

_BEAT: Final = 1.0  # seconds
_KEPT: Final = 60  # beats


class Pulse:
    """`lag` is the worst of the last minute, in seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lags: deque[float] = deque(maxlen=_KEPT)

    @property
    def lag(self) -> float:
        """Return the longest that a turn came late."""
        return max(self._lags, default=0.0)

    async def beat(self) -> None:
        """Go on for ever."""
        while True:
            began = self._clock.monotonic()
            await self._clock.sleep(_BEAT)
            self._lags.append(max(0.0, self._clock.monotonic() - began - _BEAT))
