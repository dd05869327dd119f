"""`/events` of a daemon that runs: what happens is heard while it does, and who listens holds nobody who copies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import aiohttp
import pytest

from regsync.events import ReloadRefused
from tests.integration.test_api import Asked
from tests.integration.test_reload import HOUR
from tests.support.built import image_bytes, write_layout
from tests.unit.api.test_stream import parsed

ROOT: Final = Path(__file__).parents[2]
REFERENCE: Final = (ROOT / "docs" / "reference" / "api.md").read_text(encoding="utf-8")


class Listening(Asked):
    """A daemon, and whoever follows it."""

    @asynccontextmanager
    async def following(
        self, query: str = "", *, since: str = "", method: str = "GET"
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        connector = aiohttp.UnixConnector(f"{self.folder}/socket")
        headers = {"Last-Event-ID": since} if since else {}
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, f"http://regsync/events{query}", headers=headers) as answer,
        ):
            yield answer

    async def image_changes(self) -> None:
        write_layout(self.folder / "in", {"v1": image_bytes(b"another one")})
        await self.clock.advance(HOUR)
        await self.ended(1)


@pytest.fixture
def life(tmp_path: Path) -> Listening:
    return Listening(tmp_path)


async def next_of(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """Return the next event that is no comment and no head."""
    while True:
        frame = parsed(await answer.content.readuntil(b"\n\n"))
        if "event" in frame:
            return frame


async def test_a_run_is_heard_while_it_goes_on_and_again_by_who_comes_back(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1):
        async with life.following() as answer:
            assert (answer.status, answer.content_type) == (200, "text/event-stream")
            assert answer.headers["Cache-Control"] == "no-store"
            await life.image_changes()
            heard = [await next_of(answer) for _ in range(4)]
        async with life.following(since=heard[0]["id"]) as answer:
            again = [await next_of(answer) for _ in range(3)]
        run = await life.get(f"/runs/{heard[0]['data']['id']}")
    assert [one["event"] for one in heard] == ["run-started", "image-started", "image-ended", "run-ended"]
    assert again == heard[1:]
    assert heard[3]["data"] == {key: value for key, value in run.items() if key != "images"}
    assert heard[2]["data"]["digest"] == run["images"][0]["digest"]


async def test_it_ends_when_the_server_does(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1) as service, life.following() as answer:
        service.stop()
        assert (await next_of(answer))["event"] == "stopping"
        rest = await answer.content.read()
    assert rest == b""


@pytest.mark.parametrize(
    ("query", "status", "why"),
    [
        ("?entry=b", 404, "there is no entry of this name\n"),
        ("?entry=", 404, "there is no entry of this name\n"),
        ("?from=1", 400, 'unknown parameter "from": there is entry\n'),
    ],
)
async def test_what_cannot_be_followed_is_refused(life: Listening, query: str, status: int, why: str) -> None:
    async with life.answering(life.entry("a"), visits=1), life.following(query) as answer:
        assert (answer.status, await answer.text()) == (status, why)


async def test_a_question_for_the_head_is_answered_without_events(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1), life.following(method="HEAD") as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "text/event-stream", b"")


async def test_one_too_many_is_told_to_come_back_and_may_when_another_has_gone(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1), AsyncExitStack() as stack:
        for _ in range(15):
            await stack.enter_async_context(life.following())
        async with life.following(), life.following() as refused:
            assert (refused.status, refused.headers["Retry-After"]) == (503, "15")
        async with life.following() as answer:
            assert answer.status == 200


async def test_who_does_not_read_is_let_go_and_holds_no_copy(life: Listening) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        reader, writer = await asyncio.open_unix_connection(f"{life.folder}/socket", limit=1)
        writer.write(b"GET /events HTTP/1.1\r\nHost: regsync\r\n\r\n")
        await reader.read(1)  # it follows
        for _ in range(1500):
            service._common.tell(ReloadRefused(("x" * 10_000,)))
            await asyncio.sleep(0)
        await life.clock.advance(HOUR)
        await life.ended(1)
        with suppress(ConnectionError):  # one way or the other
            while await reader.read(1 << 20):
                pass
        writer.close()


def test_the_reference_lists_every_event_and_no_other() -> None:
    told = (ROOT / "regsync" / "api" / "vocabulary.py").read_text(encoding="utf-8")
    said = {*re.findall(r'Saying\("([a-z-]+)"', told), "image-progress", "reset"}
    said |= {"image-ended", "ready", "reloaded", "reload-refused", "stopping"}
    part = REFERENCE.partition("\n## Events\n")[2].partition("\n## ")[0]
    assert {*re.findall(r"^\| `([a-z-]+)` \|", part, flags=re.MULTILINE)} == said
