"""A scripted token server around a real `Authenticator`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from regsync.errors import RegsyncError
from regsync.registry.host import HostSettings
from regsync.registry.login.auth import Authenticator, TokenAnswer, TokenRequest
from regsync.registry.login.credentials import Credential, CredentialSource
from regsync.registry.login.scope import Scope, Scopes
from regsync.secrets import Secrets
from tests.support.clock import FakeClock

HOST = HostSettings(name="r.example", hostname="r.example")
BASIC = 'Basic realm="registry"'
BEARER = 'Bearer realm="https://auth.example/token",service="svc"'
PULL = (Scope.of_repository("a/b", push=False),)
PUSH = (Scope.of_repository("a/b", push=True),)
LOGIN = Credential("someone", "canary-password")
BASIC_HEADER = "Basic c29tZW9uZTpjYW5hcnktcGFzc3dvcmQ="
Script = Callable[[TokenRequest, int], TokenAnswer | RegsyncError]


def pull(path: str) -> Scope:
    return Scope.of_repository(path, push=False)


def push(path: str) -> Scope:
    return Scope.of_repository(path, push=True)


def texts(*scopes: Scope) -> list[str]:
    return [str(scope) for scope in scopes]


def granted(number: int, **more: object) -> TokenAnswer:
    return TokenAnswer(200, json.dumps({"token": f"T{number}", "expires_in": 300, **more}).encode())


@dataclass
class Source:
    """A login that may change under way, as a helper's does; `following` are those it is changed to when doubted."""

    credential: Credential | None
    following: list[Credential] = field(default_factory=list)
    doubted: int = 0

    async def get(self) -> Credential | None:
        return self.credential

    async def instead_of(self, refused: Credential) -> Credential | None:
        if self.credential == refused:
            self.doubted += 1
            self.credential = self.following.pop(0) if self.following else refused
        return self.credential if self.credential != refused else None


class Lab:
    """An authenticator, its scripted token server, and the journal of what was asked there."""

    def __init__(self, credential: Credential | None = None, *, host: HostSettings = HOST) -> None:
        self.clock = FakeClock()
        self.asked: list[TokenRequest] = []
        self.script: Script = lambda _, number: granted(number)
        self.gate = asyncio.Event()
        self.gate.set()
        self.source = Source(credential)
        self.secrets = Secrets()
        self.warned: list[str] = []
        self.auth = self.authenticator(self.source, host)

    def authenticator(self, source: CredentialSource, host: HostSettings = HOST) -> Authenticator:
        return Authenticator(
            host,
            source,
            self.fetch,
            user_agent="regsync/1",
            clock=self.clock,
            secrets=self.secrets,
            local_realms=lambda: False,
            warn=lambda what, example: self.warned.append(f"{what}: {example}" if example else what),
        )

    async def fetch(self, request: TokenRequest) -> TokenAnswer:
        self.asked.append(request)
        number = len(self.asked)
        await self.gate.wait()
        answer = self.script(request, number)
        if isinstance(answer, RegsyncError):
            raise answer
        return answer

    async def refused(self, scopes: Scopes = PULL, *lines: str, sent: str | None = None) -> str | None:
        """A 401 with these challenges; return the header to go on with."""
        await self.auth.challenged(scopes, lines or (BEARER,), sent=sent)
        return await self.auth.header(scopes)

    def scopes(self) -> list[list[str]]:
        return [parse_qs(urlsplit(request.url).query).get("scope", []) for request in self.asked]
