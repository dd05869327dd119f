"""A link that breaks, in a process: the tests' proxy before a registry, each of its connections reset in time.

`python -m benchmarks.link EVERY up|down PORT` resets what has brought so many bytes in this direction and prints the
port it took; PORT 0 puts it before a registry of its own. A line on its standard input makes it print how many bytes
have passed in this direction since the line before.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from contextlib import AsyncExitStack
from typing import Self

from tests.support.fake_registry import FakeRegistry, Features
from tests.support.proxy import Direction, Proxy


class Link:
    """The link as a child process; `port` leads to the registry behind it."""

    def __init__(self, upstream: int | None, *, every: int, direction: Direction) -> None:
        """Break the way to this port, or to a registry that keeps what came of a broken body, as no 2.8 does."""
        command = [sys.executable, "-m", "benchmarks.link", str(every), direction, str(upstream or 0)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = self._answer()

    def passed(self) -> int:
        """Return how many bytes have passed since this was last asked."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> int:
        assert self._process.stdout
        return int(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


async def serve(every: int, direction: Direction, upstream: int) -> None:
    """Break connections until standard input ends."""
    async with AsyncExitStack() as stack:
        if not upstream:
            features = Features(keeps_partial=True, relative_locations=True)
            upstream = (await stack.enter_async_context(FakeRegistry(features=features))).port
        proxy = await stack.enter_async_context(Proxy(upstream))
        proxy.reset_every(every, direction=direction)
        print(proxy.port, flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            print(proxy.passed[direction], flush=True)
            proxy.passed.clear()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), "up" if sys.argv[2] == "up" else "down", int(sys.argv[3])))
