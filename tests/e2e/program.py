"""The program as its users meet it: a process with a configuration file, two streams and an exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

from tests.support import warm

_WITHIN = 120.0  # seconds any one run may take before it counts as hung
_POLL = 0.02  # seconds
_FLAGS = ("-X", "dev", "-W", "error")
T = TypeVar("T")


def wait_for(condition: Callable[[], T], *, within: float) -> T:
    """Return the first true answer; a process tells nobody how far it is, so it has to be asked again and again."""
    give_up = time.monotonic() + within
    while not (answer := condition()):
        assert time.monotonic() < give_up, f"not so within {within:g} s: {condition}"
        time.sleep(_POLL)
    return answer


@dataclass(frozen=True, slots=True)
class Ended:
    """What a run left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The log, of a run with `--logopt json`."""
        return log_lines(self.err)

    @property
    def plain(self) -> list[str]:
        """What it said besides the log; what asyncio, watched as it is here, says of a slow machine is left out."""
        return [line for line in self.err.splitlines() if not line.startswith(("{", "time=", "Executing <"))]

    @property
    def figures(self) -> dict[str, Any]:
        """The fields of the last line of the log."""
        (line,) = [line for line in self.lines if line["msg"] == "Run finished"]
        return line


def log_lines(log: str) -> list[dict[str, Any]]:
    """Return the lines of a log in JSON; one that is still being written is not there yet."""
    return [json.loads(line) for line in log.splitlines(keepends=True) if line.startswith("{") and line.endswith("}\n")]


def command(*arguments: str) -> list[str]:
    """Return the command line of the program under test."""
    return [sys.executable, *_FLAGS, "-m", "regsync", *arguments]


def surroundings(environ: Mapping[str, str] | None) -> dict[str, str]:
    """Return the environment of a run."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **(environ or {})}


def regsync(*arguments: str, cwd: Path, environ: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
    """Run the program to its end, without the time its imports take."""
    done = warm.run(*arguments, cwd=cwd, environ=surroundings(environ), flags=_FLAGS, stdin=stdin, within=_WITHIN)
    return Ended(done.returncode, done.stdout, done.stderr)


def started_anew(*arguments: str, cwd: Path, environ: Mapping[str, str] | None = None, stdin: str = "") -> Ended:
    """Run the program to its end by its own command line."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=surroundings(environ),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=_WITHIN,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def once(config: str, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None) -> Ended:
    """Write the configuration to a file and run `once` with it."""
    cwd.mkdir(parents=True, exist_ok=True)
    (cwd / "regsync.yml").write_text(config)
    return regsync("once", "-c", "regsync.yml", "--logopt", "json", *arguments, cwd=cwd, environ=environ)


class Started:
    """A run that goes on beside the test; leaving the block ends it the hard way if nothing else has.

    It is forked, unless it is to be started `anew` because something is to happen before there is a program.
    """

    def __init__(
        self, *arguments: str, cwd: Path, environ: Mapping[str, str] | None = None, anew: bool = False
    ) -> None:
        cwd.mkdir(parents=True, exist_ok=True)
        self._log = (cwd / "regsync.log").open("wb+")
        known = surroundings(environ)
        with Path(os.devnull).open("rb+") as null:
            files = (null, null, self._log)
            self.process: subprocess.Popen[bytes] | warm.Forked
            if anew:
                self.process = subprocess.Popen(command(*arguments), 0, None, *files, cwd=cwd, env=known)
            else:
                self.process = warm.start(*arguments, cwd=cwd, environ=known, flags=_FLAGS, files=files)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self._log.close()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended already."""
        if self.process.poll() is None:
            self.process.send_signal(number)

    def ended(self) -> Ended:
        """Wait for its end."""
        code = self.process.wait(timeout=_WITHIN)
        return Ended(code, "", self.log())

    def log(self) -> str:
        """What it has written to standard error so far."""
        return Path(self._log.name).read_text(errors="replace")


def creds(*hosts: str, extra: Sequence[str] = ()) -> str:
    """Return a `creds` section that reaches these registries without TLS."""
    lines = ["creds:"]
    for host in hosts:
        lines += [f"- registry: {host}", "  tls: disabled", *(f"  {line}" for line in extra)]
    return "\n".join(lines) + "\n"
