"""Which entries read what others write, and so come after them; all others are independent.

Entries that read each other's targets in a circle are run in the order of the file, as the Go regsync runs everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from regsync.errors import Malformed
from regsync.oci.reference import parse_reference
from regsync.sync.entry import SyncEntry

_PROBES = ("one", "other")  # tags and paths that stand for any


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entry reads or writes: one tag, a whole repository (no tag), or all below a prefix."""

    name: str
    tag: str = ""
    below: bool = False


PlaceOf = Callable[[str], str]  # what a repository's name stands for: two names may be one place


def predecessors(entries: Sequence[SyncEntry], place_of: PlaceOf = str) -> list[frozenset[int]]:
    """Return for each entry the positions of those that must have ended before it begins; there are no circles."""
    if len(entries) == 1:  # a daemon's run: where the places are need not be looked up on the disk each time
        return [frozenset()]
    writers = _Writers([_written(entry, place_of) for entry in entries])
    wanted = [
        frozenset(writer for place in _read(entry, place_of) for writer in writers.into(place)) - {at}
        for at, entry in enumerate(entries)
    ]
    return _without_circles(wanted) if any(wanted) else wanted


def _read(entry: SyncEntry, place_of: PlaceOf) -> list[_Place]:
    """Return where an entry reads: its source, and where its images' referrers lie if not there."""
    own = _place(entry, entry.source, place_of)
    elsewhere = entry.options.referrers.source if entry.options.referrers is not None else None
    return [own] if elsewhere is None else [own, _Place(place_of(elsewhere.name))]


def _written(entry: SyncEntry, place_of: PlaceOf) -> list[_Place]:
    """Return where an entry writes; the prefix of a registry's mirror is read as its repositories will be."""
    target = entry.target
    if entry.kind == "registry":
        target = parse_reference(f"{target.rstrip('/')}/any").name.removesuffix("/any")
    own = _place(entry, target, place_of)
    elsewhere = entry.options.referrers.target if entry.options.referrers is not None else None
    return [own, *_kept(entry, place_of), *(() if elsewhere is None else (_Place(place_of(elsewhere.name)),))]


def _kept(entry: SyncEntry, place_of: PlaceOf) -> Iterator[_Place]:
    """Yield where an entry keeps what it overwrites, if that is one repository whatever it overwrites."""
    if entry.backup is None:
        return
    targets = [entry.target]
    if entry.kind != "image":
        prefix = f"{entry.target}:" if entry.kind == "repository" else f"{entry.target.rstrip('/')}/"
        targets = [prefix + probe for probe in _PROBES]
    with suppress(Malformed):  # told when an image is to be kept
        kept = [entry.backup(parse_reference(target)) for target in targets]
        if len({reference.name for reference in kept}) == 1:
            yield _Place(place_of(kept[0].name), "" if len(kept) > 1 or kept[0].digest else kept[0].tag)


def _place(entry: SyncEntry, text: str, place_of: PlaceOf) -> _Place:
    if entry.kind == "registry":
        return _Place(place_of(text.rstrip("/")), below=True)
    reference = parse_reference(text)
    tag = "" if entry.kind == "repository" or reference.digest else reference.tag
    return _Place(place_of(reference.name), tag)


class _Writers:
    """What all entries write, findable by where it is read."""

    def __init__(self, places: Sequence[Sequence[_Place]]) -> None:
        self._at: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._below: dict[str, list[int]] = defaultdict(list)
        for position, place in ((position, place) for position, each in enumerate(places) for place in each):
            if place.below:
                self._below[place.name].append(position)
            else:
                self._at[place.name].append((place.tag, position))

    def into(self, place: _Place) -> Iterator[int]:
        """Yield the positions of those who write into this place."""
        if place.below:
            yield from self._anywhere_below(place.name)
            return
        for tag, position in self._at.get(place.name, ()):
            if not tag or not place.tag or tag == place.tag:
                yield position
        if self._below:
            for ancestor in _ancestors(place.name):
                yield from self._below.get(ancestor, ())

    def _anywhere_below(self, name: str) -> Iterator[int]:
        for written, writers in self._at.items():
            if written.startswith(f"{name}/"):
                yield from (position for _, position in writers)
        for prefix, positions in self._below.items():
            if prefix == name or prefix.startswith(f"{name}/") or name.startswith(f"{prefix}/"):
                yield from positions


def _ancestors(name: str) -> Iterator[str]:
    while (cut := name.rfind("/")) > 0:
        name = name[:cut]
        yield name


def _without_circles(wanted: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Drop the wishes that close a circle: whoever stands first in the file goes first."""
    followers: dict[int, list[int]] = defaultdict(list)
    for position, before in enumerate(wanted):
        for leader in before:
            followers[leader].append(position)
    final = list(wanted)
    waiting = {position: set(before) for position, before in enumerate(wanted)}
    ready = [position for position, before in waiting.items() if not before]
    while waiting:
        if not ready:
            first = next(position for position in sorted(waiting) if _in_circle(position, waiting))
            final[first] = final[first] - waiting[first]
            ready = [first]
        position = ready.pop()
        del waiting[position]
        for follower in followers[position]:
            if follower in waiting:
                waiting[follower].discard(position)
                if not waiting[follower]:
                    ready.append(follower)
    return final


def _in_circle(start: int, waiting: Mapping[int, set[int]]) -> bool:
    seen: set[int] = set()
    open_ends = list(waiting[start])
    while open_ends:
        position = open_ends.pop()
        if position == start:
            return True
        if position not in seen:
            seen.add(position)
            open_ends.extend(waiting[position])
    return False
