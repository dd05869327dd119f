"""What the daemon can be told to do with one entry, whatever its schedule says, and what it is doing with it."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from regsync.clock import Clock
from regsync.daemon.jobs import Job, QueueClosed
from regsync.daemon.runner import Runner
from regsync.daemon.turns import Turns

State = Literal["idle", "waiting", "running"]


class Control:
    """Tells a daemon, while it runs, what to do with entries that it knows by name."""

    def __init__(self, turns: Turns, runner: Runner, *, clock: Clock) -> None:
        self._turns = turns
        self._runner = runner
        self._clock = clock

    @property
    def stopping(self) -> bool:
        """Whether nothing is begun any more."""
        return self._runner.stopping

    @property
    def paused(self) -> frozenset[str]:
        """Return the entries whose due times pass."""
        return self._turns.pauses.entries

    def state(self, entry: str) -> State:
        """Say whether a job of this entry runs, or waits for its turn."""
        if self._runner.is_running(entry):
            return "running"
        return "waiting" if self._turns.is_open(entry) else "idle"

    async def run(self, entry: str) -> State:
        """Have this entry run once, as if it were due, though it be paused; return what it did before.

        Nothing is changed where that was not `idle`. `QueueClosed`: nothing is begun any more.
        """
        before = self.state(entry)
        if before == "idle":
            job = Job(entry, self._clock.now(), "changed")
            await self._turns.put(job, since=self._clock.monotonic(), asked_for=True)
        return before

    async def cancel(self, entry: str) -> State:
        """Cancel the job of this entry that runs, or drop the one that waits; return what it did before."""
        if self._runner.call_off(entry):
            return "running"
        return "waiting" if await self._dropped(entry) else "idle"

    async def pause(self, entry: str) -> bool:
        """Let its due times pass: what runs goes on, what waits is dropped. False if they did already."""
        new = entry not in self.paused
        self._turns.pauses.begin(entry)
        await self._dropped(entry)
        return new

    def resume(self, entry: str) -> bool:
        """Have it run again whenever it is due. False if it did already."""
        was_paused = entry in self.paused
        self._turns.pauses.end(entry)
        return was_paused

    async def _dropped(self, entry: str) -> bool:
        dropped = False
        with suppress(QueueClosed):  # of those that wait for it, of whom none is begun any more
            dropped = await self._turns.withdraw(entry)
        return dropped
