"""A memory that does not grow with all that was ever asked for: a mirror meets new repositories as long as it runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Generic, Protocol, TypeVar

_MANY = 1024


class Kept(Protocol):
    """Something that is of use for a while."""

    def has_served(self, now: float) -> bool:
        """Say whether a new one would do as well (`now` is on the monotonic clock)."""
        ...


_Key = TypeVar("_Key", bound=Hashable)
_Kept = TypeVar("_Kept", bound=Kept)


class Memory(Generic[_Key, _Kept]):
    """Things by key, made when they are first asked for; those that have served are dropped once there are many."""

    def __init__(self, make: Callable[[_Key], _Kept]) -> None:
        self._make = make
        self._kept: dict[_Key, _Kept] = {}
        self._most = _MANY

    def __getitem__(self, key: _Key) -> _Kept:
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = self._make(key)
        return found

    def __contains__(self, key: _Key) -> bool:
        return key in self._kept

    def __iter__(self) -> Iterator[_Kept]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def tidy(self, now: float) -> None:
        """Drop what has served, if there is much."""
        if len(self._kept) > self._most:
            self._kept = {key: each for key, each in self._kept.items() if not each.has_served(now)}
            self._most = max(_MANY, 2 * len(self._kept))  # so that those in use are not looked through every time
