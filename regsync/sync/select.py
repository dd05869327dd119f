"""Which names of a list are chosen: versions in a range, then allow, then deny (BEHAVIOUR 3.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import filterfalse
from typing import Final

from regsync.sync.patterns import AnyOf
from regsync.sync.semver import Range, lies_in, range_of

_AT_ONCE: Final = 2_000  # names, a few milliseconds


@dataclass(frozen=True)
class Filter:
    """One choice: a name passes that is a version in one of `ranges`, matches one of `allow` and none of `deny`.

    Of the first two, one that is empty lets everything pass.
    """

    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    ranges: tuple[str, ...] = ()

    def choose(self, names: Iterable[str]) -> list[str]:
        """Return those that pass, in their order."""
        chosen = [*names]
        if self.ranges:
            chosen = [name for name in chosen if lies_in(self._ranges, name)]
        if self.allow:
            chosen = [*filter(self._allowed.matches, chosen)]
        if self.deny:
            chosen = [*filterfalse(self._denied.matches, chosen)]
        return chosen

    def __str__(self) -> str:
        versions = f"semver {' or '.join(self.ranges)}; " if self.ranges else ""
        return f"{versions}allow {', '.join(self.allow) or 'everything'}; deny {', '.join(self.deny) or 'nothing'}"

    @cached_property
    def _ranges(self) -> list[Range]:
        return [range_of(text) for text in self.ranges]

    @cached_property
    def _allowed(self) -> AnyOf:
        return AnyOf(self.allow)

    @cached_property
    def _denied(self) -> AnyOf:
        return AnyOf(self.deny)


@dataclass(frozen=True)
class Selection:
    """Filters of which one must let a name pass; none at all lets everything pass."""

    filters: tuple[Filter, ...] = field(default=())

    def choose(self, names: Iterable[str]) -> list[str]:
        """Return the union of what the filters choose, in their order; each name once."""
        return list(dict.fromkeys(name for batch in self.batches([*names]) for name in batch))

    def batches(self, names: Sequence[str]) -> Iterator[list[str]]:
        """Yield what `choose` does bit by bit, so that others can have a turn; a name may come more than once."""
        for one in self.filters or (_ANYTHING,):
            for start in range(0, len(names), _AT_ONCE):
                yield one.choose(names[start : start + _AT_ONCE])

    def __str__(self) -> str:
        return " | ".join(map(str, self.filters)) or "everything"


_ANYTHING: Final = Filter()
EVERYTHING: Final = Selection()
