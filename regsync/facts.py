"""Who is told what happened, and where it did: an event becomes a fact here, and every observer gets it.

What a task works for is a context variable, because what asks a registry cannot know for whom, and handing that through
every call would put the run's words into every signature.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Protocol

from regsync.clock import Clock
from regsync.events import Event, Warned


@dataclass(frozen=True, slots=True)
class Fact:
    """An event and where it happened: when (UTC), in which run, for which entry and for which image of it.

    What is not known is empty: what a process does between runs belongs to none, and whoever lists tags works for no
    image. An image goes by its name at the target.
    """

    at: datetime
    run: str
    entry: str
    image: str
    event: Event


class Observer(Protocol):
    """What receives facts. Called synchronously, in the order in which they happened; must return at once."""

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        ...


@dataclass(frozen=True, slots=True)
class Work:
    """What a task works for. Tasks it starts work for the same until they say otherwise; threads have to be told."""

    run: str = ""
    entry: str = ""
    image: str = ""


_NOTHING = Work()
_work: ContextVar[Work] = ContextVar("work", default=_NOTHING)


@contextmanager
def working(*, run: str | None = None, entry: str | None = None, image: str | None = None) -> Iterator[None]:
    """Work for these within the block, and for the same as outside where nothing is given."""
    outside = _work.get()
    inside = Work(
        outside.run if run is None else run,
        outside.entry if entry is None else entry,
        outside.image if image is None else image,
    )
    before = _work.set(inside)
    try:
        yield
    finally:
        _work.reset(before)


class Telling:
    """Makes facts of events and hands each to every observer.

    Observers hurt neither one another nor the work: one that raises is told of once, to the others, and left out from
    then on.
    """

    def __init__(self, observers: Iterable[Observer], clock: Clock) -> None:
        self._observers = tuple(observers)
        self._of_runs: dict[str, Observer] = {}
        self._clock = clock
        self._runs = count(1)

    def __call__(self, event: Event, /) -> None:
        """Tell everybody what happened here."""
        here = _work.get()
        fact = Fact(self._clock.now(), here.run, here.entry, here.image, event)
        follower = self._of_runs.get(here.run)
        present = self._observers if follower is None else (*self._observers, follower)
        for bug in [bug for observer in present if (bug := self._hand(fact, observer))]:
            self(Warned("An observer failed and is left out", {"error": type(bug).__name__}))

    @contextmanager
    def run(self, follower: Observer, *, entry: str) -> Iterator[None]:
        """Make what happens within a run, for this entry (empty: for all); the follower is told of this run alone."""
        name = f"r{next(self._runs)}"
        self._of_runs[name] = follower
        try:
            with working(run=name, entry=entry, image=""):
                yield
        finally:
            self._of_runs.pop(name, None)

    @contextmanager
    def joined(self, *observers: Observer) -> Iterator[None]:
        """Have these told of everything, too, within the block."""
        self._observers = (*self._observers, *observers)
        try:
            yield
        finally:
            self._observers = tuple(one for one in self._observers if one not in observers)

    def _hand(self, fact: Fact, observer: Observer) -> Exception | None:
        try:
            observer(fact)
        except Exception as bug:  # noqa: BLE001 - a sink's bug must not stop what it looks at
            self._observers = tuple(one for one in self._observers if one is not observer)
            self._of_runs = {run: one for run, one in self._of_runs.items() if one is not observer}
            return bug
        return None
