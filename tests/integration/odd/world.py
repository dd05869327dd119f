"""A profile and a healthy registry with a configuration between them, and our engine to run it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import trustme

from regsync.app import App
from regsync.events import Event, Warned
from regsync.facts import Telling
from regsync.loading import load
from regsync.record.tally import Tally
from regsync.secrets import Secrets
from tests.support.clock import FakeClock
from tests.support.exchange import Exchange, LoopbackServer
from tests.support.fake_registry import MODERN, Basic, Bearer, FakeRegistry
from tests.support.odd.profile import Direction, Login, Profile
from tests.support.odd.registry import Oddity, OddRegistry
from tests.support.token_server import Policy, TokenServer

PASSWORD = "s3cret-canary"
_AT_ONCE = {"reqConcurrent": 8}  # more connections cost more than they bring on one machine
AS_WRITTEN = replace(MODERN, page_size=0)


class Tokens(TokenServer):
    """A token server at a path of its own; any other path is nobody's."""

    def __init__(self, login: Login, *, authority: trustme.CA | None) -> None:
        refresh = {login.identity: login.user} if login.identity else {}
        policy = Policy({login.user: PASSWORD}, refresh, anonymous=login.anybody, lifetime=login.lifetime)
        policy.answers_post, policy.answer_field = login.answers_post, login.answer_field
        super().__init__(policy, authority=authority)
        self.service = login.service
        self._path = login.path

    @property
    def realm(self) -> str:
        return f"{self.url}{self._path}"


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run came to: its counts, what it warned of, and every request any server got."""

    tally: Tally
    warned: Sequence[str]
    asked: Sequence[str]

    @property
    def answered(self) -> list[str]:
        """The requests without those that were told to log in: how many are under way then is nobody's to say."""
        return [each for each in self.asked if not each.endswith(" 401")]

    @property
    def failed(self) -> list[str]:
        """What people read of each failure."""
        return [f"{each.message}: {each.source} {each.target}: {each.error}" for each in self.tally.failures]


@dataclass(slots=True)
class Meeting:
    """The odd registry and the healthy one; `below` is where the odd one itself keeps what is copied."""

    odd: OddRegistry
    healthy: FakeRegistry
    servers: Sequence[LoopbackServer]
    place: str
    below: str
    folder: Path
    creds: list[dict[str, Any]]
    sync: list[dict[str, Any]] = field(default_factory=list)

    def entry(self, direction: Direction, path: str, *, kind: str = "repository", **keys: Any) -> None:
        """Add an entry that copies from or to the odd registry."""
        odd, healthy = f"{self.odd.host}/{self.place}/{path}", f"{self.healthy.host}/healthy/{path}"
        source, target = (odd, healthy) if direction == "from" else (healthy, odd)
        self.sync.append({"source": source, "target": target, "type": kind, **keys})

    async def run(self) -> Ran:
        """Run all entries once, as a process of its own would; forget what was asked before."""
        for server in self.servers:
            server.journal.clear()
        config = self.folder / "regsync.yml"
        defaults = {"skipDockerConfig": True}
        config.write_text(json.dumps({"version": 1, "creds": self.creds, "defaults": defaults, "sync": self.sync}))
        told: list[Event] = []
        clock = FakeClock(instant=True)
        tell = Telling([lambda fact: told.append(fact.event)], clock)
        app = App(load(str(config), allow_unknown_keys=False), clock=clock, tell=tell, environ={}, secrets=Secrets())
        tally = await app.once("changed", abort_on_error=False)
        warned = [event.message for event in told if isinstance(event, Warned)]
        return Ran(tally, warned, [_shown(server, each) for server in self.servers for each in server.journal])

    def assert_logins_stay_at_home(self) -> None:
        """Fail if the storage or the healthy registry was shown a login of the odd registry's."""
        for server in (self.odd.storage, self.healthy):
            assert [each.path for each in server.journal if "Authorization" in each.headers] == []


@asynccontextmanager
async def meeting(
    profile: Profile, direction: Direction, folder: Path, *, outside: Sequence[Oddity] = (), login: Login | None = None
) -> AsyncIterator[Meeting]:
    """Start both registries and what belongs to them; `outside` are oddities before all of the profile's own."""
    side = profile.side(direction)
    login = login or side.login or profile.login
    authority = trustme.CA() if profile.tls else None
    async with AsyncExitStack() as stack:
        oddities = (*outside, *profile.oddities, *side.avoided, *side.oddities)
        odd = OddRegistry(oddities, features=profile.features, authority=authority)
        servers: list[LoopbackServer] = [odd, odd.storage, FakeRegistry(features=AS_WRITTEN)]
        if login is not None and login.scheme == "bearer":
            servers.append(Tokens(login, authority=authority))
        for server in servers:
            await stack.enter_async_context(server)
        healthy = servers[2]
        assert isinstance(healthy, FakeRegistry)
        odd.auth = _auth(login, servers[-1])
        odd.also = Basic(login.user, PASSWORD) if login is not None and login.basic_too else None
        settings = {"registry": odd.host, **_AT_ONCE, **_tls(authority), **_keys(login), **profile.settings}
        prefix = str(profile.settings.get("pathPrefix", ""))
        creds = [settings, {"registry": healthy.host, **_AT_ONCE, "tls": "disabled"}]
        below = odd.called(f"{prefix}/{side.place}".strip("/"))
        for name in side.made:
            odd.store.make(name)
        yield Meeting(odd, healthy, servers, side.place, below, folder, creds)


def _auth(login: Login | None, server: LoopbackServer) -> Basic | Bearer | None:
    if login is None:
        return None
    if login.scheme == "basic":
        return Basic(login.user, PASSWORD)
    assert isinstance(server, Tokens)
    return Bearer(server, login.challenge.format(realm=server.realm))


def _keys(login: Login | None) -> dict[str, Any]:
    if login is None or login.anybody:
        return {}
    return {"token": login.identity} if login.identity else {"user": login.user, "pass": PASSWORD}


def _tls(authority: trustme.CA | None) -> dict[str, Any]:
    return {"tls": "disabled"} if authority is None else {"regcert": authority.cert_pem.bytes().decode()}


def _shown(server: LoopbackServer, each: Exchange) -> str:
    return f"{type(server).__name__} {each.method} {each.target} {each.status}"
