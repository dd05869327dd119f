from __future__ import annotations

import asyncio

import pytest

from regsync.errors import NotFound, Unavailable
from regsync.transfer.together import Group, together
from tests.support.clock import settle


async def forever(ended: list[str], name: str, *, cleaning: asyncio.Event | None = None) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        if cleaning is not None:
            await cleaning.wait()
        ended.append(name)


async def failing(error: BaseException) -> None:
    raise error


async def test_nothing_to_do_is_done() -> None:
    await together([])


async def test_the_first_failure_itself_is_raised_and_the_rest_has_ended() -> None:
    ended: list[str] = []
    error = NotFound("gone")
    error.__cause__ = ValueError("why")
    with pytest.raises(NotFound) as caught:
        await together([forever(ended, "one"), failing(error), forever(ended, "two")])
    assert caught.value is error
    assert isinstance(error.__cause__, ValueError)
    assert sorted(ended) == ["one", "two"]


async def test_a_bug_comes_before_what_was_to_be_expected() -> None:
    with pytest.raises(KeyError):
        await together([failing(Unavailable("no")), failing(KeyError("bug"))])


async def test_a_cancellation_ends_all_and_goes_on() -> None:
    ended: list[str] = []
    task = asyncio.create_task(together([forever(ended, "one"), forever(ended, "two")]))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == ["one", "two"]


async def test_a_cancellation_during_a_failure_is_not_swallowed() -> None:
    ended: list[str] = []
    cleaning = asyncio.Event()
    task = asyncio.create_task(together([forever(ended, "one", cleaning=cleaning), failing(NotFound("gone"))]))
    await settle()
    task.cancel()
    await settle()
    assert not ended, "the second cancellation broke into the clean-up"
    cleaning.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended == ["one"]


async def test_what_is_started_meanwhile_is_waited_for_too() -> None:
    done: list[str] = []
    group = Group()

    async def later() -> None:
        await asyncio.sleep(0)
        done.append("later")

    async def starter() -> None:
        await asyncio.sleep(0)
        group.start(later())

    group.start(starter())
    await group.joined()
    assert done == ["later"]


async def cancelled_from_within() -> None:
    raise asyncio.CancelledError


async def test_a_task_that_ends_as_cancelled_by_itself_is_no_success() -> None:
    ended: list[str] = []
    with pytest.raises(RuntimeError, match="from within"):
        await together([forever(ended, "one"), cancelled_from_within()])
    assert ended == ["one"]
