"""What systemd is told of the service (sd_notify(3)): that it is ready, reloads, stops, and that it still lives.

Whoever started us and set `NOTIFY_SOCKET` is told, systemd or not.
"""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping
from contextlib import suppress

from regsync.clock import Clock
from regsync.events import Ready, Reloaded, Reloading, ReloadRefused, Stopping
from regsync.facts import Fact


class Systemd:
    """An observer that passes on what becomes of the service. The variables are taken out of the environment.

    What is started by us is not to speak for us.
    """

    def __init__(self, environ: MutableMapping[str, str], clock: Clock) -> None:
        self._clock = clock
        self._address = environ.pop("NOTIFY_SOCKET", "")
        self._patience = _patience(environ.pop("WATCHDOG_USEC", ""), environ.pop("WATCHDOG_PID", ""))

    def __call__(self, fact: Fact, /) -> None:
        """Pass on what a fact says of the service."""
        match fact.event:
            case Ready(entries=entries):
                self._send("READY=1", f"STATUS=Serving {entries} entries")
            case Reloading():
                self._send("RELOADING=1", f"MONOTONIC_USEC={int(self._clock.monotonic() * 1e6)}")
            case Reloaded(entries=entries):
                self._send("READY=1", f"STATUS=Serving {entries} entries, configuration of {fact.at:%F %TZ}")
            case ReloadRefused():
                self._send("READY=1", f"STATUS=Configuration of {fact.at:%F %TZ} refused, the one before is in force")
            case Stopping():
                self._send("STOPPING=1", "STATUS=Stopping")
            case _:
                return

    async def live(self) -> None:
        """Say that the event loop goes round, twice as often as is wanted, for as long as anybody wants to know."""
        while self._patience:
            self._send("WATCHDOG=1")
            await self._clock.sleep(self._patience / 2)

    def _send(self, *lines: str) -> None:
        if not self._address:
            return
        address = f"\0{self._address[1:]}" if self._address.startswith("@") else self._address  # an abstract one
        # Whoever does not listen, or not now, is not waited for.
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
            ours.settimeout(0)
            ours.sendto("\n".join(lines).encode(), address)


def _patience(microseconds: str, process: str) -> float:
    """Return after how many seconds without a word systemd takes us for dead; 0 if it does not look."""
    if not (microseconds.isascii() and microseconds.isdigit()) or process not in {"", str(os.getpid())}:
        return 0.0
    return int(microseconds) / 1e6
