from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import pytest

from regsync.errors import HookFailed
from regsync.events import Event as Happened
from regsync.events import HookRan, ignore
from regsync.hooks.hook import Counts, Event, Outcome, Stage, Webhook
from regsync.hooks.runner import AT_ONCE, HookRunner
from regsync.secrets import Secrets
from tests.support.clock import FakeClock, settle
from tests.support.pages import blocks

EVENT = Event("post", "an entry", "a.x/app:v1", "b.x/app:v1", "failed", error="denied: canary-password")
HOOK = Webhook("http://hooks.example/", 30.0)


async def test_an_event_is_one_object_without_secrets() -> None:
    secrets = Secrets()
    secrets.keep("canary-password")
    at = datetime(2026, 1, 2, 3, 4, 5, 678900, UTC)
    assert json.loads(EVENT.document(at, secrets.clean)) == {
        "version": 1,
        "hook": "post",
        "time": "2026-01-02T03:04:05.678Z",
        "entry": "an entry",
        "source": "a.x/app:v1",
        "target": "b.x/app:v1",
        "outcome": "failed",
        "digestBefore": None,
        "digestAfter": None,
        "mediaType": None,
        "error": "denied: [censored]",
        "images": None,
    }


async def test_the_event_of_an_entry_counts_its_images() -> None:
    event = Event("entryPost", "an entry", "a.x/app", "b.x/app", "copied", images=Counts(copied=2, skipped=1))
    told = json.loads(event.document(datetime(2026, 1, 1, tzinfo=UTC), str))
    assert told["images"] == {"copied": 2, "unchanged": 0, "skipped": 1, "failed": 0}


async def test_only_so_many_hooks_run_at_once() -> None:
    running, most, go_on = 0, 0, asyncio.Event()

    async def post(url: str, body: bytes) -> tuple[int, float | None]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await go_on.wait()
        running -= 1
        return 200, None

    runner = HookRunner(post, clock=FakeClock(), environ={}, secrets=Secrets(), tell=ignore)
    hooks = [asyncio.ensure_future(runner(HOOK, EVENT)) for _ in range(3 * AT_ONCE)]
    await settle()
    assert most == AT_ONCE
    go_on.set()
    await asyncio.gather(*hooks)
    assert most == AT_ONCE


async def test_a_hook_that_did_what_it_was_to_do_is_told_of_with_its_time() -> None:
    clock, seen = FakeClock(), list[Happened]()

    async def post(url: str, body: bytes) -> tuple[int, float | None]:
        await clock.advance(1.5)
        return 200, None

    await HookRunner(post, clock=clock, environ={}, secrets=Secrets(), tell=seen.append)(HOOK, EVENT)
    assert seen == [HookRan("post", EVENT.source, EVENT.target, 1.5)]


async def test_a_failure_says_which_hook_it_was_and_how_often_it_was_tried() -> None:
    async def post(url: str, body: bytes) -> tuple[int, float | None]:
        return 500, None

    runner = HookRunner(post, clock=FakeClock(instant=True), environ={}, secrets=Secrets(), tell=ignore)
    with pytest.raises(HookFailed, match=r"^hook post: webhook at hooks\.example answered 500$") as failed:
        await runner(HOOK, EVENT)
    assert failed.value.attempts == 4


def test_the_event_is_what_its_page_says_it_is() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "hooks.md"
    example, schema = [json.loads(block.body) for block in blocks(page) if block.kind == "json"]
    event = json.loads(EVENT.document(datetime(2026, 1, 1, tzinfo=UTC), str))
    assert list(event) == list(example) == schema["required"] == list(schema["properties"])
    assert schema["properties"]["version"] == {"const": event["version"]}
    assert schema["properties"]["hook"]["enum"] == list(get_args(Stage))
    assert schema["properties"]["outcome"]["enum"] == list(get_args(Outcome))
    assert schema["properties"]["images"]["required"] == list(Counts.__slots__)
