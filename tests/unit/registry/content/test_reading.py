"""Answers of hostile length: what may be in them is bounded, and the loop goes on while they are read."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from regsync.errors import IntegrityError, RegsyncError, Unsupported
from regsync.registry.content.listing import Listing
from regsync.registry.content.reading import ask, json_object
from regsync.registry.http.message import Answer, Headers
from regsync.registry.http.transport import Request
from tests.unit.registry.raw import RawServer, says
from tests.unit.registry.speaking import speaking

REQUEST = Request("GET", "/v2/app/tags/list", cap=32 << 20, what="tags of app")


def answer(body: bytes, kind: str = "application/json") -> Answer:
    return Answer(200, Headers([("content-type", kind)]), "http://a.example/", body)


def listing(*items: str, of: int) -> bytes:
    return f'{{"tags":[{",".join(items * of)}]}}'.encode()


@pytest.mark.parametrize("length", [10, 1 << 20])
async def test_a_long_answer_is_read_in_a_thread_and_a_short_one_at_once(length: int) -> None:
    def read(_: Answer) -> int:
        return threading.get_ident()

    async with (
        RawServer(lambda _: says(200, b" " * length)) as server,
        speaking(server.host) as spoken,
    ):
        reader = await ask(spoken.transport, REQUEST, read=read, clock=spoken.clock)
    assert (reader == threading.get_ident()) is (length < 1 << 16)


@pytest.mark.parametrize("length", [10, 1 << 20])
async def test_an_answer_that_means_nothing_is_asked_for_three_times_whatever_its_length(length: int) -> None:
    def read(_: Answer) -> None:
        raise IntegrityError("nothing")

    async with (
        RawServer(lambda _: says(200, b" " * length)) as server,
        speaking(server.host) as spoken,
    ):
        with pytest.raises(IntegrityError, match="nothing"):
            await ask(spoken.transport, REQUEST, read=read, clock=spoken.clock)
        assert len(server.asked) == 3


async def test_a_page_of_too_many_items_is_given_up_at_once() -> None:
    def read(given: Answer) -> dict[str, object]:
        return json_object(given, "tags of app")

    page = listing("{}", of=2_000_000)
    async with (
        RawServer(lambda _: says(200, page, ("Content-Type", "application/json"))) as server,
        speaking(server.host) as spoken,
    ):
        with pytest.raises(Unsupported, match="tags of app: it has more than 320,000 keys and values"):
            await ask(spoken.transport, REQUEST, read=read, clock=spoken.clock)
        assert len(server.asked) == 1


async def test_the_loop_turns_while_the_names_of_a_long_page_are_gone_through() -> None:
    page = json.dumps({"tags": [f"v{number}" for number in range(300_000)]}).encode()
    turns, seen = 0, list[int]()

    async def turn() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with (
        RawServer(lambda _: says(200, page, ("Content-Type", "application/json"))) as server,
        speaking(server.host) as spoken,
    ):
        turning = asyncio.create_task(turn())
        async for _ in Listing("/v2/app/tags/list", "tags", (), "tags of app").read(
            spoken.transport, clock=spoken.clock
        ):
            seen.append(turns)
        turning.cancel()
    assert len(seen) == 300_000
    assert len(set(seen)) >= 60  # at most 5,000 names in one turn


def test_a_page_of_very_many_tags_is_read() -> None:
    assert len(json_object(answer(listing('"v1.0,[{:"', of=300_000)), "tags")["tags"]) == 300_000


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"a":', b"\xff{}", '{"a":1}'.encode("utf-16"), b"[" * 100_000, b'{"a":' * 50_000],
)
def test_what_is_no_object_in_utf_8_means_nothing(body: bytes) -> None:
    with pytest.raises(IntegrityError):
        json_object(answer(body), "tags")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "", "application/vnd.a+json"])
def test_json_is_read_under_every_name_it_has_and_with_a_mark_of_its_encoding(kind: str) -> None:
    assert json_object(answer(b'\xef\xbb\xbf{"a": 1}', kind), "tags") == {"a": 1}


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"login": "/sso"}'])
def test_a_page_of_html_means_nothing(body: bytes) -> None:
    with pytest.raises(RegsyncError, match="came as text/html, not as JSON"):
        json_object(answer(body, "text/html"), "tags")


@pytest.mark.parametrize("kind", ["application/octet-stream", "binary/octet-stream", "text/html", "text/json"])
def test_what_lists_something_is_read_under_any_name(kind: str) -> None:
    assert json_object(answer(b'{"tags": ["a"]}', kind), "tags") == {"tags": ["a"]}
