"""Work that may block, done in a thread beside the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


async def aside(call: Callable[[], T]) -> T:
    """Return what a call comes to, made in a thread of its own.

    Those of the loop's pool are few, and they resolve names. One that hangs, in a network file system perhaps, holds up
    nobody but who waits for it, not even the end of the process.
    """
    work, ended = promised(call)
    Thread(target=work, name="aside", daemon=True).start()
    return await ended


def promised(call: Callable[[], T]) -> tuple[Callable[[], None], asyncio.Future[T]]:
    """Return what makes this call in whichever thread runs it, and the future of the running loop it arrives at.

    Whatever is raised is raised where the future is awaited; who runs the work is told of nothing.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if ended.done():
            return
        if error is not None:
            ended.set_exception(error)
        else:
            ended.set_result(result)  # type: ignore[arg-type]  # of a call that has returned

    def work() -> None:
        result, error = None, None
        try:
            result = call()
        except BaseException as raised:  # noqa: BLE001 - it is raised where the call was made
            error = raised
        with suppress(RuntimeError):  # the loop has closed meanwhile
            loop.call_soon_threadsafe(settle, result, error)

    return work, ended
