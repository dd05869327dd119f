"""Running a program of the operator's: from an argument list, in a session of its own, for so long and no longer.

Not by asyncio, whose start can be cancelled half-way: it then kills the program and not its children, and may wait for
ever for one that keeps a pipe open.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import IO, Literal, cast

from regsync.aside import aside

_READ = 64 << 10  # bytes at a time
_REAP = 1.0  # seconds a killed program may take to be gone; it takes a millisecond

Hear = Callable[[asyncio.StreamReader], Awaitable[bytes]]


_ours: set[int] = set()  # programs that were started here, each waited for by whoever did


def reap_orphans() -> bool:
    """Let go of ended children that nobody waits for; say whether to look again soon.

    The first process of a container becomes the parent of whatever the programs of ours leave behind. An exit code
    that somebody waits for is not taken from them: the kernel is asked who has ended first, and to keep it.
    """
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid in _ours:
                return ended is not None
            os.waitpid(ended.si_pid, os.WNOHANG)
        except ChildProcessError:  # there are none, or none any more
            return False


async def run_program(
    command: Sequence[str],
    question: bytes,
    *,
    environ: Mapping[str, str],
    patience: float,
    listen: Literal["output", "errors"],
    hear: Hear,
) -> tuple[int, bytes]:
    """Run a program with this on its standard input; return its exit code and what `hear` made of one of its streams.

    It has ended when it has and everything that holds that stream. `TimeoutError`: not within `patience` seconds;
    `OSError`: it cannot be started. Whatever happens, nothing is left of a program that did not end by itself.
    """
    process = _start(command, question, environ, listen)
    try:
        async with asyncio.timeout(patience):
            heard = await _heard(process, hear)
            return await aside(process.wait), heard
    finally:
        if process.returncode is None:  # not waited for yet, so the number is still its own
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_REAP)
        _ours.discard(process.pid)


def _start(
    command: Sequence[str], question: bytes, environ: Mapping[str, str], listen: Literal["output", "errors"]
) -> subprocess.Popen[bytes]:
    pipe, nothing = subprocess.PIPE, subprocess.DEVNULL
    with _file_of(question) as file:
        process = subprocess.Popen(
            command,
            env=dict(environ),
            stdin=file,
            stdout=pipe if listen == "output" else nothing,
            stderr=pipe if listen == "errors" else nothing,
            start_new_session=True,
        )
    _ours.add(process.pid)  # nobody looks for orphans meanwhile: that is done by the same thread
    return process


def _file_of(question: bytes) -> IO[bytes]:
    """Return a file to read this from: a pipe would have to be written on while the program runs, or hold it all."""
    if sys.platform == "linux":
        file: IO[bytes] = os.fdopen(os.memfd_create("question"), "w+b")  # the file system may be read-only
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115  # the caller closes it
    file.write(question)
    file.seek(0)
    return file


async def _heard(process: subprocess.Popen[bytes], hear: Hear) -> bytes:
    """Listen to a program.

    Not by the loop's own pipes: uvloop closes their file twice, and in between it may be another one, of any thread.
    """
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    pipe = cast("IO[bytes]", process.stdout or process.stderr)
    number = pipe.fileno()
    os.set_blocking(number, False)

    def read() -> None:
        with suppress(BlockingIOError):
            chunk = os.read(number, _READ)
            if chunk:
                reader.feed_data(chunk)
            else:
                loop.remove_reader(number)
                reader.feed_eof()

    loop.add_reader(number, read)
    try:
        return await hear(reader)
    finally:
        loop.remove_reader(number)
        pipe.close()
