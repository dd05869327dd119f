"""A crowd that does all it can to the HTTP port, beside a copy that goes on as if nobody was there."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from regsync.events import ImageCopied, ImageFailed
from regsync.record.objects import stamp
from tests.integration.test_events import Listening
from tests.integration.test_reload import HOUR
from tests.support.built import image_bytes, write_layout

GET = b"GET /api/v1/entries HTTP/1.1\r\nHost: x\r\n"
BAD = [
    b"",
    GET,
    GET + b"\r\n" * 2000,
    (GET + b"\r\n") * 500,
    GET + b"X: " + b"x" * 100_000,
    b"\x00" * 10_000,
    b"POST /api/v1/entries HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999\r\n\r\n" + bytes(100_000),
    b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n",
]


@pytest.fixture
def life(tmp_path: Path) -> Listening:
    return Listening(tmp_path)


async def test_malformed_slow_huge_and_many_requests_disturb_no_copy(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1):
        crowd = []
        for number in range(100):
            _, writer = await asyncio.open_unix_connection(f"{life.folder}/socket")
            writer.write(BAD[number % len(BAD)])
            crowd.append(writer)
        write_layout(life.folder / "in", {"v1": image_bytes(b"another one")})
        life.told.clear()
        due = life.clock.now()
        await life.clock.advance(HOUR)
        await life.ended(1)
        (entry,) = (await life.get("/entries"))["entries"]
        for writer in crowd:
            writer.close()
    assert (len(life.events(ImageCopied)), life.events(ImageFailed)) == (1, [])
    assert (entry["outcome"], entry["equal"] > (stamp(due) or "")) == ("copied", True)
