from __future__ import annotations

import asyncio
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
import uvloop

from regsync.program import run_program
from tests.support.clock import settle

ENVIRON = {"PATH": "/usr/bin:/bin"}


async def said_by(script: str, question: bytes = b"", *, patience: float = 30.0) -> tuple[int, bytes]:
    """What a shell script says on its standard error."""
    command = ("sh", "-c", script)
    return await run_program(
        command, question, environ=ENVIRON, patience=patience, listen="errors", hear=asyncio.StreamReader.read
    )


async def test_a_program_reads_its_question_and_ends_with_its_own_code() -> None:
    assert await said_by("cat >&2; echo unheard; exit 3", b"what is asked") == (3, b"what is asked")


async def test_a_question_longer_than_a_pipe_that_nobody_reads_holds_nobody_up() -> None:
    assert await said_by("exit 0", b"x" * (4 << 20)) == (0, b"")


async def test_a_program_that_closes_what_is_listened_to_and_stays_leaves_the_threads_of_the_loop_to_others(
    tmp_path: Path,
) -> None:
    loop, closed = asyncio.get_running_loop(), tmp_path / "closed"
    loop.set_default_executor(ThreadPoolExecutor(1))
    os.mkfifo(closed)
    staying = asyncio.ensure_future(said_by(f"exec 2>&-; echo > '{closed}'; exec sleep 600"))
    with ThreadPoolExecutor(1) as another:
        await loop.run_in_executor(another, closed.read_text)
    await settle()
    async with asyncio.timeout(60):
        await asyncio.to_thread(os.getpid)
    staying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await staying


async def test_a_program_finds_nothing_in_its_environment_but_what_it_is_given(tmp_path: Path) -> None:
    _, said = await said_by(f"env >&2; touch '{tmp_path}/ran'")
    names = {line.partition(b"=")[0] for line in said.splitlines()}
    assert names <= {b"PATH", b"PWD", b"SHLVL", b"_"}
    assert (tmp_path / "ran").exists()


class Watched(io.FileIO):
    """A file that notes it when somebody else has closed its number, which may be another file's by then."""

    lost: ClassVar[list[int]] = []

    def close(self) -> None:
        if not self.closed:
            try:
                os.fstat(self.fileno())
            except OSError:
                self.lost.append(self.fileno())
        super().close()


@pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_no_file_is_closed_twice_whatever_the_loop(
    new_loop: Callable[[], asyncio.AbstractEventLoop], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = io.open

    def watching(file: Any, mode: str = "r", *arguments: Any, **named: Any) -> Any:
        pipe = isinstance(file, int) and mode == "rb"
        return io.BufferedReader(Watched(file)) if pipe else opened(file, mode, *arguments, **named)

    monkeypatch.setattr(io, "open", watching)
    Watched.lost.clear()
    with asyncio.Runner(loop_factory=new_loop) as runner:
        assert runner.run(said_by("echo heard >&2")) == (0, b"heard\n")
    assert Watched.lost == []
