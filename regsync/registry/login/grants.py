"""What one registry was found to want, and what it granted for which scopes: the memory under `auth.py`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal

from regsync.errors import AccessDenied, IntegrityError, Refused, Unavailable
from regsync.registry.login.credentials import Credential
from regsync.registry.login.token import Token

_MANY = 1024  # grants of one area, above which those that have served are dropped
_CREDIT = 2  # refusals in a row that a login which was accepted before survives


@dataclass(frozen=True, slots=True)
class _Refusal:
    kind: type[AccessDenied | Refused]
    message: str
    until: float  # on the monotonic clock

    def check(self, now: float) -> None:
        """Raise it again while it lasts."""
        if now < self.until:
            raise self.kind(self.message)


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

    @property
    def under_way(self) -> bool:
        """Say whether somebody is being waited for."""
        return self._under_way is not None

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


@asynccontextmanager
async def alone(untried: Callable[[], Trial | None]) -> AsyncIterator[None]:
    """Pass the trial that `untried` returns, if any; asked again after each one that others passed, it may raise."""
    own = None
    while (trial := untried()) is not None:
        own = trial.begin()
        if own is not None or not await trial.over():
            break
    try:
        yield
    finally:
        if trial is not None and own is not None:
            trial.give_up(own)


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
        self._refusal.check(now)
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

    def has_served(self, now: float) -> bool:
        """Say whether a new one would do as well: nobody waits for this one, and what it remembers is over."""
        if self.lock.locked() or self.trial.under_way:
            return False
        if self._refusal is not None:
            return now >= self._refusal.until
        return now >= self.token.stale if self.token is not None else not self.strike


@dataclass(slots=True)
class Area:
    """A host, or one repository of it, that shares one way to log in.

    `refresh` was got from the token server. `answered` holds the ways that were answered with anything but 401:
    nothing sent, `basic`, and a login shown to the token server (`token`), which `login` tries out. `credit` is how
    many refusals do not yet mean that the login is wrong.
    """

    scheme: Literal["", "basic", "bearer"] = ""
    realm: str = ""
    service: str = ""
    refresh: str = field(default="", repr=False)
    answered: set[str] = field(default_factory=set)
    trial: Trial = field(default_factory=Trial)
    login: Trial = field(default_factory=Trial)
    credit: int = 0
    _refused: tuple[Credential, _Refusal] | None = None
    _grants: dict[tuple[str, ...], Grant] = field(default_factory=dict)
    _most: int = _MANY

    def turn_to(self, realm: str, service: str) -> None:
        """Get tokens there from now on; what another token server gave stays out of its sight."""
        if (realm, service) != (self.realm, self.service):
            self.refresh = ""
        self.scheme, self.realm, self.service = "bearer", realm, service

    def take_refresh(self, refresh: str, *, of: tuple[str, str]) -> None:
        """Keep a refresh token, unless the area has turned to another server since it was asked for."""
        if refresh and of == (self.realm, self.service):
            self.refresh = refresh

    def drop_refresh(self, refresh: str) -> None:
        """Forget a refresh token that did not work."""
        if refresh == self.refresh:
            self.refresh = ""

    def prove(self, way: Literal["basic", "token"]) -> None:
        """Note that a login shown in this way was taken."""
        self.answered.add(way)
        self.credit, self._refused = _CREDIT, None
        self.login.settle()

    def refuse_login(self, credential: Credential, error: AccessDenied | Refused, *, until: float) -> bool:
        """Note that this login was refused; whether it is wrong for the whole area, and remembered until then.

        Some registries answer 401 too where a good login lacks rights: one that was accepted has `credit`.
        """
        self.answered -= {"basic", "token"}
        wrong = not self.credit
        if wrong:
            self._refused = credential, _Refusal(type(error), str(error), until)
        self.credit = max(0, self.credit - 1)
        self.login.settle()
        return wrong

    def check_login(self, credential: Credential, now: float) -> None:
        """Raise what was remembered of exactly this login."""
        if self._refused is not None and self._refused[0] == credential:
            self._refused[1].check(now)

    def untried_login(self, credential: Credential | None, now: float) -> Trial | None:
        """Return the trial to pass before this login is shown to the token server; raises what it was refused with."""
        if credential is None or not (credential.basic or credential.token):
            return None
        self.check_login(credential, now)
        return None if "token" in self.answered else self.login

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
            self.prove("basic")
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

    def tidy(self, now: float) -> None:
        """Drop grants that have served, once there are many: a mirror asks for new scopes as long as it runs."""
        if len(self._grants) > self._most:
            self._grants = {key: grant for key, grant in self._grants.items() if not (key and grant.has_served(now))}
            self._most = max(_MANY, 2 * len(self._grants))  # so that those in use are not looked through every time

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
