"""A server that does not read what it is sent must not keep the connection open when we have left it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from regsync.errors import RegsyncError
from regsync.registry.http.transport import Request
from tests.unit.registry.speaking import speaking

PUT = Request("PUT", "/v2/a/blobs/uploads/1", what="blob", body=bytes(16 << 20), attempts=1)
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"


def sockets_to(port: int) -> int:
    """Return how many connections to a port this process has open, those it has accepted there not counted."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    ours = {os.path.realpath(name) for name in Path("/proc/self/fd").iterdir()}
    return sum(
        line[2].endswith(f":{port:04X}") and any(one.endswith(f"socket:[{line[9]}]") for one in ours) for line in lines
    )


@pytest.mark.parametrize("answer", [REFUSED, b""], ids=["refuses", "says nothing"])
async def test_a_body_nobody_reads_does_not_outlive_its_request(answer: bytes) -> None:
    asked, over = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        asked.set()
        await over.wait()
        writer.transport.abort()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        try:
            async with speaking(f"127.0.0.1:{port}") as to:
                sending = asyncio.create_task(to.transport.send(PUT))
                await asked.wait()
                assert sockets_to(port) == 1
                if not answer:
                    sending.cancel()
                with pytest.raises((RegsyncError, asyncio.CancelledError)):
                    await sending
                await asyncio.sleep(0)  # the connection is closed in the next round
                assert sockets_to(port) == 0
        finally:
            over.set()
