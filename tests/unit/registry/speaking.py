"""A transport to a server of the test: no chance, and a clock on which every wait is over at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from regsync.events import Event, RequestRetried
from regsync.limits import Limits
from regsync.registry.host import HostSettings
from regsync.registry.http.feed import Timeouts
from regsync.registry.http.transport import Transport
from regsync.registry.http.wire import Wire
from tests.support.clock import FakeClock


@dataclass(slots=True)
class Speaking:
    """The transport under test and what can be seen of it."""

    transport: Transport
    clock: FakeClock
    limits: Limits
    told: list[Event] = field(default_factory=list)

    @property
    def retried(self) -> list[RequestRetried]:
        return [event for event in self.told if isinstance(event, RequestRetried)]


def plain_host(host: str) -> HostSettings:
    return HostSettings(name=host, hostname=host, tls="disabled")


@asynccontextmanager
async def speaking(
    host: HostSettings | str,
    *,
    cap: int | None = 64,
    timeouts: Timeouts | None = None,
    environ: Mapping[str, str] | None = None,
    certificates: Path | None = None,
) -> AsyncIterator[Speaking]:
    settings = plain_host(host) if isinstance(host, str) else host
    clock, limits, told = FakeClock(instant=True), Limits(lambda _: cap), list[Event]()
    async with Wire(timeouts=timeouts or Timeouts(), environ=environ or {}) as wire:
        transport = Transport(
            settings,
            wire,
            limits=limits,
            clock=clock,
            tell=told.append,
            user_agent="regsync/test",
            environ=environ or {},
            certificates=() if certificates is None else (certificates,),
            draw=lambda: 1.0,
        )
        yield Speaking(transport, clock, limits, told)


def with_login(host: str) -> HostSettings:
    return replace(plain_host(host), user="ann", password="s3cret-canary")
