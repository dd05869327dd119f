"""How much may be under way at each host, at once.

A limit belongs to the host it protects. A request takes a slot at its host, a transfer takes one at all of its ends in
one step (two transfers in opposite directions that each hold one end would wait for ever), and a request made inside a
transfer rides on the transfer's slot. Transfers leave one slot of a host free, so that a look-up never waits behind a
gigabyte. Rates (requests per second, Retry-After) are another matter: `registry/http/pacing.py`.

A source that turns out to have mirrors is read from another host than was held for it when that one fails. Its transfer
gives all of its slots back and takes those it needs now in one step (`turn`): holding some while it waits for another
would be what transfers must never do.

Slots go to the oldest who can use them. A transfer needs several at once, and would wait for ever while look-ups keep
its hosts full: so the oldest transfers reserve, and who came later leaves what they lack to them. Only a quarter of a
host's slots (one at least) is reserved at any time, so that a transfer whose other end is busy holds up little here.

A host without a cap is probed: 8 at first, doubled per window of answers until the first trouble (429, 503, a
time-out), from then on one more per window; every window with trouble halves it. A host with a cap begins there.

This lies below both `transfer` and `registry`, because both hold slots of the same hosts.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable
from contextlib import suppress
from contextvars import ContextVar, Token
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

_START = 8
_MOST = 64
_held: ContextVar[frozenset[str]] = ContextVar("held", default=frozenset())
_transfer: ContextVar[Hold | None] = ContextVar("transfer", default=None)


@dataclass(slots=True)
class _Host:
    """One host's slots: how many are used, how many of them by transfers, and how many may be used."""

    limit: int
    cap: int | None
    used: int = 0
    transfers: int = 0
    answers: int = 0
    probing: bool = True
    deaf: int = 0  # answers still to come from before the last halving: their trouble is old news

    def takes_transfers(self) -> bool:
        return self.transfers < max(1, self.limit - 1)

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


