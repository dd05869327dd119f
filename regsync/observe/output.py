"""Where text leaves the process: a bounded queue that one thread writes, so whoever reads slowly holds nobody.

A reader that stops costs lines, never work: what finds no room is dropped and counted (for an urgent line, another one
is), and as soon as there is room again a line says how many are missing, where they are missing.

On a terminal, a region may stand below the lines. It is written by the same thread, so neither tears the other; of
those that a slow terminal does not keep up with, only the latest is drawn.
"""

from __future__ import annotations

import os
import select
from collections import deque
from collections.abc import Callable
from itertools import count
from threading import Condition, Thread

_LINES = 10_000
_BYTES = 8 << 20
_BATCH = 100  # lines
_IDLE = 1.0  # seconds without a line written after which a reader counts as gone
_Queued = tuple[int, bytes]


class Output:
    """Lines for a file descriptor. `lost` makes the line that says so many were dropped.

    The thread is there from the first line on. It is a daemon thread that holds no lock while it writes, so a pipe that
    is stuck does not keep the process from ending. The lock is reentrant: a signal's handler may put lines, too.
    """

    def __init__(self, descriptor: int, *, most_lines: int = _LINES, most_bytes: int = _BYTES) -> None:
        self.lost: Callable[[int], str] = "{} lines were dropped".format
        self._descriptor = descriptor
        self._most_lines = most_lines
        self._most_bytes = most_bytes
        self._changed = Condition()
        self._urgent: deque[_Queued] = deque()
        self._others: deque[_Queued] = deque()
        self._bytes = 0
        self._order = count()
        self._taken = 0  # lines that were queued to be written
        self._written = 0
        self._given_up: int | None = None  # how many lines were written when flushing was given up
        self._dropped = 0
        self._dropped_before = 0  # and told of
        self._writer: Thread | None = None
        self._region: bytes = b""
        self._drawn = b""  # what of it stands there now
        self._stale = False

    @property
    def dropped(self) -> int:
        """Return how many lines were dropped in all."""
        return self._dropped_before + self._dropped

    def put(self, line: str, *, urgent: bool = False) -> None:
        """Queue a line, or drop it; this never waits."""
        data = _encoded(line)
        with self._changed:
            self._start()
            if not self._room(len(data), urgent=urgent):
                self._dropped += 1
                return
            if self._dropped and not self._crowded:
                self._note_loss()
            self._append(data, urgent=urgent)

    def say(self, line: str) -> None:
        """Queue a line and wait for room while somebody reads: for what is said at the end."""
        with self._changed:
            if not self._room(len(_encoded(line)), urgent=False):
                self.flush()
            self.put(line, urgent=True)

    def show(self, region: str) -> None:
        """Show this below all lines, in place of what stands there; it ends in no line break. This never waits."""
        with self._changed:
            self._start()
            self._region = region.encode(errors="backslashreplace")
            if not self._stale:
                self._stale = True
                self._taken += 1  # so that flushing waits for it
            self._changed.notify_all()

    def flush(self, *, idle: float = _IDLE) -> bool:
        """Wait until everything is written; False when no line was for `idle` seconds, so that nobody seems to read."""
        with self._changed:
            while self._written < self._taken or self._dropped:
                before = self._written
                if before == self._given_up:
                    return False
                if not self._changed.wait_for(lambda: self._written != before, idle):  # noqa: B023  # called at once
                    self._given_up = before
                    return False
        return True

    @property
    def _crowded(self) -> bool:
        return self._bytes > self._most_bytes // 2 or self._waiting > self._most_lines // 2

    @property
    def _waiting(self) -> int:
        return len(self._urgent) + len(self._others)

    def _fits(self, size: int) -> bool:
        return self._waiting < self._most_lines and self._bytes + size <= self._most_bytes

    def _room(self, size: int, *, urgent: bool) -> bool:
        """Say whether there is room; for an urgent line it is made. What was begun to be dropped is, for a while."""
        if not urgent:
            return self._fits(size) and not (self._dropped and self._crowded)
        while not self._fits(size) and self._others:
            self._bytes -= len(self._others.pop()[1])
            self._taken -= 1
            self._dropped += 1
        return self._fits(size)

    def _append(self, data: bytes, *, urgent: bool) -> None:
        (self._urgent if urgent else self._others).append((next(self._order), data))
        self._bytes += len(data)
        self._taken += 1
        self._changed.notify_all()

    def _note_loss(self) -> None:
        missing, self._dropped = self._dropped, 0
        self._dropped_before += missing
        self._append(_encoded(self.lost(missing)), urgent=True)

    def _start(self) -> None:
        if self._writer is None:
            self._writer = Thread(target=self._write, name="output", daemon=True)
            self._writer.start()

    def _write(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._dropped or self._stale)
                if not self._waiting and self._dropped:
                    self._note_loss()
                data, taken = self._next()
            write_all(self._descriptor, data)
            with self._changed:
                self._written += taken
                self._changed.notify_all()

    def _next(self) -> tuple[bytes, int]:
        """Return what is to be written, and how many lines it counts for; below a region, a batch costs as a line."""
        taken, self._stale = int(self._stale), False
        lines: list[bytes] = []
        while self._waiting and len(lines) < (_BATCH if self._drawn or self._region else 1):
            lines.append(self._oldest().popleft()[1])
            self._bytes -= len(lines[-1])
        erased, self._drawn = _erased(self._drawn), self._region
        return b"".join((erased, *lines, self._drawn)), taken + len(lines)

    def _oldest(self) -> deque[_Queued]:
        if self._urgent and self._others:
            return min(self._urgent, self._others, key=lambda queue: queue[0][0])
        return self._urgent or self._others


def _erased(region: bytes) -> bytes:
    """Return what clears a terminal's lines from the region's last to its first, and leaves the cursor there."""
    return b"\r\x1b[2K" + b"\x1b[A\x1b[2K" * region.count(b"\n") if region else b""


def write_all(descriptor: int, data: bytes) -> None:
    """Write this; what cannot be written (a closed pipe, a full disk) is dropped."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:  # somebody we share the descriptor with has made it so
            ready = select.poll()
            ready.register(descriptor, select.POLLOUT)
            ready.poll()
        except OSError:
            return


def _encoded(line: str) -> bytes:
    return f"{line}\n".encode(errors="backslashreplace")
