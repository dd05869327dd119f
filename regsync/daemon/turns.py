"""When a job that is due is put: at once, when the jobs have ended that write what it reads, or not while it is paused.

This stands before the queue, so that whoever waits for a turn costs no worker. It knows entries by name only.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Container, Iterable, Mapping
from contextlib import asynccontextmanager

from regsync.clock import Clock
from regsync.daemon.jobs import Job, JobQueue
from regsync.events import JobQueued, JobSkipped, PassedOver, Tell

_AT_ONCE = 200  # jobs until the event loop has its turn, since thousands may be due together


class Pauses:
    """Entries that are paused: due times pass without a job, which is told once in each pause."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._told: dict[str, bool] = {}

    @property
    def entries(self) -> frozenset[str]:
        """Return who is paused."""
        return frozenset(self._told)

    def begin(self, entry: str) -> None:
        """Pause this one; if it is paused already it stays so."""
        self._told.setdefault(entry, False)

    def end(self, entry: str) -> None:
        """Have this one go on when it is next due."""
        self._told.pop(entry, None)

    def keep_only(self, entries: Container[str]) -> None:
        """Forget the pauses of all others."""
        self._told = {entry: told for entry, told in self._told.items() if entry in entries}

    def passes_over(self, job: Job) -> bool:
        """Say whether a job that is due is not to be begun."""
        told = self._told.get(job.entry)
        if told is False:
            self._told[job.entry] = True
            self._tell(PassedOver(job.entry, job.due))
        return told is not None


class Turns:
    """Passes jobs to a queue, each in its turn; an entry has at most one open job, that is one that has not ended.

    `before` names the entries each entry follows; there are no circles. A job waits for those of their jobs that are
    open when it falls due, and for no later ones: a follower is never put off again and again.
    """

    def __init__(
        self,
        before: Mapping[str, Iterable[str]],
        queue: JobQueue,
        *,
        clock: Clock,
        tell: Tell,
        pauses: Pauses | None = None,
    ) -> None:
        self.pauses = Pauses(tell) if pauses is None else pauses
        self._before = before
        self._wanted: Container[str] | None = None  # entries there still are; None: whichever come
        self._queue = queue
        self._clock = clock
        self._tell = tell
        self._since: dict[str, float] = {}  # of every open job
        self._ends: dict[str, float] = {}  # of every entry's last job
        self._held: dict[str, tuple[Job, set[str]]] = {}  # jobs that wait, and for whom
        self._followers: dict[str, list[str]] = defaultdict(list)  # of those who are waited for
        self._skips: Counter[str] = Counter()
        self._count = 0

    def is_open(self, entry: str) -> bool:
        """Say whether a job of this entry waits or runs."""
        return entry in self._since

    async def put(self, job: Job, *, since: float, asked_for: bool = False) -> None:
        """Queue the job in its turn, unless its entry's last one is still open; `QueueClosed` once nothing is taken.

        `since` is the monotonic second at which it fell due. Of jobs due together, leaders are to be put first. One
        that somebody asked for is put though its entry be paused.
        """
        await self._breathe()
        if not self._is_wanted(job.entry) or (not asked_for and self.pauses.passes_over(job)):
            return
        if job.entry in self._since:
            self._skip(job)
            return
        self._since[job.entry] = since
        leaders = {leader for leader in self._before.get(job.entry, ()) if leader in self._since}
        if not leaders:
            await self._pass(job)
            return
        self._held[job.entry] = job, leaders
        for leader in leaders:
            self._followers[leader].append(job.entry)

    async def withdraw(self, entry: str) -> bool:
        """Drop the job of this entry that waits, and put those that wait for it; False when none waits."""
        held = self._held.pop(entry, None)
        if held is None and not self._queue.withdraw(entry):
            return False
        await self._end(entry)
        return True

    @asynccontextmanager
    async def take(self) -> AsyncIterator[tuple[Job, float]]:
        """Lease the next job as `JobQueue.take` does; when it has ended, those are put that waited for it.

        With it comes the monotonic second from which on an answer is news to it: when it fell due, or when the last
        job of those ended that it follows.
        """
        wanted = False
        while not wanted:
            async with self._queue.take() as job:
                if wanted := self._is_wanted(job.entry):
                    yield job, self._since[job.entry]
            await self._end(job.entry)

    def apply(self, before: Mapping[str, Iterable[str]], wanted: Container[str]) -> None:
        """Go on with these entries alone, each behind those `before` names for it.

        A job that runs ends as it would have; one of an entry that is gone and that still waits is passed over.
        """
        self._before, self._wanted = before, wanted
        self._ends = {entry: end for entry, end in self._ends.items() if entry in wanted}
        self._skips = Counter({entry: times for entry, times in self._skips.items() if entry in wanted})
        self.pauses.keep_only(wanted)

    def _is_wanted(self, entry: str) -> bool:
        return self._wanted is None or entry in self._wanted

    def close(self) -> None:
        """Drop whatever waits and send the takers home; leases already held stay good, and again is no matter."""
        self._queue.close()

    async def _pass(self, job: Job) -> None:
        entry = job.entry
        ends = [self._ends[leader] for leader in self._before.get(entry, ()) if leader in self._ends]
        self._since[entry] = max([self._since[entry], *ends])
        if await self._queue.put(job):
            self._skips.pop(entry, None)
            self._tell(JobQueued(entry, job.due))
        else:  # somebody else has put one
            self._skip(job)
            await self._end(entry)

    def _skip(self, job: Job) -> None:
        self._skips[job.entry] += 1
        self._tell(JobSkipped(job.entry, job.due, self._skips[job.entry]))

    async def _end(self, entry: str) -> None:
        del self._since[entry]
        self._ends[entry] = self._clock.monotonic()
        for follower in self._followers.pop(entry, ()):
            held = self._held.get(follower)
            if held is None:  # it was withdrawn
                continue
            job, leaders = held
            leaders.discard(entry)
            if leaders:
                continue
            await self._breathe()
            if self._held.get(follower) is held:
                del self._held[follower]
                await (self._pass(job) if self._is_wanted(follower) else self._end(follower))

    async def _breathe(self) -> None:
        self._count += 1
        if not self._count % _AT_ONCE:
            await self._clock.sleep(0)
