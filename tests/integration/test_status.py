"""`status` of a server that runs, and of what else may answer where one should."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from regsync.asking import Server
from regsync.errors import ConfigError, Malformed
from regsync.record.objects import stamp
from regsync.status import Fresh, status_at, status_document, status_of, status_table
from tests.integration.test_api import Asked
from tests.integration.test_reload import HOUR
from tests.support.real import free_port

ENTRY: Final[dict[str, Any]] = {
    "name": "a", "source": "a.x/a", "target": "b.x/a", "type": "image", "outcome": None, "succeeded": None,
    "equal": None, "due": None, "paused": False, "overdue": False,
}  # fmt: skip


@pytest.fixture
def life(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


@asynccontextmanager
async def answering(answer: bytes) -> AsyncIterator[str]:
    """Somebody who answers everybody with these bytes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def said(body: object, status: str = "200 OK") -> bytes:
    text = body if isinstance(body, str) else json.dumps(body)
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(text.encode())}\r\n\r\n{text}".encode()


async def aside(call: Callable[[], list[Fresh]]) -> list[Fresh]:
    return await asyncio.to_thread(call)


async def test_it_says_of_a_server_that_runs_what_its_api_does(life: Asked) -> None:
    names = [f"e{number:04}" for number in range(3)]
    async with life.answering(*map(life.entry, names), life.failing("f"), visits=2):
        found = await aside(lambda: status_at(f"unix:{life.folder}/socket"))
        entries = {one["name"]: one for one in (await life.get("/entries"))["entries"]}
    assert [one.name for one in found] == [*names, "f"]
    document = json.loads(status_document(found, str))["entries"]
    assert document == [{key: entries[one["name"]][key] for key in one} for one in document]
    first = status_table(found, now=life.clock.now()).splitlines()[1]
    assert " ".join(first.split()) == "e0000 unchanged 0.0 s ago 0.0 s ago in 1 h 0 min"


async def test_an_entry_that_is_paused_is_said_to_be(life: Asked) -> None:
    async with life.answering(life.entry("a"), visits=1) as service:
        await service.control.pause("a")
        found = await aside(lambda: status_at(f"unix:{life.folder}/socket"))
    assert [one.paused for one in found] == [True]
    assert status_table(found, now=life.clock.now()).split()[-1] == "paused"


async def test_all_pages_are_asked_for(monkeypatch: pytest.MonkeyPatch, life: Asked) -> None:
    monkeypatch.setattr("regsync.asking._PAGE", 2)
    names = [f"e{number}" for number in range(5)]
    async with life.answering(*map(life.entry, names), visits=1):
        found = await aside(lambda: status_at(f"unix:{life.folder}/socket"))
    assert [one.name for one in found] == names


async def test_the_server_of_a_configuration_is_asked_before_its_state_file(life: Asked) -> None:
    told: list[str] = []
    async with life.answering(life.entry("a"), visits=1) as service:
        loaded, now = service.setup.loaded, life.clock.now()
        (found,) = await aside(lambda: status_of(loaded, now=now, say=told.append))
    assert (found.name, stamp(found.due), told) == ("a", stamp(now.replace(hour=now.hour + int(HOUR // 3600))), [])


STRANGE: Final = [
    (said("<html>"), "is no server of this regsync"),
    (said("<html>", "404 Not Found"), "is no server of this regsync (it says 404)"),
    (said("", "302 Found"), "is no server of this regsync (it says 302)"),
    (said([]), "is no server of this regsync"),
    (said({"entries": 1}), "is no server of this regsync"),
    (said({"entries": [1], "next": None}), "is no server of this regsync"),
    (said({"entries": [], "next": 1}), "is no server of this regsync"),
    (said({"entries": [], "next": "x"}), "is no server of this regsync"),
    (said("[" * 100_000), "is no server of this regsync"),
    (b"SSH-2.0-OpenSSH_9.2\r\n", "is no server of this regsync"),
    (b"", "is no server of this regsync"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", "is no server of this regsync"),
    (said({"entries": [{}], "next": None}), "is of another version than this regsync"),
    (said({"entries": [{**ENTRY, "due": 3}], "next": None}), "is of another version than this regsync"),
    (said({"entries": [{**ENTRY, "name": 3}], "next": None}), "is of another version than this regsync"),
    (said({"entries": [{**ENTRY, "equal": "2026-01-01"}], "next": None}), "is of another version than this regsync"),
    (said({"error": "not known\x1b by this name"}, "421 Misdirected Request"), "answers 421: not known\\x1b by this"),
    (said({"error": "the history of runs cannot be read"}, "503 No"), "answers 503: the history of runs"),
]


@pytest.mark.parametrize(("answer", "why"), STRANGE)
async def test_what_is_no_answer_of_ours_is_one_clear_error(answer: bytes, why: str) -> None:
    async with answering(answer) as place:
        with pytest.raises(ConfigError) as refused:
            await aside(lambda: status_at(place))
    (problem,) = refused.value.problems
    assert why in problem
    assert place in problem


async def test_control_characters_of_a_server_are_not_shown() -> None:
    async with answering(said({"entries": [{**ENTRY, "name": "a\x1b[31m"}], "next": None})) as place:
        (found,) = await aside(lambda: status_at(f"http://{place}/"))
    assert found.name == "a\\x1b[31m"


async def test_a_server_behind_a_path_is_asked_below_it() -> None:
    asked = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait(await reader.readuntil(b"\r\n\r\n"))
        writer.write(said({"entries": [], "next": None}))
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert await aside(lambda: status_at(f"http://127.0.0.1:{port}/mirror/")) == []
    assert (await asked.get()).startswith(b"GET /mirror/api/v1/entries?limit=1000&after= HTTP/1.1\r\n")


@pytest.mark.parametrize("place", ["127.0.0.1:{port}", "unix:/nowhere/s", "http://127.0.0.1:{port}"])
def test_where_nobody_listens_one_line_says_so(place: str) -> None:
    place = place.format(port=free_port())
    with pytest.raises(ConfigError, match=r"status: nobody answers at .*(refused|No such file)"):
        status_at(place)


@pytest.mark.parametrize(
    "place", ["", "nowhere", "a:b", "unix:s", "http://", "http://a:b", "http://ann:secret@a", "http://a/?b", "ftp://a"]
)
def test_what_is_no_place_is_refused(place: str) -> None:
    with pytest.raises(Malformed):
        Server(place)
