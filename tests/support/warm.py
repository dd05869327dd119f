"""Runs of regsync that cost no imports: a process that has done them forks for each.

What is forked is a process like any other, with files, an environment and an exit code of its own, that runs `main` to
the end of the interpreter; only what lies before `main` happened once for all. Most of a short run is that.
"""

from __future__ import annotations

import atexit
import functools
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any, Final

_ROOT: Final = Path(__file__).parents[2]
_LONGEST: Final = 1 << 20  # bytes of a request: arguments and an environment
_starting: Final = Lock()


class Forked:
    """A forked run, and what `subprocess.Popen` has to offer for one."""

    def __init__(self, teller: socket.socket, arguments: Sequence[str]) -> None:
        self.returncode: int | None = None
        self.pid = int(teller.recv(_LONGEST))
        self._teller = teller
        self._arguments = arguments

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code, or minus the signal, when it has ended."""
        if self.returncode is None:
            self._teller.settimeout(timeout if timeout is None else max(timeout, 0))
            try:
                self.returncode = int(self._teller.recv(_LONGEST))
            except (BlockingIOError, TimeoutError) as error:
                raise subprocess.TimeoutExpired(self._arguments, timeout or 0) from error
            self._teller.close()
        return self.returncode

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def send_signal(self, number: signal.Signals) -> None:
        if self.poll() is None:  # and until that was heard, nobody else has its number
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Nursery:
    """The process that forks, and the way to ask it; it ends when nobody can ask any more."""

    def __init__(self, flags: Sequence[str]) -> None:
        self._asking, answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with answering:
            self._process = subprocess.Popen(
                [sys.executable, *flags, "-m", "tests.support.warm", str(answering.fileno())],
                cwd=_ROOT,
                env={**os.environ, "PYDANTIC_DISABLE_PLUGINS": "__all__"},  # as `regsync.cli` has it
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[answering.fileno()],
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._asking.close()
        self._process.wait()

    def fork(self, asked: Mapping[str, Any], files: Sequence[IO[Any]]) -> Forked:
        """Start the program with these as its standard streams."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            descriptors = [*(file.fileno() for file in files), theirs.fileno()]
            socket.send_fds(self._asking, [json.dumps(asked).encode()], descriptors)
        return Forked(ours, asked["arguments"])


@functools.cache
def _nursery(flags: Sequence[str]) -> Nursery:
    return Nursery(flags)


def start(
    *arguments: str, cwd: Path, environ: Mapping[str, str], flags: Sequence[str] = (), files: Sequence[IO[Any]]
) -> Forked:
    """Start regsync under an interpreter with these flags; `environ` is all it knows of, `files` its three streams."""
    with _starting:
        nursery = _nursery(tuple(flags))
    return nursery.fork({"arguments": arguments, "cwd": str(cwd), "environ": dict(environ)}, files)


def run(
    *arguments: str,
    cwd: Path,
    environ: Mapping[str, str],
    flags: Sequence[str] = (),
    stdin: str = "",
    within: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Start regsync and wait for its end; one that does not come to it in time, in seconds, is killed."""
    with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        given.write(stdin)
        given.seek(0)
        forked = start(*arguments, cwd=cwd, environ=environ, flags=flags, files=(given, out, err))
        try:
            code = forked.wait(within)
        finally:
            forked.kill()
            forked.wait()
        for said in (out, err):
            said.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def _await_birth(asking: socket.socket) -> None:
    """Fork for whoever asks, and for itself again, which tells how it ends; return in what is to be the program."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # of those who tell there is nothing to be told
    while True:
        asked, files, _, _ = socket.recv_fds(asking, _LONGEST, 4)
        if not asked:
            os._exit(0)
        if os.fork() == 0:
            break
        for file in files:
            os.close(file)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    asking.close()
    with socket.socket(fileno=files.pop()) as teller:
        if (process := os.fork()) != 0:
            teller.send(str(process).encode())
            ended = os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
            if ended is not None:
                code = ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
                teller.send(str(code).encode())
            teller.recv(1)  # nothing, as soon as it was heard
            os.waitpid(process, 0)
            os._exit(0)
    _become(json.loads(asked), files)


def _become(asked: Mapping[str, Any], files: Sequence[int]) -> None:
    """Take over these files as standard streams, and what a process is started with."""
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    os.chdir(asked["cwd"])
    os.environ.clear()
    os.environ.update(asked["environ"])
    time.tzset()
    sys.argv = ["regsync", *asked["arguments"]]


if __name__ == "__main__":
    gc.disable()
    import regsync.layout.repository
    import regsync.process  # noqa: F401  # both are imported by `main` when it knows that it needs them
    from regsync.cli import main

    _await_birth(socket.socket(fileno=int(sys.argv[1])))
    main()
