"""A web server that takes JSON by POST, in a thread of its own, as receivers of hooks and notifications do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(slots=True)
class Heard:
    """What it was sent; it answers with these statuses, the last for ever."""

    statuses: list[int]
    host: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    logins: list[str | None] = field(default_factory=list)
    agents: list[str | None] = field(default_factory=list)


@contextmanager
def listening(*statuses: int) -> Iterator[Heard]:
    """Listen at `host` while the block lasts."""
    heard = Heard(list(statuses))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            heard.logins.append(self.headers["Authorization"])
            heard.agents.append(self.headers["User-Agent"])
            self.send_response(heard.statuses.pop(0) if len(heard.statuses) > 1 else heard.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        heard.host = f"127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield heard
        server.shutdown()
