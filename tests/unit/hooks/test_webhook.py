from __future__ import annotations

import asyncio

import pytest

from regsync.errors import HookFailed, Refused, RegsyncError, Unavailable
from regsync.hooks.hook import Webhook
from regsync.hooks.webhook import call_webhook
from tests.support.clock import FakeClock

URL = "https://ann:hunter22@hooks.example/services/T0/secret?token=canary-canary"
EVENT = b'{"version": 1}\n'
Answer = tuple[int, float | None] | RegsyncError


class Poster:
    """Answers in turn, the last for ever."""

    def __init__(self, *answers: Answer | int) -> None:
        self.sent: list[tuple[str, bytes]] = []
        self._answers = [(one, None) if isinstance(one, int) else one for one in answers]

    async def __call__(self, url: str, body: bytes) -> tuple[int, float | None]:
        self.sent.append((url, body))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, RegsyncError):
            raise answer
        return answer


async def called(post: Poster, clock: FakeClock | None = None) -> None:
    await call_webhook(Webhook(URL, 30.0), EVENT, post, clock or FakeClock(instant=True))


@pytest.mark.parametrize("status", [200, 202, 204])
async def test_a_success_is_enough(status: int) -> None:
    post = Poster(status)
    await called(post)
    assert post.sent == [(URL, EVENT)]


@pytest.mark.parametrize("trouble", [500, 502, 503, Unavailable("hooks.example: connection refused")])
async def test_what_may_be_better_later_is_tried_again(trouble: Answer | int) -> None:
    post, clock = Poster(trouble, trouble, 200), FakeClock(instant=True)
    await called(post, clock)
    assert (len(post.sent), clock.slept) == (3, [1.0, 2.0])


async def test_trouble_that_stays_is_a_failure_after_four_tries() -> None:
    post = Poster(500)
    with pytest.raises(HookFailed, match=r"^webhook at hooks\.example answered 500$") as failed:
        await called(post)
    assert (len(post.sent), failed.value.attempts) == (4, 4)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (400, "answered 400$"),
        (404, "answered 404$"),
        (429, "answered 429$"),
        (302, "answered 302, a redirect, which is not followed$"),
        ((503, 600.0), "answered 503$"),
        (Refused("hooks.example: its TLS certificate is not trusted"), "its TLS certificate is not trusted$"),
    ],
)
async def test_what_will_not_be_better_soon_fails_at_once(answer: Answer | int, why: str) -> None:
    post = Poster(answer)
    with pytest.raises(HookFailed, match=why) as failed:
        await called(post)
    assert len(post.sent) == 1
    assert not any(secret in str(failed.value) for secret in ("ann", "hunter22", "secret", "canary"))


async def test_it_waits_as_long_as_it_is_asked_to() -> None:
    clock = FakeClock(instant=True)
    await called(Poster((503, 7.0), 200), clock)
    assert clock.slept == [7.0]


async def test_one_that_does_not_answer_is_given_up() -> None:
    async def post(url: str, body: bytes) -> tuple[int, float | None]:
        await asyncio.Event().wait()
        raise AssertionError

    with pytest.raises(HookFailed, match=r"webhook at hooks\.example did not answer within 10ms$"):
        await call_webhook(Webhook(URL, 0.01), EVENT, post, FakeClock())
