"""How long anything waits because somebody asked to be left alone: the one table of it.

| who waits | how long | what it holds meanwhile |
| --- | --- | --- |
| a request, at its host | `NAP` at a time | all it has |
| an image or a listing that was put off | `UNIT` and `ROUNDS` in all, whatever was asked for | nothing |
| a run of which nothing is left but what was put off | `RUN` in all | nothing |
| an image whose source has too few left to be fetched (`ratelimit`) | `retry`, again and again | nothing |

Whoever asks for more than that is not waited for: the work fails, and the next run tries again. Waiting for a quota is
no failure and costs no patience; it ends when the quota is back, or with the run. A registry that asks
for 0 or 1 seconds, again and again, is met by pauses that grow: no order of such values makes a run endless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Activity = Literal["waiting", "working"]  # whether there is anything to do but to wait for a time to come

NAP: Final = 10.0  # seconds
UNIT: Final = 900.0  # seconds
ROUNDS: Final = 20
RUN: Final = 3600.0  # seconds
_LONGEST_OF_OURS: Final = 60.0  # seconds: where less is asked for, pauses double up to this


@dataclass(frozen=True, slots=True)
class Waited:
    """How often, and for how many seconds, one unit of work has been put off."""

    rounds: int = 0
    seconds: float = 0.0

    def pause(self, asked: float) -> float | None:
        """Return the seconds to put it off for when so many were asked for; None when its patience is at an end."""
        pause = max(asked, min(2.0**self.rounds, _LONGEST_OF_OURS))
        return pause if self.rounds < ROUNDS and self.seconds + pause <= UNIT else None

    def longer(self, pause: float) -> Waited:
        """Return what it comes to with this pause."""
        return Waited(self.rounds + 1, self.seconds + pause)
