"""What proves to a registry who we are, and where it comes from: the settings, or a helper program.

A configured login that cannot be obtained fails its host. Going on without it would turn a broken helper into
anonymous requests, and those into missing images and used-up rate limits. A helper that says it holds no login for a
server is not broken: there we are anonymous, as docker is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from regsync.clock import Clock
from regsync.errors import AccessDenied
from regsync.registry.host import HostSettings
from regsync.registry.login.helper import PATIENCE, ask_helper
from regsync.secrets import Secrets

LASTING = 60.0  # seconds a refused login is neither tried again nor asked a helper about
_AGAIN = 5.0  # seconds until a helper that failed is run again


@dataclass(frozen=True, slots=True)
class Credential:
    """A login: user and password, a token that buys tokens (OAuth2 "identity" token), or one that was bought already.

    That one (`registry_token`) is shown to the registry as it is. Secrets stay out of repr.
    """

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    @property
    def basic(self) -> bool:
        """Say whether this can log in with user and password."""
        return bool(self.user and self.password)


class CredentialSource(Protocol):
    """Where a host's login comes from."""

    async def get(self) -> Credential | None:
        """Return the login of the moment; None to be anonymous, `AccessDenied` when it cannot be obtained."""
        ...

    async def instead_of(self, refused: Credential) -> Credential | None:
        """Return the login that took the place of a refused one (a password was changed); None when none did."""
        ...


@dataclass(frozen=True, slots=True)
class FixedCredential:
    """A login that was written down, or none."""

    credential: Credential | None = None

    async def get(self) -> Credential | None:
        """Return it."""
        return self.credential

    async def instead_of(self, refused: Credential) -> Credential | None:
        """Return None: what was written down does not change."""
        return self.credential if self.credential != refused else None


class HelperCredential:
    """A login a helper program hands out, asked for again after `credential_expiry`, and when it is refused.

    One run at a time. While an older answer is known, a failing helper is forgiven and tried again after 5 s. A refusal
    makes it run at once, but not twice within a minute: a login that lacks rights is refused for every repository.
    """

    def __init__(
        self,
        host: HostSettings,
        *,
        clock: Clock,
        environ: Mapping[str, str],
        secrets: Secrets,
        patience: float = PATIENCE,
    ) -> None:
        self._host = host
        self._clock = clock
        self._environ = environ
        self._secrets = secrets
        self._patience = patience
        self._lock = asyncio.Lock()
        self._credential: Credential | None = None
        self._answered, self._failure = False, ""
        self._due = self._doubted = float("-inf")  # on the monotonic clock

    async def get(self) -> Credential | None:
        """Return the helper's answer, at most `credential_expiry` old if the helper works."""
        async with self._lock:
            if self._clock.monotonic() >= self._due:
                await self._ask()
            if not self._answered:
                raise AccessDenied(self._failure)
            return self._credential

    async def instead_of(self, refused: Credential) -> Credential | None:
        """Return what the helper says now, unless it is the refused login, or the helper fails."""
        async with self._lock:
            now = self._clock.monotonic()
            if self._credential == refused and now >= self._doubted + LASTING:
                self._doubted = now
                await self._ask()
            return self._credential if self._credential != refused else None

    async def _ask(self) -> None:
        host = self._host
        server = host.credential_host or host.hostname
        try:
            answer = await ask_helper(host.helper, server, environ=self._environ, patience=self._patience)
        except AccessDenied as error:
            self._failure = f"cannot log in at {host.name}: {error}"
            self._due = self._clock.monotonic() + _AGAIN
            return
        self._answered = True
        self._credential = None
        if answer is not None:
            self._credential = Credential(answer.user, answer.password, answer.token)
            self._secrets.add(answer.password, user=answer.user)
            self._secrets.add(answer.token)
        self._due = self._clock.monotonic() + max(host.credential_expiry, _AGAIN)


def credentials_of(
    host: HostSettings, *, clock: Clock, environ: Mapping[str, str], secrets: Secrets
) -> CredentialSource:
    """Return where this host's login comes from, made known to `secrets`; a helper wins over anything stored."""
    if host.helper:
        return HelperCredential(host, clock=clock, environ=environ, secrets=secrets)
    if host.has_login:
        secrets.keep(host.password, user=host.user)
        secrets.keep(host.token)
        secrets.keep(host.registry_token)
        return FixedCredential(Credential(host.user, host.password, host.token, host.registry_token))
    return FixedCredential()
