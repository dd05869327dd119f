"""What an entry is about, listed: a registry's repositories, a repository's tags, as its filters choose among them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from regsync.clock import Clock
from regsync.errors import NotFound, RegsyncError
from regsync.events import NoTagsMatched, TagsSelected, Tell
from regsync.repository import Endpoints
from regsync.sync.decide import Failed, Postponed
from regsync.sync.entry import ImagePair, Pair, RegistryPair, RepositoryPair, SyncEntry, repository_in
from regsync.sync.lookups import Lookups
from regsync.sync.select import Selection

Expansion = Iterable[Pair | Failed] | Failed | Postponed
"""The pairs something comes to, to be gone through once, among them what cannot be named at the target; or why it
could not be listed."""


class Expander:
    """Lists through the memory that all runs share."""

    def __init__(self, endpoints: Endpoints, lookups: Lookups, clock: Clock, *, tell: Tell) -> None:
        self._endpoints = endpoints
        self._lookups = lookups
        self._clock = clock
        self._tell = tell

    async def expand(self, entry: SyncEntry, pair: RegistryPair | RepositoryPair, *, since: float) -> Expansion:
        """List one of them, by answers given since this moment (monotonic, seconds)."""
        match pair:
            case RegistryPair():
                return await self._repositories(entry, pair, since=since)
            case RepositoryPair():
                return await self._images(entry, pair, since=since)

    async def _repositories(self, entry: SyncEntry, pair: RegistryPair, *, since: float) -> Expansion:
        try:
            paths = await self._lookups.repositories(self._endpoints, pair.source, since=since)
        except RegsyncError as error:
            return Failed("Failed to list source repositories", pair.source, pair.target, error).decision()
        return (_below(pair, path) for path in await self._chosen(entry.repositories, paths))

    async def _images(self, entry: SyncEntry, pair: RepositoryPair, *, since: float) -> Expansion:
        name, listed = pair.source.name, entry.kind == "registry"
        try:
            available = await self._lookups.tags(self._endpoints.open(pair.source), since=since)
        except RegsyncError as error:
            if not (listed and isinstance(error, NotFound)):
                return Failed("Failed getting source tags", name, pair.target.name, error).decision()
            available = ()  # catalogues go on listing repositories whose tags are all gone (docker-registry, Nexus)
        chosen = await self._chosen(entry.tags, available)
        self._tell(TagsSelected(name, len(available), len(chosen)))
        if not chosen and (available or not listed):
            self._tell(NoTagsMatched(name, str(entry.tags), available))
        return (ImagePair(pair.source.with_tag(tag), pair.target.with_tag(tag)) for tag in chosen)

    async def _chosen(self, selection: Selection, names: Sequence[str]) -> list[str]:
        """Return what `Selection.choose` does, and let others have a turn on the way through a long list."""
        chosen: dict[str, None] = {}
        for count, batch in enumerate(selection.batches(names)):
            if count:
                await self._clock.sleep(0)
            chosen.update(dict.fromkeys(batch))
        return [*chosen]


def _below(pair: RegistryPair, path: str) -> Pair | Failed:
    try:
        return repository_in(pair, path)
    except RegsyncError as error:
        return Failed("Failed parsing target", f"{pair.source}/{path}", f"{pair.target}/{path}", error)
