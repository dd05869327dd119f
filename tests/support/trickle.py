"""A line that lets so many bytes a second through, so that what goes over it can be looked at while it does."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from threading import Thread
from types import TracebackType
from typing import Self

_CHUNK = 16 << 10


class Trickle:
    """Forwards a port of its own to another one of this machine, in threads; `rate` is in bytes a second and a line."""

    def __init__(self, port: int, *, rate: int) -> None:
        self._target = port
        self._rate = rate
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._lines: list[socket.socket] = []

    def __enter__(self) -> Self:
        Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for line in [self._server, *self._lines]:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._lines += [near, far]
                Thread(target=self._pass, args=(near, far, 0), daemon=True).start()
                Thread(target=self._pass, args=(far, near, self._rate), daemon=True).start()

    def _pass(self, giver: socket.socket, taker: socket.socket, rate: int) -> None:
        with suppress(OSError):
            while chunk := giver.recv(_CHUNK):
                taker.sendall(chunk)
                if rate:
                    time.sleep(len(chunk) / rate)
            taker.shutdown(socket.SHUT_WR)
