"""How an object gets to a webhook, and what is said when it does not."""

from __future__ import annotations

import asyncio

import pytest

from regsync.errors import NotNotified, Refused, Unavailable
from regsync.notify import webhook
from regsync.notify.webhook import call
from tests.support.clock import FakeClock
from tests.unit.hooks.test_webhook import URL, Answer, Poster


async def called(post: Poster, clock: FakeClock | None = None) -> None:
    await call(URL, b"{}", post, clock or FakeClock(instant=True))


async def test_a_success_is_enough() -> None:
    post = Poster(204)
    await called(post)
    assert post.sent == [(URL, b"{}")]


@pytest.mark.parametrize("trouble", [500, 503, 429, Unavailable("hooks.example: connection refused")])
async def test_what_may_be_better_later_is_tried_twice_more(trouble: Answer | int) -> None:
    post, clock = Poster(trouble, trouble, 200), FakeClock(instant=True)
    await called(post, clock)
    assert (len(post.sent), clock.slept) == (3, [1.0, 4.0])


async def test_whoever_asks_to_be_left_alone_for_up_to_a_minute_is() -> None:
    post, clock = Poster((429, 60.0), (503, 0.5), 200), FakeClock(instant=True)
    await called(post, clock)
    assert clock.slept == [60.0, 4.0]


@pytest.mark.parametrize(
    ("answer", "tries", "why"),
    [
        (500, 3, "answered 500"),
        (Unavailable("hooks.example: connection refused"), 3, "hooks.example: connection refused"),
        ((429, 61.0), 1, "answered 429"),
        (400, 1, "answered 400"),
        (302, 1, "answered 302, a redirect, which is not followed"),
        (Refused("its TLS certificate is not trusted"), 1, "its TLS certificate is not trusted"),
    ],
)
async def test_what_stays_is_told_without_the_url(answer: Answer | int, tries: int, why: str) -> None:
    post = Poster(answer)
    with pytest.raises(NotNotified) as failed:
        await called(post)
    assert (len(post.sent), str(failed.value)) == (tries, why)


async def test_a_receiver_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def post(url: str, body: bytes) -> tuple[int, float | None]:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(webhook, "_PATIENCE", 0.0)
    with pytest.raises(NotNotified, match="did not answer within 0 s"):
        await call(URL, b"{}", post, FakeClock(instant=True))
