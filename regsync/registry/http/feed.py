"""A streamed body on its way out, and the clock that runs against whoever keeps it waiting.

The HTTP library pulls chunks in a task of its own. While we wait for the source of the bytes that source's time-outs
count; while the registry takes its time to accept them, ours do. A feed also knows whether it was begun, because what
was begun cannot be sent twice, and it can be waited for, because its source must not be closed under a running pull.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from regsync.errors import RegsyncError

_PIECE = 256 << 10  # bytes
_STORE_RATE = 10 << 20  # bytes a second a registry may need to put away what it was given, before it answers


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds each wait may last, and the slowest body that counts: `rate` bytes a second over `window` seconds."""

    connect: float = 10.0
    header: float = 60.0
    idle: float = 60.0
    rate: float = 1024.0
    window: float = 60.0


class Feed:
    """Chunks of `length` bytes in all, pulled once."""

    def __init__(self, chunks: AsyncIterator[bytes], length: int) -> None:
        self.length = length
        self.began = False
        self.failed = False  # by its source
        self._chunks = chunks
        self._deadline: asyncio.Timeout | None = None
        self._timeouts = Timeouts()
        self._puller: asyncio.Task[object] | None = None
        self._idle = asyncio.Event()
        self._idle.set()

    @classmethod
    def of(cls, body: bytes) -> Feed:
        """Return a body that is at hand as pieces, so that each of them must move and not all of them at once."""
        return cls(_pieces(body), len(body))

    @contextmanager
    def watched(self, deadline: asyncio.Timeout, timeouts: Timeouts) -> Iterator[None]:
        """Let this deadline follow the body while the answer is waited for."""
        self._deadline, self._timeouts = deadline, timeouts
        try:
            yield
        finally:
            self._deadline = None

    async def settled(self) -> None:
        """Return when no pull is running any more; one that is gets cancelled."""
        if not self._idle.is_set() and self._puller is not None:
            self._puller.cancel()
            await self._idle.wait()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        self.began = True
        self._allow(None)
        self._puller = asyncio.current_task()
        self._idle.clear()
        try:
            chunk = await anext(self._chunks)
        except RegsyncError:
            self.failed = True
            raise
        except StopAsyncIteration:
            self._allow(self._timeouts.header + self.length / _STORE_RATE)
            raise
        finally:
            self._idle.set()
        self._allow(self._timeouts.idle)
        return chunk

    def _allow(self, seconds: float | None) -> None:
        if self._deadline is not None and not self._deadline.expired():
            self._deadline.reschedule(None if seconds is None else asyncio.get_running_loop().time() + seconds)


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]
