"""One goes ahead while nobody knows whether it is welcome, and the others wait to hear what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager


class Trial:
    """Lets one request go ahead while nobody knows whether it is welcome, and the others wait for its answer.

    Else fifty requests with one wrong password are fifty failed logins, which locks accounts. When no answer comes,
    the others go on without one: at a dead host they shall fail together and not one after another.
    """

    def __init__(self) -> None:
        self._under_way: asyncio.Future[bool] | None = None

    def begin(self) -> asyncio.Future[bool] | None:
        """Return the trial to be handed to `give_up`; None when another one is under way."""
        if self._under_way is not None:
            return None
        self._under_way = asyncio.get_running_loop().create_future()
        return self._under_way

    @property
    def under_way(self) -> bool:
        """Say whether somebody is being waited for."""
        return self._under_way is not None

    async def over(self) -> bool:
        """Wait for the end of the trial under way; whether there was an answer."""
        return self._under_way is None or await asyncio.shield(self._under_way)

    def settle(self) -> None:
        """An answer came."""
        self._end(self._under_way, answered=True)

    def give_up(self, trial: asyncio.Future[bool]) -> None:
        """End this trial without an answer, unless it is over."""
        self._end(trial, answered=False)

    def _end(self, trial: asyncio.Future[bool] | None, *, answered: bool) -> None:
        if trial is not None and trial is self._under_way:
            self._under_way = None
            trial.set_result(answered)


@asynccontextmanager
async def alone(untried: Callable[[], Trial | None]) -> AsyncIterator[None]:
    """Pass the trial that `untried` returns, if any; asked again after each one that others passed, it may raise."""
    own = None
    while (trial := untried()) is not None:
        own = trial.begin()
        if own is not None or not await trial.over():
            break
    try:
        yield
    finally:
        if trial is not None and own is not None:
            trial.give_up(own)
