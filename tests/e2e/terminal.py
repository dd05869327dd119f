"""The program at a terminal: what it sends there is kept."""

from __future__ import annotations

import errno
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

from tests.e2e.program import surroundings
from tests.support.screen import COLUMNS, Screen

TERMINAL = {"TERM": "xterm-256color", "NO_COLOR": ""}


class AtTerminal:
    """The program with its standard error on a terminal of 24 lines, or all its streams if somebody `types`."""

    def __init__(
        self,
        *arguments: str,
        cwd: Path,
        environ: Mapping[str, str] = TERMINAL,
        columns: int = COLUMNS,
        types: bool = False,
    ) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.sent = ""
        known = surroundings({**TERMINAL, **environ})
        called = [sys.executable, "-m", "regsync", *arguments]  # asyncio, watched, would write between the lines
        other = slave if types else subprocess.DEVNULL
        self.process = subprocess.Popen(called, cwd=cwd, env=known, stdin=other, stdout=other, stderr=slave)
        os.close(slave)
        self._reading = Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        raw = b""
        try:
            while data := os.read(self._master, 65536):
                raw += data
                self.sent = raw.decode(errors="ignore")
        except OSError as error:  # how Linux says that nobody has the other end open any more
            assert error.errno == errno.EIO  # noqa: PT017

    def type(self, text: str) -> None:
        """Type a line."""
        os.write(self._master, f"{text}\n".encode())

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        try:
            code = self.process.wait(timeout=60)
        finally:
            self.process.kill()
        self._reading.join(10)
        os.close(self._master)
        return code

    def screen(self) -> tuple[int, Screen]:
        """Wait for its end, and return its exit code and what stands on the terminal then."""
        return self.ended(), Screen(self.sent)
