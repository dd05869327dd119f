"""Start, drain, stop: the only module that knows about shutdown.

One task group holds the scheduler and the workers, so nothing outlives `Runner.run`. A job that crashes is reported and
the daemon goes on; a scheduler or a queue that breaks ends `run` with its error, because a mirror that has silently
stopped mirroring is worse than one that is seen to be down.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from typing import cast

from regsync.clock import Clock
from regsync.daemon.jobs import Job, QueueClosed
from regsync.daemon.scheduler import Scheduler
from regsync.daemon.turns import Turns
from regsync.events import JobFinished, JobStarted, Stopping, Tell
from regsync.waiting import Activity

Say = Callable[[Activity], None]
Handle = Callable[[Job, float, Say], Awaitable[int]]


class Runner:
    """Runs jobs until it is told to stop.

    `handle` is given a job, the monotonic second from which on an answer is news to it (see `Turns.take`), and somebody
    to tell when it begins to do nothing but wait, and when it goes on: another job runs in its place meanwhile. It
    answers how many images of the job failed. `workers` jobs run at once. `grace` is in seconds: how long the jobs
    under way may go on after `stop`. Afterwards `failed` says how many images (and crashed jobs) failed in all,
    `crashed` how many jobs ended by a bug of ours, `cut` how many were cancelled before they finished.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        turns: Turns,
        handle: Handle,
        tell: Tell,
        *,
        clock: Clock,
        workers: int,
        grace: float,
        ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.failed = 0
        self.crashed = 0
        self.cut = 0
        self._scheduler = scheduler
        self._turns = turns
        self._handle = handle
        self._tell = tell
        self._clock = clock
        self._workers = workers
        self._grace = grace
        self._ready = ready
        self._stopping = asyncio.Event()
        self._clockwork: asyncio.Task[None] | None = None
        self._at_work: dict[str, asyncio.Task[None]] = {}  # by entry
        self._called_off: set[str] = set()  # entries whose jobs somebody cancelled
        self._waiting: set[str] = set()  # entries whose jobs wait for a time to come
        self._hands = 0  # workers that have not gone home
        self._numbers = count()
        self._crew: list[asyncio.Task[None]] = []
        self._cut_off = False

    @property
    def stopping(self) -> bool:
        """Whether it was told to stop."""
        return self._stopping.is_set()

    async def run(self, first: Sequence[Job]) -> None:
        """Put the first jobs, leaders before followers, then run what falls due, until stopped; to be called once."""
        async with asyncio.TaskGroup() as group:
            if self._stopping.is_set():
                return
            self._clockwork = group.create_task(self._scheduler.run(), name="scheduler")
            self._group = group
            self._hire()
            await self._put(first)
            if not self._stopping.is_set():
                self._ready()
            await self._stopping.wait()
            deadline = group.create_task(self._cut_off_late(), name="grace")
            await asyncio.wait(self._crew)
            deadline.cancel()

    def add(self, jobs: Sequence[Job], *, workers: int) -> None:
        """Put these, too, leaders before followers, and have so many workers from now on; fit only while it runs."""
        self._workers = workers
        if not self._stopping.is_set():
            self._hire()
            self._group.create_task(self._put(jobs), name="first jobs")

    async def _put(self, jobs: Sequence[Job]) -> None:
        with suppress(QueueClosed):  # stopped before all of them were put
            now = self._clock.monotonic()
            for job in jobs:
                await self._turns.put(job, since=now)

    def stop(self) -> None:
        """Start nothing more; the jobs under way have `grace` seconds. Fit for a signal handler; again is no matter."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._clockwork is not None:
            self._clockwork.cancel()
        self._turns.close()
        self._tell(Stopping(self._grace))

    def is_running(self, entry: str) -> bool:
        """Say whether a job of this entry is under way."""
        return entry in self._at_work

    def call_off(self, entry: str) -> bool:
        """Cancel the job of this entry that is under way, and no other; False when there is none."""
        worker = self._at_work.get(entry)
        if worker is not None and not worker.cancelling():  # see `stop_now`
            self._called_off.add(entry)
            worker.cancel()
        return worker is not None

    def stop_now(self) -> None:
        """Start nothing more and cancel the jobs under way. Fit for a signal handler; again is no matter."""
        self.stop()
        if self._cut_off:
            return  # a second cancellation would break into the clean-up the first one began
        self._cut_off = True
        for worker in self._crew:
            if not worker.cancelling():
                worker.cancel()

    def _hire(self) -> None:
        """Have so many at work as there are to be, besides those whose jobs wait."""
        crew = [worker for worker in self._crew if not worker.done()]
        while self._hands < self._workers + len(self._waiting):
            self._hands += 1
            crew.append(self._group.create_task(self._work(), name=f"worker-{next(self._numbers)}"))
        self._crew = crew

    def _hear(self, entry: str, activity: Activity) -> None:
        if activity == "working":
            self._waiting.discard(entry)
        elif not self._stopping.is_set():
            self._waiting.add(entry)
            self._hire()

    async def _cut_off_late(self) -> None:
        await self._clock.sleep(self._grace)
        self.stop_now()

    async def _work(self) -> None:
        try:
            with suppress(QueueClosed):
                while self._hands <= self._workers + len(self._waiting):
                    async with self._turns.take() as (job, since):
                        await self._settle(job, since)
        finally:
            self._hands -= 1

    async def _settle(self, job: Job, since: float) -> None:
        self._tell(JobStarted(job.entry, job.due))
        crash: BaseException | None = None
        failed = 0
        try:
            with self._working(job.entry):
                failed = await self._handle(job, since, partial(self._hear, job.entry))
        except asyncio.CancelledError as stray:
            if _cancelled():
                self.cut += 1
                raise
            failed, crash = 1, stray  # it came out of the job itself; taken for ours it would silently end the worker
        except Exception as bug:  # noqa: BLE001 - the one place: a job's bug must not stop the daemon
            failed, crash = 1, bug
        self.failed += failed
        self.crashed += crash is not None
        self._tell(JobFinished(job.entry, failed, crash))

    @contextmanager
    def _working(self, entry: str) -> Iterator[None]:
        """Let the job within be called off: it then ends here, and whoever worked at it goes on to the next one."""
        worker = self._at_work[entry] = _this_task()
        try:
            yield
        except asyncio.CancelledError:
            if entry not in self._called_off or worker.cancelling() > 1:
                raise  # also where somebody else wants the worker itself to end
        finally:
            del self._at_work[entry]
            self._waiting.discard(entry)
            if entry in self._called_off:
                self._called_off.discard(entry)
                worker.uncancel()


def _this_task() -> asyncio.Task[None]:
    return cast("asyncio.Task[None]", asyncio.current_task())


def _cancelled() -> bool:
    """Say whether somebody asked the current task to end."""
    return _this_task().cancelling() > 0
