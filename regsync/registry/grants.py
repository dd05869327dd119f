"""What one registry was found to want, and what it granted for which scopes: the memory under `registry/auth.py`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from regsync.errors import AccessDenied, IntegrityError, Refused, Unavailable
from regsync.registry.token import Token


@dataclass(frozen=True, slots=True)
class _Refusal:
    kind: type[AccessDenied | Refused]
    message: str
    until: float  # on the monotonic clock


class Trial:
    """Lets one request go ahead while nobody knows whether it is welcome, and the others wait for its answer.

    Else fifty requests with one wrong password are fifty failed logins, which locks accounts. When no answer comes,
    the others go on without one: at a dead host they shall fail together and not one after another.
    """

    def __init__(self) -> None:
        self._under_way: asyncio.Future[bool] | None = None

    def begin(self) -> asyncio.Future[bool] | None:
        """Return the trial to be handed to `give_up`; None when another one is under way."""
        if self._under_way is not None:
            return None
        self._under_way = asyncio.get_running_loop().create_future()
        return self._under_way

    async def over(self) -> bool:
        """Wait for the end of the trial under way; whether there was an answer."""
        return self._under_way is None or await asyncio.shield(self._under_way)

    def settle(self) -> None:
        """An answer came."""
        self._end(self._under_way, answered=True)

    def give_up(self, trial: asyncio.Future[bool]) -> None:
        """End this trial without an answer, unless it is over."""
        self._end(trial, answered=False)

    def _end(self, trial: asyncio.Future[bool] | None, *, answered: bool) -> None:
        if trial is not None and trial is self._under_way:
            self._under_way = None
            trial.set_result(answered)


@dataclass(slots=True)
class Grant:
    """One tuple of scopes: its token, and how asking for it went.

    `strike` says that the last token was refused: `scope` when it lacked rights, `token` when it was no good. The next
    one must work, unless it is proved good first.
    """

    asked: tuple[str, ...]
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    trial: Trial = field(default_factory=Trial)
    token: Token | None = None
    strike: Literal["", "token", "scope"] = ""
    failures: int = 0
    _failure: tuple[str, int, float | None] = ("", 1, None)  # message, attempts, retry_after
    _refusal: _Refusal | None = None

    def ask_for(self, scopes: tuple[str, ...]) -> bool:
        """Ask for other scopes from now on, as the registry said; whether they are others."""
        changed, self.asked = scopes != self.asked, scopes
        if changed:
            self.token, self.strike = None, ""
        return changed

    def take(self, token: Token) -> None:
        """Keep a token; one that follows another at the end of its life starts without a strike."""
        if self.token is not None:
            self.strike = ""
        self.token = token

    def refuse(self, error: AccessDenied | Refused, *, until: float) -> None:
        """Remember a refusal until this moment (monotonic)."""
        self.token = None
        self._refusal = _Refusal(type(error), str(error), until)

    def check_refusal(self, now: float) -> None:
        """Raise what was remembered; one that is over is forgotten, strike and all."""
        if self._refusal is None:
            return
        if now < self._refusal.until:
            raise self._refusal.kind(self._refusal.message)
        self.clear()

    def fail(self, error: Unavailable | IntegrityError) -> Unavailable:
        """Return the failure, and let those who wait for the same fail with it.

        Each of them would try as long again, one after another.
        """
        self.failures += 1
        self._failure = (str(error), error.attempts, error.retry_after if isinstance(error, Unavailable) else None)
        return self._failed()

    def check_failure(self, seen: int) -> None:
        """Raise the last failure if it came after `seen` of them."""
        if self.failures != seen:
            raise self._failed()

    def _failed(self) -> Unavailable:
        message, attempts, retry_after = self._failure
        error = Unavailable(message, retry_after=retry_after)
        error.attempts = attempts
        return error

    def clear(self) -> None:
        """Start anew; whoever fetches a token at this moment still hands it in here."""
        self.token, self.strike, self._refusal = None, "", None


@dataclass(slots=True)
class Area:
    """A host, or one repository of it, that shares one way to log in.

    `refresh` was got from the token server. `answered` holds the ways that were answered with anything but 401.
    """

    scheme: Literal["", "basic", "bearer"] = ""
    realm: str = ""
    service: str = ""
    refresh: str = field(default="", repr=False)
    answered: set[str] = field(default_factory=set)
    trial: Trial = field(default_factory=Trial)
    _grants: dict[tuple[str, ...], Grant] = field(default_factory=dict)

    def turn_to(self, realm: str, service: str) -> None:
        """Get tokens there from now on; what another token server gave stays out of its sight."""
        if (realm, service) != (self.realm, self.service):
            self.refresh = ""
        self.scheme, self.realm, self.service = "bearer", realm, service

    def untried(self, scopes: tuple[str, ...]) -> Trial | None:
        """Return the trial to pass before a request for these scopes; None when what it will send is known to do."""
        if self.scheme == "bearer":
            grant = self.grant(scopes)
            return grant.trial if grant.strike else None
        return None if self.scheme in self.answered else self.trial

    def accept(self, scopes: tuple[str, ...], sent: str | None) -> None:
        """Note that a request with this header was answered with anything but 401."""
        if sent is None:
            self.answered.add("")
        elif sent.startswith("Basic "):
            self.answered.add("basic")
        holder = self.holder(scopes, sent)
        if holder is not None and holder.strike == "token":
            holder.strike = ""
        self.settle(scopes)

    def settle(self, scopes: tuple[str, ...]) -> None:
        """Let those go on who waited to hear what became of a request for these scopes."""
        self.trial.settle()
        self.grant(scopes).trial.settle()

    def grant(self, scopes: tuple[str, ...]) -> Grant:
        """Return the grant for exactly these scopes."""
        grant = self._grants.get(scopes)
        if grant is None:
            grant = self._grants[scopes] = Grant(scopes)
        return grant

    def serving(self, scopes: tuple[str, ...]) -> Iterator[Grant]:
        """Each grant whose token serves these scopes: their own, and for `pull` one for `pull,push`."""
        yield self.grant(scopes)
        if len(scopes) == 1 and scopes[0].endswith(":pull"):
            wider = self._grants.get((f"{scopes[0]},push",))
            if wider is not None:
                yield wider

    def holder(self, scopes: tuple[str, ...], sent: str | None) -> Grant | None:
        """Return the grant whose present token is the one that was sent."""
        for grant in self.serving(scopes):
            if grant.token is not None and sent == f"Bearer {grant.token.value}":
                return grant
        return None
