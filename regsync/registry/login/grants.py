"""What was granted for which scopes: the tokens of one area, and how asking for them went."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from regsync.errors import AccessDenied, Refused
from regsync.registry.login.token import Token
from regsync.registry.login.trial import Trial


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal that is remembered until a moment (monotonic)."""

    kind: type[AccessDenied | Refused]
    message: str
    until: float

    def check(self, now: float) -> None:
        """Raise it again while it lasts."""
        if self.lasts(now):
            raise self.kind(self.message)

    def lasts(self, now: float) -> bool:
        """Say whether it is not over."""
        return now < self.until


@dataclass(slots=True)
class Grant:
    """One tuple of scopes: its token, and how asking for it went.

    `strike` says that the last token was refused: `scope` when it lacked rights, `token` when it was no good. The next
    one must work, unless it is proved good first. `worked` says whether any did.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    trial: Trial = field(default_factory=Trial)
    token: Token | None = None
    strike: Literal["", "token", "scope"] = ""
    worked: bool = False
    _refusal: Refusal | None = None

    @property
    def in_doubt(self) -> bool:
        """Say whether others wait for what becomes of its token; not of one that does what it has rights to."""
        return self.strike == "token" or (self.strike == "scope" and not self.worked)

    def take(self, token: Token) -> None:
        """Keep a token; one that follows another at the end of its life starts without a strike."""
        if self.token is not None:
            self.strike = ""
        self.token = token

    def prove(self) -> None:
        """Note that its token was taken; that one lacks rights is not made good by what it may do."""
        self.worked = True
        if self.strike == "token":
            self.strike = ""

    def refuse(self, error: AccessDenied | Refused, *, until: float) -> None:
        """Remember a refusal until this moment (monotonic)."""
        self.token = None
        self._refusal = Refusal(type(error), str(error), until)

    def check_refusal(self, now: float) -> None:
        """Raise what was remembered; one that is over is forgotten, strike and all."""
        if self._refusal is None:
            return
        self._refusal.check(now)
        self.clear()

    def clear(self) -> None:
        """Start anew; whoever fetches a token at this moment still hands it in here."""
        self.token, self.strike, self._refusal = None, "", None

    def has_served(self, now: float) -> bool:
        """Say whether a new one would do as well: nobody waits for this one, and what it remembers is over."""
        if self.lock.locked() or self.trial.under_way:
            return False
        if self._refusal is not None:
            return not self._refusal.lasts(now)
        return now >= self.token.stale if self.token is not None else not self.strike
