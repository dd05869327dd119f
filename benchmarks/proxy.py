"""A network in a process: TCP proxies that delay every byte, in order, and count the HTTP requests that pass.

`python -m benchmarks.proxy ROUND_TRIP PORT…` listens once for each upstream port given and prints the ports it took. A
line on its standard input makes it print what it counted since the line before. A new connection costs a round trip of
its own, as a handshake does; throughput is not limited.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, cast

_METHODS = {method.encode(): method for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")}
_FULL = 64 << 20  # bytes under way on one connection


@dataclass(slots=True)
class Tally:
    """What passed: requests by method and those for blobs, connections (the most at once), the first moment."""

    requests: Counter[str] = field(default_factory=Counter)
    blobs: int = 0
    connections: int = 0
    first: float = 0.0
    open: int = 0
    most: int = 0

    def opened(self) -> None:
        """Count a connection."""
        self.connections += 1
        self.open += 1
        self.most = max(self.most, self.open)

    def saw(self, data: bytes) -> None:
        """Count a request if this begins one; clients of HTTP/1.1 begin one only after the answer to the last."""
        method = _METHODS.get(data[:8].partition(b" ")[0])
        if method:
            self.requests[method] += 1
            self.blobs += method == "GET" and b"/blobs/sha256:" in data.partition(b"\r")[0]
            self.first = self.first or time.monotonic()

    def take(self) -> str:
        """Return all this as JSON and start anew."""
        said = {"requests": self.requests, "blobs": self.blobs, "connections": self.connections}
        said |= {"first": self.first, "most": self.most}
        self.requests, self.blobs, self.connections, self.first, self.most = Counter(), 0, 0, 0.0, self.open
        return json.dumps(said)


class Way(asyncio.Protocol):
    """One direction of a connection: what comes in here goes out at `other`, later."""

    def __init__(self, tally: Tally | None, delay: float) -> None:
        self.tally = tally
        self.delay = delay
        self.transport: asyncio.Transport | None = None
        self.other: Way | None = None
        self.not_before = 0.0
        self.waiting: deque[tuple[float, bytes]] = deque()
        self.size = 0
        self.loop = asyncio.get_running_loop()
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection; its buffer is large, so that the delay alone decides when bytes go out."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one without saying so
        self.transport.set_write_buffer_limits(high=_FULL)

    def data_received(self, data: bytes) -> None:
        """Put bytes into the queue, with the time they are due at the other side."""
        if self.tally and data:
            self.tally.saw(data)
        self.waiting.append((max(self.loop.time(), self.not_before) + self.delay, data))
        self.size += len(data)
        if self.size > _FULL and self.transport:
            self.transport.pause_reading()
        self.arm()

    def eof_received(self) -> bool:
        """Let the end travel as long as the bytes before it."""
        self.data_received(b"")
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Close the other side once it has got all that was under way."""
        if self.tally:
            self.tally.open -= 1
        if self.other:
            self.data_received(b"")

    def arm(self) -> None:
        """Wait for the oldest bytes to be due."""
        if self.timer is None and self.waiting and self.other and self.other.transport:
            self.timer = self.loop.call_at(self.waiting[0][0], self.deliver)

    def deliver(self) -> None:
        """Send all that is due."""
        self.timer = None
        out = self.other.transport if self.other else None
        while out and self.waiting and self.waiting[0][0] <= self.loop.time() + 0.0005:
            _, data = self.waiting.popleft()
            if data:
                self.size -= len(data)
                out.write(data)
            elif not out.is_closing():
                out.close()
        if self.size <= _FULL and self.transport and not self.transport.is_closing():
            self.transport.resume_reading()
        self.arm()


class Inward(Way):
    """The client's side: connects on to the upstream when it is connected to."""

    def __init__(self, tally: Tally, delay: float, upstream: int) -> None:
        super().__init__(tally, delay)
        self.upstream = upstream
        self.connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connect on, and count the round trip that a handshake would have cost."""
        super().connection_made(transport)
        assert self.tally
        self.tally.opened()
        self.not_before = self.loop.time() + 2 * self.delay
        self.connecting = self.loop.create_task(self.connect())

    async def connect(self) -> None:
        """Open the upstream's side of this connection."""
        outward = Way(None, self.delay)
        outward.other = self
        await self.loop.create_connection(lambda: outward, "127.0.0.1", self.upstream)
        self.other = outward
        self.arm()


async def serve(round_trip: float, upstreams: list[int]) -> None:
    """Listen for each upstream until standard input ends."""
    loop, tally = asyncio.get_running_loop(), Tally()
    ports = []
    for upstream in upstreams:
        make = lambda upstream=upstream: Inward(tally, round_trip / 2, upstream)  # noqa: E731 - a factory in a loop
        server = await loop.create_server(make, "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
    print(json.dumps(ports), flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        print(tally.take(), flush=True)


class Proxy:
    """The proxies as a child process; `ports` are in the order of the upstreams."""

    def __init__(self, upstreams: list[int], *, round_trip: float) -> None:
        command = [sys.executable, "-m", "benchmarks.proxy", str(round_trip), *(str(port) for port in upstreams)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ports: list[int] = self._answer()

    def tally(self) -> dict[str, Any]:
        """Return what passed since this was last asked."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = self._answer()
        return answer

    def _answer(self) -> Any:
        assert self._process.stdout
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def main() -> None:
    round_trip, upstreams = float(sys.argv[1]), [int(port) for port in sys.argv[2:]]
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(serve(round_trip, upstreams))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop  # noqa: PLC0415 - the proxy runs without it too, slower
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main()
