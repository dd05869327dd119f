"""What the runs of a process share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from regsync.clock import Clock
from regsync.limits import Limits
from regsync.repository import Endpoints
from regsync.sync.around import RunHook, no_hook
from regsync.sync.gates import Gate
from regsync.sync.lookups import Lookups
from regsync.sync.order import PlaceOf
from regsync.transfer.mover import Shared
from regsync.transfer.seen import Seen


@dataclass(frozen=True, slots=True)
class Engine:
    """What the runs of a process share.

    `place_of` says which names stand for one place, `gates` what images pass, `run_hook` runs what stands around them.
    """

    endpoints: Endpoints
    lookups: Lookups
    shared: Shared
    images: asyncio.Semaphore
    place_of: PlaceOf = str
    gates: Sequence[Gate] = field(default=())
    run_hook: RunHook = no_hook

    @classmethod
    def of(
        cls, endpoints: Endpoints, limits: Limits, clock: Clock, images: asyncio.Semaphore, place_of: PlaceOf = str
    ) -> Engine:
        """Return an engine with empty memories."""
        seen = Seen(clock)
        return cls(endpoints, Lookups(clock, seen), Shared(limits, clock, seen), images, place_of)
