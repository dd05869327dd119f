"""Which tags of targets their entries would copy, if the sources still had them.

Several entries may write into one repository: what one of them copies, or might (its source could not be listed), is
not gone. Nor is what is made besides: tags that name a digest, and images that are kept before they are overwritten.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from regsync.errors import Malformed, NotFound, RegsyncError
from regsync.events import Tell, Warned
from regsync.oci.digest import digest_tags
from regsync.oci.reference import Reference, parse_reference
from regsync.sync.decide import OpenTarget
from regsync.sync.engine import Engine
from regsync.sync.entry import ImagePair, RegistryPair, RepositoryPair, SyncEntry, repository_in

_AT_ONCE = 500  # names of backups that are made before others have a turn


@dataclass(frozen=True, slots=True)
class _Claim:
    """An entry's word on the tags of one of its targets; not `listed`: which of them it copies, nobody knows."""

    entry: SyncEntry
    pair: RepositoryPair
    listed: bool


class Gone:
    """What the entries of one run have copied once; it is told which of their sources could be listed."""

    def __init__(self, engine: Engine, entries: Sequence[SyncEntry], *, open_target: OpenTarget, tell: Tell) -> None:
        self._place_of = engine.place_of
        self._endpoints = engine.endpoints
        self._lookups = engine.lookups
        self._clock = engine.shared.clock
        self._open_target = open_target
        self._tell = tell
        self._images: dict[str, set[str]] = defaultdict(set)
        self._listed: dict[tuple[str, RegistryPair | RepositoryPair], tuple[SyncEntry, bool]] = {}
        for entry in entries:
            if entry.kind == "image":
                with suppress(Malformed):  # which the run tells
                    target = parse_reference(entry.target)
                    self._images[self._place_of(target.name)].add(str(target.ref))

    def note(self, entry: SyncEntry, pair: RegistryPair | RepositoryPair, *, listed: bool) -> None:
        """Take note that an entry is to copy what this lists, and whether it could be listed."""
        self._listed[entry.name, pair] = entry, listed

    async def find(self, *, since: float) -> AsyncIterator[tuple[SyncEntry, ImagePair]]:
        """Yield what is gone, by lists of this moment (monotonic, seconds) or later; each tag for one entry."""
        claims: dict[str, list[_Claim]] = defaultdict(list)
        for (_, pair), (entry, listed) in self._listed.items():
            if isinstance(pair, RepositoryPair):
                claims[self._place_of(pair.target.name)].append(_Claim(entry, pair, listed))
        for place, group in claims.items():
            if any(claim.listed for claim in group):
                group += self._unlisted_above(place, group[0].pair)
                for claim, tag in await self._gone_from(place, group, since=since):
                    yield claim.entry, ImagePair(claim.pair.source.with_tag(tag), claim.pair.target.with_tag(tag))

    def _unlisted_above(self, place: str, pair: RepositoryPair) -> Iterator[_Claim]:
        """Yield the word of those that write below a prefix and do not know which repositories."""
        for (_, above), (entry, listed) in self._listed.items():
            if isinstance(above, RegistryPair) and not listed:
                prefix = repository_in(above, "any").target.name.removesuffix("any")
                if place.startswith(self._place_of(prefix.rstrip("/")) + "/"):
                    yield _Claim(entry, pair, listed=False)

    async def _gone_from(self, place: str, group: Sequence[_Claim], *, since: float) -> list[tuple[_Claim, str]]:
        present = await self._present(group[0].pair.target, since=since)
        attached = {tag for tags in digest_tags(present).values() for tag in tags}
        tags = sorted(present - attached)
        owned, named = {*self._images[place]}, dict[str, _Claim]()
        for claim in group:
            chosen = await self._chosen(claim, tags)
            available = await self._available(claim, since=since)
            owned.update(chosen if available is None else chosen & available)
            if available is not None:
                named = dict.fromkeys(sorted(chosen), claim) | named
        gone = [(claim, tag) for tag, claim in named.items() if tag not in owned]
        kept = await self._kept(group, tags) if gone else set[str]()
        return [(claim, tag) for claim, tag in gone if str(claim.pair.target.with_tag(tag)) not in kept]

    async def _present(self, target: Reference, *, since: float) -> frozenset[str]:
        """Return the tags of a target; where they cannot be listed, that is told."""
        with suppress(RegsyncError):  # which each of its images is told by
            present = await self._lookups.present(await self._open_target(target), since=since)
            if present is None:
                message = "Tags of a target cannot be listed, so none is called gone"
                self._tell(Warned(message, {"target": target.name}))
            return present or frozenset()
        return frozenset()

    async def _available(self, claim: _Claim, *, since: float) -> frozenset[str] | None:
        """Return the tags of a source, None where they could not be listed."""
        if not claim.listed:
            return None
        try:
            return frozenset(await self._lookups.tags(self._endpoints.open(claim.pair.source), since=since))
        except NotFound:  # a catalogue goes on listing repositories whose tags are all gone
            return frozenset()
        except RegsyncError:
            return None

    async def _chosen(self, claim: _Claim, tags: Sequence[str]) -> set[str]:
        chosen: set[str] = set()
        for batch in claim.entry.tags.batches(tags):
            chosen.update(batch)
            await self._clock.sleep(0)
        return chosen

    async def _kept(self, group: Sequence[_Claim], tags: Sequence[str]) -> set[str]:
        """Return the names under which images of these names are kept."""
        kept: set[str] = set()
        for claim in group:
            for count, tag in enumerate(tags if claim.entry.backup is not None else ()):
                if claim.entry.backup is not None:
                    with suppress(Malformed):  # told when an image is to be kept
                        kept.add(str(claim.entry.backup(claim.pair.target.with_tag(tag))))
                if not count % _AT_ONCE:
                    await self._clock.sleep(0)
        return kept