@dataclass(frozen=True, slots=True)
class Slots:
    """How many of a host's slots are used, how many there are now, and how many requests and transfers wait for one."""

    used: int
    limit: int
    waiting: int = 0


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

    def hold(self, *hosts: str) -> Hold:
        """Hold one slot at each of these hosts, all or none; hosts this task holds already are not taken again."""
        return Hold(self, hosts)

    async def turn(self, host: str, *, among: Collection[str]) -> None:
        """Let this task's transfer hold this host instead of the first it holds of those that could do as well.

        What it uploads meanwhile goes on without a slot. Who makes no transfer holds nothing that could be turned.
        """
        transfer = _transfer.get()
        if transfer is not None:
            await transfer.turn(host, among)

    def slots(self) -> dict[str, Slots]:
        """Return the slots of every host that was ever asked for one."""
        waiting = Counter[str]()
        for hosts, queue in self._queues.items():
            waiting.update(dict.fromkeys(hosts, len(queue)))
        return {name: Slots(host.used, host.limit, waiting[name]) for name, host in self._hosts.items()}

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

    def begin_anew(self, host: str) -> None:
        """Ask again for a host's cap and forget what was found out about it; slots in use stay in use."""
        before = self._hosts.pop(host, None)
        if before is not None:
            now = self._host(host)
            now.used, now.transfers = before.used, before.transfers
            self._grant(host)

    async def take(self, wanted: tuple[str, ...]) -> None:
        """Wait for a slot at each of these hosts; to be given back by `leave`."""
        if wanted not in self._queues and self._fit(wanted, self._tickets + 1):
            self._use(wanted, 1)
            return
        self._tickets += 1
        waiter = _Waiter(self._tickets, wanted)
        self._queues.setdefault(wanted, deque()).append(waiter)
        try:
            await waiter.granted
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise

    def leave(self, wanted: tuple[str, ...]) -> None:  # synchronous: safe in any `finally`
        """Give the slots back, and wake whoever they are for."""
        self._use(wanted, -1)
        for host in wanted:
            self._grant(host)

    def _host(self, name: str) -> _Host:
        state = self._hosts.get(name)
        if state is None:
            cap = self._cap_of(name)
            state = self._hosts[name] = _Host(limit=_START if cap is None else cap, cap=cap)
        return state

    def _give_up(self, waiter: _Waiter) -> None:
        """Forget a waiter that was cancelled; what had just been granted to it or reserved for it is passed on."""
        if waiter.granted.done() and not waiter.granted.cancelled():
            self.leave(waiter.hosts)
            return
        queue = self._queues.get(waiter.hosts, deque())
        with suppress(ValueError):  # a holder that was cancelled in the same breath has woken it already
            queue.remove(waiter)
            self._drop_if_empty(waiter.hosts)
        for host in waiter.hosts:
            self._grant(host)

    def _fit(self, wanted: tuple[str, ...], ticket: int) -> bool:
        """Say whether the holder of this ticket may take these slots now, and leave older transfers theirs."""
        for name in wanted:
            host = self._host(name)
            if len(wanted) > 1 and not host.takes_transfers():
                return False
            if host.used >= host.limit or (self._queues and host.used + self._reserved(name, ticket) >= host.limit):
                return False
        return True

    def _reserved(self, name: str, ticket: int) -> int:
        """Count the slots of a host that wait for transfers older than this ticket."""
        host = self._host(name)
        if not host.takes_transfers():
            return 0
        older = sum(
            len(hosts) > 1 and name in hosts and queue[0].ticket < ticket for hosts, queue in self._queues.items()
        )
        return min(older, max(1, host.limit // 4))

    def _use(self, wanted: tuple[str, ...], count: int) -> None:
        for name in wanted:
            host = self._host(name)
            host.used += count
            if len(wanted) > 1:
                host.transfers += count

    def _grant(self, host: str) -> None:
        """Wake whoever fits now, oldest first, among the queues that want this host."""
        while self._queues:
            heads = [
                queue[0] for hosts, queue in self._queues.items() if host in hosts and self._fit(hosts, queue[0].ticket)
            ]
            if not heads:
                return
            waiter = min(heads, key=lambda head: head.ticket)
            self._queues[waiter.hosts].popleft()
            self._drop_if_empty(waiter.hosts)
            if not waiter.granted.done():
                self._use(waiter.hosts, 1)
                waiter.granted.set_result(None)

    def _drop_if_empty(self, hosts: tuple[str, ...]) -> None:
        if not self._queues[hosts]:
            del self._queues[hosts]


class Hold:
    """Slots held for as long as this is entered (`Limits.hold`); a class, since every request passes here."""

    __slots__ = ("_before", "_hosts", "_limits", "_tokens", "_wanted")

    def __init__(self, limits: Limits, hosts: tuple[str, ...]) -> None:
        self._limits = limits
        self._hosts = hosts
        self._before: frozenset[str] = frozenset()  # what the task held when this was entered
        self._wanted: tuple[str, ...] = ()
        self._tokens: tuple[Token[frozenset[str]], Token[Hold | None]] | None = None

    async def __aenter__(self) -> None:
        self._before = _held.get()
        self._wanted = self._lacking()
        if self._wanted:
            await self._limits.take(self._wanted)
            transfer = self if len(self._wanted) > 1 else _transfer.get()
            self._tokens = _held.set(self._before.union(self._wanted)), _transfer.set(transfer)

    async def turn(self, host: str, among: Collection[str]) -> None:
        """Hold this host instead of the first of those; whoever is cancelled while it waits holds nothing."""
        at = next((at for at, one in enumerate(self._hosts) if one == host or one in among), None)
        if at is None or self._hosts[at] == host:
            return
        self._hosts = (*self._hosts[:at], host, *self._hosts[at + 1 :])
        given, self._wanted = self._wanted, ()
        self._limits.leave(given)
        wanted = self._lacking()
        await self._limits.take(wanted)
        self._wanted = wanted
        _held.set(self._before.union(wanted))

    def _lacking(self) -> tuple[str, ...]:
        return tuple(sorted({host for host in self._hosts if host not in self._before}))

    async def __aexit__(self, *_: object) -> None:
        if self._tokens is None:
            return
        held, transfer = self._tokens
        with suppress(ValueError):  # left by another task than the one that entered, which never had the note
            _held.reset(held)
            _transfer.reset(transfer)
        self._tokens = None
        self._limits.leave(self._wanted)
