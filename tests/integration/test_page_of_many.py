"""The page of ten thousand entries: it stays small, and others go on while it is made."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from regsync.facts import Telling
from regsync.keeping import kept
from regsync.loading import Source
from regsync.metrics.board import Board
from regsync.metrics.memory import Memory
from regsync.options import Serving
from regsync.pages.front import front
from regsync.pages.rates import Rates
from regsync.pages.scene import Scene, Sources
from regsync.pages.wanted import Wanted
from regsync.secrets import Secrets
from regsync.service import Service
from regsync.setup import Common, set_up
from tests.support.clock import FakeClock
from tests.support.html import Page
from tests.support.past import Lived, remember

MANY: Final = 10_000
LARGEST: Final = 300_000  # bytes
LONG: Final = "a-name-that-somebody-made-rather-long-to-say-where-it-is-used/"


def lines(count: int) -> list[str]:
    when = ("interval: 1h", "schedule: '*/10 * * * *'", "schedule: '30 3 * * 1-5'")
    return [
        f"- {{name: '{name(number)}', source: 'hub.example/{LONG}{number}', target: 'mirror.example/{LONG}{number}',"
        f" type: repository, {when[number % 3]}}}\n"
        for number in range(count)
    ]


def name(number: int) -> str:
    return f"{LONG}{number:05}"


async def at_once(call: Callable[[], Any]) -> Any:
    return call()


@asynccontextmanager
async def scene(folder: Path, *, count: int, lives: Sequence[Lived]) -> AsyncIterator[Scene]:
    """A daemon that has begun nothing yet, with a history of the entries that are shown first."""
    clock = FakeClock()
    (folder / "regsync.yml").write_text(f"sync:\n{''.join(lines(count))}")
    remember(folder / "state.db", lives, now=clock.now())
    source = Source(str(folder / "regsync.yml"), allow_unknown_keys=False)
    common = Common(clock, Telling([], clock), {}, Secrets())
    setup = await set_up(source.load(lambda _: None), common, at_once, lambda _: None)
    service = Service(setup, setup.plan(), common, Serving(1, watch=False), source=None)
    board = Board(clock.now() - timedelta(minutes=1))
    with kept(str(folder / "state.db"), common) as keeping:
        await Memory(service, board, keeping).recall()
        yield Scene(Sources(service, common, keeping, board, Rates()))


def history(*, failing: int) -> list[Lived]:
    """What became of the entries that are shown first."""
    return [Lived(name(number), f"mirror.example/{LONG}{number}", failing=number < failing) for number in range(120)]


async def shown(scene: Scene, wanted: Wanted) -> web.Response:
    return await scene.page("index.html", **await front(scene, wanted))


async def test_a_page_of_ten_thousand_entries_with_a_hundred_failures_is_small_and_leads_to_the_others(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, count=MANY, lives=history(failing=100)) as told:
        answer = await shown(told, Wanted())
        last = await shown(told, Wanted(page=200))
        some = await shown(told, Wanted("/0001", "overdue"))
    assert isinstance(answer.body, bytes)
    assert len(answer.body) <= LARGEST
    page = Page(answer.body.decode())
    page.assert_sound()
    assert page.by_id("shown").text == "1 to 50 of 10,000"
    assert page.by_id("failed").text.count("a-name-that-somebody") >= 100
    assert "/?page=2#entries" in page.links
    assert Page(str(last.text)).by_id("shown").text == "9,951 to 10,000 of 10,000"
    assert Page(str(some.text)).by_id("shown").text.endswith(" of 4")


async def test_an_entry_that_was_never_equal_counts_from_its_first_run_whichever_process_made_it(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, count=2, lives=[Lived(name(0), runs=9, failing=9)]) as told:
        how = (await told.survey((await told.directory()).entries.values())).how
    assert how == {name(0): "overdue", name(1): "new"}


async def test_others_have_their_turn_while_the_page_is_made(tmp_path: Path) -> None:
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with scene(tmp_path, count=MANY // 10, lives=history(failing=0)) as told:
        counting = asyncio.create_task(count())
        await shown(told, Wanted())
        counting.cancel()
    assert turns > MANY / 500
