"""Lists of hostile registries: what is held of them is bounded, and so is how long they are listened to."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable

import pytest

from regsync.errors import Malformed, Refused, RegsyncError, Unsupported
from regsync.registry.content import listing
from tests.unit.registry.content.lab import Lab, lab
from tests.unit.registry.raw import Asked, RawServer, Step, says

JSON = ("Content-Type", "application/json")
MIB = 1 << 20


def page(*tags: object, following: str = "") -> Step:
    links = (("Link", f'<{following}>; rel="next"'),) if following else ()
    return says(200, json.dumps({"name": "app", "tags": tags}).encode(), JSON, *links)


def endless(tags: Callable[[int], tuple[object, ...]]) -> Callable[[Asked], Step]:
    """Pages that do not end: the nth of these tags."""
    numbers = iter(range(1, 1_000_000))

    def answer(_: Asked) -> Step:
        number = next(numbers)
        return page(*tags(number), following=f"/v2/app/tags/list?last={number}")

    return answer


async def tags_of(at: Lab) -> list[str]:
    return [tag async for tag in at.repository().tags()]


async def test_what_can_be_no_tag_is_not_held() -> None:
    def answer(asked: Asked) -> Step:
        number = int(asked.target.partition("last=")[2] or 0)
        following = f"/v2/app/tags/list?last={number + 1}" if number < 20 else ""
        return page(f"{number:06d}" * MIB, f"v{number}", following=following)

    async with RawServer(answer) as server, lab(server.host) as at:
        tracemalloc.start()
        try:
            assert len(await tags_of(at)) == 21
            held, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert held < 10 * MIB
    assert peak < 80 * MIB  # a page is 6 MiB, and the server's copies of it count, too


@pytest.mark.parametrize("tags", [(), ("../x",), ("x" * 129,)])
async def test_pages_without_a_usable_name_are_not_asked_for_without_end(tags: tuple[object, ...]) -> None:
    async with RawServer(endless(lambda _: tags)) as server, lab(server.host) as at:
        with pytest.raises(Unsupported, match="100 in a row had no usable name"):
            await tags_of(at)
    assert len(server.asked) == 100


async def test_a_usable_name_now_and_then_keeps_a_listing_alive() -> None:
    def answer(asked: Asked) -> Step:
        number = int(asked.target.partition("last=")[2] or 0)
        tags = (f"v{number}",) if number % 90 == 0 else ("../x",)
        return page(*tags, following=f"/v2/app/tags/list?last={number + 1}" if number < 200 else "")

    async with RawServer(answer) as server, lab(server.host) as at:
        assert await tags_of(at) == ["v0", "v90", "v180"]


async def test_names_are_held_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_MOST_TEXT", 100_000)

    def tags(number: int) -> tuple[object, ...]:
        return tuple(f"{number}-{each}-{'x' * 100}" for each in range(100))

    async with RawServer(endless(tags)) as server, lab(server.host) as at:
        with pytest.raises(Unsupported, match="more names than can be held"):
            await tags_of(at)
    assert len(server.asked) < 12


@pytest.mark.parametrize("tail", ["\\ud83d\\ude00", "😀", "\\u0100"])
async def test_a_long_page_of_other_text_than_names_is_refused_before_it_grows_in_memory(tail: str) -> None:
    body = f'{{"tags": ["{"x" * (5 * MIB)}{tail}"]}}'.encode()
    async with RawServer(lambda _: says(200, body, JSON)) as server, lab(server.host) as at:
        with pytest.raises(Unsupported, match="not plain text"):
            await tags_of(at)
    assert len(server.asked) == 1


async def test_a_catalogue_goes_on_after_an_item_that_can_be_no_repository() -> None:
    pages = {"": ["one", "Not/A/Repository"], "Not%2FA%2FRepository": ["two", "\ud800"], "%3F": ["three"]}

    def answer(asked: Asked) -> Step:
        found = pages.get(asked.target.partition("last=")[2], [])
        return says(200, json.dumps({"repositories": found}).encode(), JSON)

    async with RawServer(answer) as server, lab(server.host) as at:
        assert [each async for each in at.registries.catalogue(server.host)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "link",
    ["http://[/v2/app/tags/list", "//[/x", "http://a]b/", "http://h:99999999/", "http://h:x/", "ftp://h/", "http://"],
)
async def test_a_next_page_that_is_no_url_fails_this_listing_and_names_the_host(link: str) -> None:
    async with RawServer(lambda _: page("v1", following=link)) as server, lab(server.host) as at:
        with pytest.raises((Refused, Malformed)) as caught:
            await tags_of(at)
    assert isinstance(caught.value, RegsyncError)
    assert "127.0.0.1" in str(caught.value)
