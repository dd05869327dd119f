"""What is known of each entry and each host at this moment, kept up by facts and runs: what the metrics show.

Labels come from the configuration and from hosts that were spoken to, never from tags or repositories: there are as
many entries as somebody wrote down, and of hosts (storage that registries lead to has ever new ones) so many are told
apart and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from regsync.events import BlobDone, BlobRead, Exchanged, JobSkipped, Notified, Reloaded, ReloadRefused, RequestRetried
from regsync.facts import Fact
from regsync.record.queries import Past
from regsync.record.values import RunRecord

BUCKETS: Final = (0.5, 2.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)  # seconds
_HOSTS: Final = 200  # that are told apart; the rest is `other`
_IMAGES: Final = ("copied", "unchanged", "skipped", "failed")


@dataclass(slots=True)
class EntryStats:
    """What runs of one entry came to since it is here; its times may be from before, where a history was kept.

    `succeeded` is when a run last ended without failure; `equal` when one began after which source and target were
    equal. `failing` says whether the last run failed.
    """

    runs: Counter[str] = field(default_factory=Counter)
    images: Counter[str] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))
    seconds: float = 0.0
    skipped: int = 0
    succeeded: datetime | None = None
    equal: datetime | None = None
    failing: bool = False

    def add(self, run: RunRecord) -> None:
        """Count a run that has ended."""
        self.runs[run.outcome] += 1
        for outcome in _IMAGES:
            self.images[outcome] += getattr(run.counts, outcome)
        self.buckets[next((at for at, most in enumerate(BUCKETS) if run.seconds <= most), len(BUCKETS))] += 1
        self.seconds += run.seconds
        self.failing = run.outcome == "failed"
        if run.well:
            self.succeeded = run.ended
            if run.scope == "changed":
                self.equal = run.began


@dataclass(slots=True)
class HostStats:
    """What went over the wire to one host; sizes in bytes."""

    requests: Counter[tuple[str, str]] = field(default_factory=Counter)  # by method and class of the status
    retries: int = 0
    read: int = 0
    written: int = 0
    spared: int = 0
    adopted: int = 0


class Board:
    """An observer; `add` gets the runs."""

    def __init__(self, now: datetime) -> None:
        self.began = now
        self.entries: dict[str, EntryStats] = {}
        self.first: dict[str, datetime] = {}  # when each came, or was first visited if it was never equal
        self.hosts: dict[str, HostStats] = {}
        self.reloads: Counter[str] = Counter()
        self.notifications: Counter[str] = Counter()

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        match event := fact.event:
            case Exchanged(method=method, status=status):
                self._host(event.url.split("/", 3)[2]).requests[method, f"{status // 100}xx"] += 1
            case RequestRetried():
                self._host(event.host).retries += 1
            case BlobRead(source=source, read=read):
                self._host(host_of(source)).read += read
            case BlobDone(target=target, size=size, how="copied"):
                self._host(host_of(target)).written += size
            case BlobDone(target=target, size=size, how="adopted"):
                host = self._host(host_of(target))
                host.spared, host.adopted = host.spared + size, host.adopted + 1
            case JobSkipped(entry=entry):
                self._entry(entry).skipped += 1
            case Reloaded():
                self.reloads["taken"] += 1
            case ReloadRefused():
                self.reloads["refused"] += 1
            case Notified(outcome=outcome):
                self.notifications[outcome] += 1
            case _:
                pass

    def add(self, run: RunRecord) -> None:
        """Take note of a run that has ended."""
        self._entry(run.entry).add(run)

    def remember(self, past: Past) -> None:
        """Take over what is known of an entry from before it was here; what it has come to since counts for more."""
        stats = self._entry(past.entry)
        stats.succeeded = stats.succeeded or past.succeeded
        stats.equal = stats.equal or past.equal
        if not stats.runs:
            stats.failing = past.outcome == "failed"

    def known_since(self, entry: str) -> datetime:
        """Return when source and target of an entry were last equal, else since when it could have been visited."""
        stats = self.entries.get(entry)
        equal = None if stats is None else stats.equal
        return equal or self.first.get(entry, self.began)

    def keep_only(self, entries: Iterable[str]) -> None:
        """Forget entries that are no more."""
        kept = set(entries)
        self.entries = {name: stats for name, stats in self.entries.items() if name in kept}
        self.first = {name: moment for name, moment in self.first.items() if name in kept}

    def _entry(self, name: str) -> EntryStats:
        found = self.entries.get(name)
        if found is None:
            found = self.entries[name] = EntryStats()
        return found

    def _host(self, name: str) -> HostStats:
        found = self.hosts.get(name)
        if found is None:
            name = name if len(self.hosts) < _HOSTS else "other"
            found = self.hosts.setdefault(name, HostStats())
        return found


def host_of(repository: str) -> str:
    """Return the registry of a repository's name; all layouts are `ocidir`."""
    return "ocidir" if repository.startswith("ocidir://") else repository.partition("/")[0]
