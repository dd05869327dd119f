"""Answers shared by all who could have asked themselves: each is good for whoever began before it was asked for.

Nobody gets anything staler than from a question of their own, and entries that fall due together share everything. That
somebody could not be reached is an answer, too: ten entries of one dead source fail with one set of tries.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from regsync.clock import Clock
from regsync.errors import RegsyncError
from regsync.limits import KeyedLock

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Age:
    """How long answers are good, whoever began since: `count` of them, for `seconds` after each was asked for."""

    count: int
    seconds: float


class Aged(Generic[V]):
    """Answers by key that are good by their age alone; of too many the oldest go."""

    def __init__(self, clock: Clock, age: Age) -> None:
        self._clock = clock
        self._age = age
        self._kept: OrderedDict[Hashable, tuple[float, V]] = OrderedDict()

    def get(self, key: Hashable) -> V | None:
        """Return an answer that is young enough. It gets no younger by that."""
        asked, value = self._kept.get(key, (None, None))
        return value if asked is not None and self._clock.monotonic() - asked < self._age.seconds else None

    def keep(self, key: Hashable, value: V, *, asked: float) -> None:
        """Keep an answer that was asked for at this moment (monotonic, seconds)."""
        self._kept.pop(key, None)
        self._kept[key] = asked, value
        while len(self._kept) > self._age.count:
            self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Answer(Generic[V]):
    asked: float  # on the monotonic clock
    weight: int
    value: V | None
    error: RegsyncError | None


class Answers(Generic[V]):
    """Answers to questions of one kind, by key; `weigh` says what one costs, `most` how much is kept, oldest go first.

    `lasting` ones stay good for ever once there is a value: what has a digest.
    """

    def __init__(
        self, clock: Clock, *, most: int, weigh: Callable[[V], int] = lambda _: 1, lasting: bool = False
    ) -> None:
        self._clock = clock
        self._most = most
        self._weigh = weigh
        self._lasting = lasting
        self._kept: OrderedDict[Hashable, _Answer[V]] = OrderedDict()
        self._weight = 0
        self._one_asker = KeyedLock()

    async def get(self, key: Hashable, ask: Callable[[], Awaitable[V]], *, since: float) -> V:
        """Return the answer, asked for at this moment (monotonic, seconds) or later; its failure is raised.

        A lock per question is all that is shared: whoever waited for it finds the answer, and asks if there is none.
        """
        answer = self._good(key, since)
        if answer is None:
            async with self._one_asker(key):
                answer = self._good(key, since)
                if answer is None:
                    answer = await self._asked(key, ask)
        if answer.error is not None:
            raise copy.copy(answer.error)
        return answer.value  # type: ignore[return-value]  # V may itself be optional

    def has(self, key: Hashable, *, since: float) -> bool:
        """Say whether there is an answer of this moment or later that is no failure."""
        answer = self._good(key, since)
        return answer is not None and answer.error is None

    def forget(self, key: Hashable) -> None:
        """Ask again next time."""
        if (answer := self._kept.pop(key, None)) is not None:
            self._weight -= answer.weight

    def _good(self, key: Hashable, since: float) -> _Answer[V] | None:
        answer = self._kept.get(key)
        if answer is None or (answer.asked < since and not (self._lasting and answer.error is None)):
            return None
        self._kept.move_to_end(key)
        return answer

    async def _asked(self, key: Hashable, ask: Callable[[], Awaitable[V]]) -> _Answer[V]:
        moment = self._clock.monotonic()
        try:
            value = await ask()
        except RegsyncError as error:
            return self._keep(key, _Answer(moment, 1, None, copy.copy(error)))
        return self._keep(key, _Answer(moment, self._weigh(value), value, None))

    def _keep(self, key: Hashable, answer: _Answer[V]) -> _Answer[V]:
        self.forget(key)
        self._kept[key] = answer
        self._weight += answer.weight
        while self._weight > self._most and len(self._kept) > 1:
            self.forget(next(iter(self._kept)))
        return answer
