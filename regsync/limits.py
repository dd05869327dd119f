"""How much may be under way at each host, at once.

A limit belongs to the host it protects. A request takes a slot at its host, a transfer takes one at both of its ends in
one step (two transfers in opposite directions that each hold one end would wait for ever), and a request made inside a
transfer rides on the transfer's slot. Transfers leave one slot of a host free, so that a look-up never waits behind a
gigabyte. Rates (requests per second, Retry-After) are another matter: `registry/http/pacing.py`.

A host without a cap is probed: 8 at first, doubled per window of answers until the first trouble (429, 503, a
time-out), from then on one more per window; every window with trouble halves it. A host with a cap begins there.

This lies below both `transfer` and `registry`, because both hold slots of the same hosts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

_START = 8
_MOST = 64
_held: ContextVar[frozenset[str]] = ContextVar("held", default=frozenset())


@dataclass(slots=True)
class _Host:
    """One host's slots: how many are used, and how many may be."""

    limit: int
    cap: int | None
    used: int = 0
    answers: int = 0
    probing: bool = True
    deaf: int = 0  # answers still to come from before the last halving: their trouble is old news

    def fits(self, *, transfer: bool) -> bool:
        return self.used < self.limit - (1 if transfer and self.limit > 1 else 0)

    def good(self) -> None:
        self.deaf = max(0, self.deaf - 1)
        self.answers += 1
        if self.answers >= self.limit:
            self.answers = 0
            most = _MOST if self.cap is None else self.cap
            self.limit = min(most, self.limit * 2 if self.probing else self.limit + 1)

    def bad(self) -> None:
        if self.deaf:
            self.deaf -= 1
            return
        self.deaf, self.answers, self.probing = self.used, 0, False
        self.limit = max(1, self.limit // 2)


@dataclass(eq=False, slots=True)
class _Waiter:
    ticket: int
    hosts: tuple[str, ...]
    granted: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class KeyedLock:
    """One lock per key, forgotten when nobody holds it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[Hashable, asyncio.Lock] = WeakValueDictionary()

    def __call__(self, key: Hashable) -> asyncio.Lock:
        """Return the lock of this key, to be entered at once."""
        return self._locks.setdefault(key, asyncio.Lock())


class Limits:
    """Slots of every host. `cap_of` answers a host's hard cap, or None where the limit is to be found out."""

    def __init__(self, cap_of: Callable[[str], int | None]) -> None:
        self._cap_of = cap_of
        self._hosts: dict[str, _Host] = {}
        self._queues: dict[tuple[str, ...], deque[_Waiter]] = {}  # by the hosts wanted, each in order of arrival
        self._tickets = 0

    @asynccontextmanager
    async def hold(self, *hosts: str) -> AsyncIterator[None]:
        """Hold one slot at each of these hosts, all or none; hosts this task holds already are not taken again."""
        held = _held.get()
        wanted = tuple(sorted({host for host in hosts if host not in held}))
        if not wanted:
            yield
            return
        await self._take(wanted)
        token = _held.set(held.union(wanted))
        try:
            yield
        finally:
            with suppress(ValueError):  # left by another task than the one that entered, which never had the note
                _held.reset(token)
            self._leave(wanted)

    def limit_of(self, host: str) -> int:
        """Return how many may be under way at this host now."""
        return self._host(host).limit

    def went_well(self, host: str) -> None:
        """Count an answer that shows the host at ease."""
        self._host(host).good()
        self._grant(host)

    def went_badly(self, host: str) -> None:
        """Count a sign that the host has too much to do."""
        self._host(host).bad()

    def _host(self, name: str) -> _Host:
        state = self._hosts.get(name)
        if state is None:
            cap = self._cap_of(name)
            state = self._hosts[name] = _Host(limit=_START if cap is None else cap, cap=cap)
        return state

    async def _take(self, wanted: tuple[str, ...]) -> None:
        if not self._queues.get(wanted) and self._fit(wanted):
            self._use(wanted)
            return
        self._tickets += 1
        waiter = _Waiter(self._tickets, wanted)
        self._queues.setdefault(wanted, deque()).append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def _give_up(self, waiter: _Waiter) -> None:
        """Forget a waiter that was cancelled; if its slots had just been granted, pass them on."""
        if waiter.granted.done() and not waiter.granted.cancelled():
            self._leave(waiter.hosts)
            return
        queue = self._queues.get(waiter.hosts, deque())
        with suppress(ValueError):  # a holder that was cancelled in the same breath has woken it already
            queue.remove(waiter)
            if not queue:
                del self._queues[waiter.hosts]

    def _fit(self, wanted: tuple[str, ...]) -> bool:
        return all(self._host(host).fits(transfer=len(wanted) > 1) for host in wanted)

    def _use(self, wanted: tuple[str, ...]) -> None:
        for host in wanted:
            self._host(host).used += 1

    def _leave(self, wanted: tuple[str, ...]) -> None:  # synchronous: safe in any `finally`
        for host in wanted:
            self._host(host).used -= 1
        for host in wanted:
            self._grant(host)

    def _grant(self, host: str) -> None:
        """Wake whoever fits now, oldest first, among the queues that want this host."""
        while True:
            heads = [queue[0] for hosts, queue in self._queues.items() if host in hosts and self._fit(hosts)]
            if not heads:
                return
            waiter = min(heads, key=lambda head: head.ticket)
            queue = self._queues[waiter.hosts]
            queue.popleft()
            if not queue:
                del self._queues[waiter.hosts]
            if not waiter.granted.done():
                self._use(waiter.hosts)
                waiter.granted.set_result(None)
