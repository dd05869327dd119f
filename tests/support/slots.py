"""Whether slots of hosts are free."""

from __future__ import annotations

import asyncio
from contextvars import Context

from regsync.limits import Limits
from tests.support.clock import settle


async def is_free(limits: Limits, *hosts: str) -> bool:
    """Say whether whoever asks for slots at these hosts would get them at once, outside of any transfer."""

    async def request() -> None:
        async with limits.hold(*hosts):
            pass

    task = asyncio.get_running_loop().create_task(request(), context=Context())
    await settle()
    if not task.done():
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return False
    return True
