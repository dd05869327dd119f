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
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import Any, Final, TextIO

_ROOT: Final = Path(__file__).parents[2]
_LONGEST: Final = 1 << 20  # bytes of a request: arguments and an environment
_starting: Final = Lock()


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

    def run(self, asked: Mapping[str, Any], files: Sequence[TextIO], *, within: float) -> int:
        """Run the program with these as its standard streams and return its exit code; in time, or it is killed."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            descriptors = [*(file.fileno() for file in files), theirs.fileno()]
            socket.send_fds(self._asking, [json.dumps(asked).encode()], descriptors)
            theirs.close()
            process = int(ours.recv(_LONGEST))
            ours.settimeout(within)
            try:
                return int(ours.recv(_LONGEST))
            except TimeoutError:
                os.kill(process, signal.SIGKILL)
                raise


@functools.cache
def _nursery(flags: Sequence[str]) -> Nursery:
    return Nursery(flags)


def run(
    *arguments: str,
    cwd: Path,
    environ: Mapping[str, str],
    flags: Sequence[str] = (),
    stdin: str = "",
    within: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Run regsync to its end under an interpreter started with these flags; `environ` is all it knows of."""
    with _starting:
        nursery = _nursery(tuple(flags))
    with TemporaryFile("w+") as given, TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        given.write(stdin)
        given.seek(0)
        asked = {"arguments": arguments, "cwd": str(cwd), "environ": dict(environ)}
        code = nursery.run(asked, (given, out, err), within=within)
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
            teller.send(str(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])).encode())
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
