"""One token server, as far as requests to it depend on each other: who goes first, who fails with whom, who waits.

Forty repositories want forty tokens. While nobody knows whether the server works, one is asked for, and when that
fails, all who wait fail with it instead of asking one after another. A pause it names holds for everybody; nothing is
slept here, where a slot of the registry is held: whoever meets a pause fails with its length, and waits outside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from regsync.clock import Clock
from regsync.errors import AccessDenied, IntegrityError, Unavailable
from regsync.registry.login.trial import Trial, alone

_LONGEST = 3600.0  # seconds; some say milliseconds, so everybody is asked again some time


class Desk:
    """Where tokens are bought; `name` is for people."""

    def __init__(self, name: str, *, clock: Clock) -> None:
        self.failures = 0
        self._name = name
        self._clock = clock
        self._works = False
        self._trial = Trial()
        self._failure: tuple[str, int, float | None] = ("", 1, None)  # message, attempts, retry_after
        self._paused_until = float("-inf")  # on the monotonic clock

    @asynccontextmanager
    async def turn(self, seen: int) -> AsyncIterator[None]:
        """Ask for one token; `Unavailable` in a pause, and when there are more `failures` than were `seen`.

        What is raised within as `Unavailable` or `IntegrityError` is a failure of the server, `AccessDenied` an answer.
        """
        async with alone(lambda: self._untried(seen)):
            self._check(seen)
            try:
                yield
            except (Unavailable, IntegrityError) as error:
                self._fail(error)
                raise self._failed() from error
            except AccessDenied:
                self._answered()
                raise
            self._answered()

    def pause(self, seconds: float) -> None:
        """Let nobody ask for so long (an hour at most)."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + min(seconds, _LONGEST))

    def has_served(self, now: float) -> bool:
        """Say whether a new one would do as well."""
        return not self._trial.under_way and now >= self._paused_until

    def _untried(self, seen: int) -> Trial | None:
        self._check(seen)
        return None if self._works else self._trial

    def _check(self, seen: int) -> None:
        if self.failures != seen:
            raise self._failed()
        left = self._paused_until - self._clock.monotonic()
        if left > 0:
            raise Unavailable(f"{self._name} asks to be left alone for {left:.0f} s", retry_after=left)

    def _answered(self) -> None:
        self._works = True
        self._trial.settle()

    def _fail(self, error: Unavailable | IntegrityError) -> None:
        self.failures += 1
        self._failure = (str(error), error.attempts, error.retry_after)
        self._works = False
        self._trial.settle()

    def _failed(self) -> Unavailable:
        message, attempts, retry_after = self._failure
        error = Unavailable(message, retry_after=retry_after)
        error.attempts = attempts
        return error
