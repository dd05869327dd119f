"""What the daemon serves over HTTP, put together: what programs ask for, and pages for people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from regsync.api.answers import Api
from regsync.api.commands import Commands
from regsync.api.following import Following
from regsync.api.health import Health
from regsync.api.pauses import KeptPauses
from regsync.api.stream import Stream
from regsync.beside import going_on
from regsync.keeping import Kept
from regsync.listen import Address
from regsync.metrics.board import Board
from regsync.metrics.memory import Memory
from regsync.metrics.pulse import Pulse
from regsync.pages.answers import Pages
from regsync.pages.rates import Rates
from regsync.pages.scene import Sources
from regsync.service import Service
from regsync.setup import Common
from regsync.web.site import site


@asynccontextmanager
async def shown(
    service: Service,
    common: Common,
    keeping: Kept,
    *,
    address: Address,
    names: Collection[str],
    dropped: Callable[[], int],
) -> AsyncIterator[None]:
    """Answer at this address, asked for by any of these names, while the block lasts; `ConfigError` if that cannot be.

    `dropped` says how many lines of the log were lost.
    """
    board, pulse = Board(common.clock.now()), Pulse(common.clock)
    memory = Memory(service, board, keeping)
    pauses = KeptPauses(service, common, keeping)
    await memory.recall()
    await pauses.recall()
    keeping.pass_on_to(board.add)
    health = Health(service, common, board, keeping.recorder, pulse, dropped)
    api = Api(service, common, keeping, board)
    rates = Rates()
    pages = Pages(Sources(service, common, keeping, board, rates))
    stream = Stream(keeping.recorder, common.secrets, common.clock)
    keeping.pass_on_to(stream.ended)
    asked = [*api.routes(), *pages.routes(), *Following(service, stream).routes()]
    routes = [*health.routes(), *Commands(service, common).routes(), *asked]
    with common.tell.joined(board, memory, pauses, rates, stream):
        async with (
            site(address, names, [*routes, *api.rest(routes)], tell=common.tell, clock=common.clock),
            going_on(common.tell, pulse.beat, memory.follow, pauses.follow, stream.beat),
        ):
            try:
                yield
            finally:
                stream.close()
