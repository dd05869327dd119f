"""What nobody waits for is told on one line of the log, by the loop that every command runs on."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys

import pytest

from regsync import around
from regsync.events import Complained, Event

_ASTRAY = """
import asyncio, gc, sys
from regsync import app, cli

async def fail():
    raise ValueError("the password\\nis hunter2hunter2")

async def astray(*arguments, **options):
    asyncio.create_task(fail(), name="stray")
    await asyncio.sleep(0)
    gc.collect()
    return await work(*arguments, **options)

work, app.App.WORK = app.App.WORK, astray
sys.argv = ["regsync", *sys.argv[1:]]
cli.main()
"""


async def fail() -> None:
    raise ValueError("no good")


async def fail_at_the_end() -> None:
    try:
        await asyncio.sleep(3600)
    finally:
        raise OSError("not even the end")


def complaints_of(*, begun: bool) -> list[Event]:
    """What the loop tells of a task that nobody waits for, of which the loop sees the end or nobody does."""
    told: list[Event] = []

    async def whole() -> str:
        asyncio.get_running_loop().create_task(fail_at_the_end() if begun else fail(), name="stray")
        await asyncio.sleep(0)
        gc.collect()
        return "done"

    assert around.on_loop(whole(), told.append) == "done"
    gc.collect()
    return told


@pytest.mark.parametrize(
    ("begun", "kind", "message"),
    [
        (False, ValueError, "Task exception was never retrieved"),
        (True, OSError, "unhandled exception during asyncio.run() shutdown"),
    ],
)
def test_a_task_that_fails_where_nobody_waits_for_it_is_told(begun: bool, kind: type[Exception], message: str) -> None:
    (told,) = complaints_of(begun=begun)
    assert isinstance(told, Complained)
    assert (told.message, told.task, type(told.crash)) == (message, "stray", kind)


def test_what_is_complained_of_needs_neither_a_task_nor_an_error() -> None:
    told: list[Event] = []

    async def whole() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "Unclosed connector", "connector": object()})

    around.on_loop(whole(), told.append)
    assert told == [Complained("Unclosed connector")]


@pytest.mark.parametrize(("work", "command"), [("once", "once"), ("serve", "server")])
def test_a_command_says_that_on_one_line_without_what_is_secret(work: str, command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _ASTRAY.replace("WORK", work), command, "-c", "-"],
        input="version: 1\ncreds: [{registry: a.example, user: u, pass: hunter2hunter2}]\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    told, *other = done.stderr.splitlines()
    assert [line for line in other if "nothing to do" not in line and "Run finished" not in line] == []
    assert ' level=ERROR msg="The event loop complains" what="Task exception was never retrieved" task=stray' in told
    assert "\\nValueError: the password\\nis [censored]\\n" in told
