"""Registries with journals, a configuration over them, and both programs to run it: ours in process, Go's beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from regsync.app import App
from regsync.clock import Clock
from regsync.facts import Observer, Telling
from regsync.loading import load
from regsync.secrets import Secrets
from regsync.sync.entry import Scope
from regsync.sync.survey import Looking
from tests.support.clock import FakeClock
from tests.support.exchange import LoopbackServer
from tests.support.fake_registry import Basic, Bearer, FakeRegistry, Features
from tests.support.real import require
from tests.support.token_server import Policy, TokenServer

Arranged = Callable[["World"], Awaitable[None]]
USER, PASSWORD = "me", "secret"


@dataclass(frozen=True, slots=True)
class Situation:
    """What there is before a run. `go` is how often the Go regsync asks then, `most` how often we may."""

    name: str
    formula: str
    go: int
    most: int
    arranged: Arranged
    scope: Scope = "changed"


class World:
    """Two registries, and more when asked for; `settings` are the keys of each in `creds`."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.defaults: dict[str, Any] = {"skipDockerConfig": True}
        self.settings: dict[str, dict[str, Any]] = {}
        self.sync: list[dict[str, Any]] = []
        self._folder = folder
        self._stack = stack
        self._servers: list[LoopbackServer] = []

    async def registry(self, features: Features | None = None, *, login: str = "") -> FakeRegistry:
        """Start a registry; `login` is `basic` or `bearer` where it wants one."""
        auth: Basic | Bearer | None = Basic(USER, PASSWORD) if login == "basic" else None
        if login == "bearer":
            tokens = await self._stack.enter_async_context(TokenServer(Policy({USER: PASSWORD}, anonymous=False)))
            self._servers.append(tokens)
            auth = Bearer(tokens)
        found = await self._stack.enter_async_context(FakeRegistry(features=features, auth=auth))
        self._servers.append(found)
        self.settings[found.host] = {"tls": "disabled"} | ({"user": USER, "pass": PASSWORD} if login else {})
        return found

    async def two(self, features: Features | None = None, *, login: str = "") -> tuple[FakeRegistry, FakeRegistry]:
        """Start a source and a target."""
        return await self.registry(features, login=login), await self.registry(features, login=login)

    def entry(self, source: str, target: str, *, kind: str = "image", **keys: Any) -> None:
        """Add an item of `sync`."""
        self.sync.append({"source": source, "target": target, "type": kind, **keys})

    @property
    def asked(self) -> list[str]:
        """Every request of every registry and token server, for people."""
        return [
            f"{one.port} {each.method} {each.target} {each.status}" for one in self._servers for each in one.journal
        ]

    async def ours(self, scope: Scope, *observers: Observer, looking: Looking | None = None) -> list[str]:
        """Run our engine, and return what it asked for."""
        app = self.app(FakeClock(instant=True), *observers)
        tally = await app.once(scope, abort_on_error=False, looking=looking)
        assert tally.failures == []
        return self.asked

    def app(self, clock: Clock, *observers: Observer) -> App:
        """Return our program with this configuration."""
        loaded = load(str(self._written()), allow_unknown_keys=False)
        return App(loaded, clock=clock, tell=Telling([*observers], clock), environ={}, secrets=Secrets())

    def forget(self) -> None:
        """Begin to count anew."""
        for server in self._servers:
            server.journal.clear()

    async def gos(self, scope: Scope) -> list[str]:
        """Run the Go regsync, and return what it asked for."""
        command = "check" if scope == "check" else "once"
        flags = ["--missing"] if scope == "missing" else []
        process = await asyncio.create_subprocess_exec(
            require("regsync-go"),
            *(command, *flags, "-c", str(self._written())),
            stderr=asyncio.subprocess.PIPE,
            env={"HOME": str(self._folder)},
        )
        _, log = await process.communicate()
        assert process.returncode == 0, log.decode()
        return self.asked

    def _written(self) -> Path:
        creds = [{"registry": host, **keys} for host, keys in self.settings.items()]
        path = self._folder / "regsync.yml"
        path.write_text(json.dumps({"version": 1, "creds": creds, "defaults": self.defaults, "sync": self.sync}))
        return path


@dataclass(slots=True)
class Rows:
    """The situations of one file, in its order."""

    found: list[Situation] = field(default_factory=list)

    def add(
        self, name: str, formula: str, *, go: int, most: int, scope: Scope = "changed"
    ) -> Callable[[Arranged], Arranged]:
        """Note what arranges a situation."""

        def noted(arranged: Arranged) -> Arranged:
            self.found.append(Situation(name, formula, go, most, arranged, scope))
            return arranged

        return noted
