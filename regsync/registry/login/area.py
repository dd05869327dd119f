"""What one registry, or with `repoAuth` one repository of it, was found to want: the memory under `auth.py`.

Requests, by the scheme that is known to be wanted (*alone*: while it is under way, all others wait for its answer):

    wanted   is sent         401 that offers Bearer (1)  401 that offers Basic alone  any other 401   any other answer
    -------  --------------  --------------------------  ---------------------------  --------------  ----------------
    unknown  nothing, alone  Bearer is wanted            Basic is wanted (2)          refused         not alone again
    Basic    login, alone    Bearer is wanted            login refused, unless its    login refused   login is good,
                                                         helper has another by now                    not alone again
    Bearer   token           token refused               Basic is wanted (2)          refused         token worked
             nothing (3)     name is learnt              Basic is wanted (2)          refused         -

    (1) with Basic beside or without it. Where tokens are not to be had or are refused, and Basic was offered beside,
        Basic is wanted; from then on Bearer does not count until that is refused as well
    (2) if we have a user and password, else it is refused
    (3) where the registry calls repositories by other names, and has not said yet by which one it calls this one

Tokens, for each tuple of scopes (`Grant`):

    state    when one is needed            when it is refused   when it worked
    -------  ----------------------------  -------------------  -------------------------------------------------------
    none     is bought                     -                    -
    held     is sent, to 4/5 of its life   struck               held
    struck   is bought again, sent alone   refused              held; if the last one lacked rights, struck to its end
    refused  AccessDenied for a minute     -                    -

    Once a token has worked, one that lacks rights is sent like any other: uploads need not wait for one another.
    A token to push that is told (`insufficient_scope`) to whoever looks that it may not read stays struck, not refused.

Buying (`purchase.py`), alone in the area until the login is good, and alone at the server until that works (`desk.py`):

    answer                    what becomes of it
    ------------------------  ---------------------------------------------------------------------------------------
    200 with a token          held, and the login is good
    400, 401, 403 to a login  bought with another login, if its helper has one by now; else 401: login refused, others:
                              refused
    408, 425, 429, 5xx, none  `Unavailable` for all who wait; Retry-After holds for everybody at that server
    anything else             refused

*Refused* is remembered for a minute (5 s when there was no login to be had) for the scopes alone. *Login refused* is
remembered for the whole area, unless the login was good before: two refusals in a row are then about their scopes
alone, because some registries say 401 where a good login lacks rights.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from regsync.errors import AccessDenied, Refused
from regsync.registry.login.challenge import Challenge
from regsync.registry.login.credentials import Credential
from regsync.registry.login.grants import Grant, Refusal
from regsync.registry.login.memory import Memory
from regsync.registry.login.scope import Scopes, in_words, itself, names_in
from regsync.registry.login.trial import Trial

_MANY = 1024  # names that are remembered
_CREDIT = 2  # refusals in a row that a login which was accepted before survives


Shown = Literal["basic", "token"]  # how a login is shown: to the registry, or to its token server


@dataclass(slots=True)
class Area:
    """A host, or one repository of it, that shares one way to log in.

    `spare` says that user and password may be shown where tokens are of no use, `_gave_up` that they were of none.
    `refresh` was got from the token server. `answered` holds the ways that were answered with anything but 401:
    nothing sent, `basic`, and a login shown to the token server (`token`), which `login` tries out. `credit` is how
    many refusals do not yet mean that the login is wrong.
    """

    scheme: Literal["", "basic", "bearer"] = ""
    spare: bool = False
    realm: str = field(default="", repr=False)
    service: str = ""
    refresh: str = field(default="", repr=False)
    answered: set[str] = field(default_factory=set)
    trial: Trial = field(default_factory=Trial)
    login: Trial = field(default_factory=Trial)
    credit: int = 0
    _gave_up: bool = False
    _refused: dict[Shown, tuple[Credential, Refusal]] = field(default_factory=dict)
    _names: dict[str, Scopes] = field(default_factory=dict)  # what the registry calls our repositories, as far as heard
    _renames: bool = False
    _grants: Memory[Scopes, Grant] = field(default_factory=lambda: Memory(lambda _: Grant()))

    def turn_to(self, realm: str, service: str) -> None:
        """Get tokens there from now on; what another token server gave stays out of its sight."""
        if (realm, service) != (self.realm, self.service):
            self.refresh = ""
        self.scheme, self.realm, self.service = "bearer", realm, service

    def may_bear(self, offers: Sequence[Challenge]) -> bool:
        """Say whether tokens are offered that are worth trying."""
        return not self._gave_up and any(offer.scheme == "bearer" for offer in offers)

    @property
    def may_turn(self) -> bool:
        """Say whether user and password may be shown where no token was to be had, or are shown by now."""
        return self.spare or self.scheme == "basic"

    def turn_to_basic(self, scopes: Scopes, *, gave_up: bool) -> bool:
        """Show user and password from now on, what was refused of tokens being over; whether that is news."""
        self.grant(scopes).clear()
        news = gave_up and not self._gave_up
        self.scheme, self.spare, self._gave_up = "basic", False, self._gave_up or gave_up
        return news

    def start_anew(self) -> None:
        """Take every way for untried that is offered from now on: what was refused is remembered by itself."""
        self._gave_up = False

    def take_refresh(self, refresh: str, *, of: tuple[str, str]) -> None:
        """Keep a refresh token, unless the area has turned to another server since it was asked for."""
        if refresh and of == (self.realm, self.service):
            self.refresh = refresh

    def drop_refresh(self, refresh: str) -> None:
        """Forget a refresh token that did not work."""
        if refresh == self.refresh:
            self.refresh = ""

    def hear(self, scopes: Scopes, challenge: str, *, refused: Grant | None) -> bool:
        """Learn from a challenge's scope what the registry calls these repositories; whether a name has changed.

        Who sent nothing is told once. When a token is `refused` that was bought for the name the challenge repeats, and
        none ever worked, the name is a mere example, and our own is tried.
        """
        ours = [scope.name for scope in scopes if scope.kind == "repository"]
        if refused is None and not self._unheard(ours):
            return False
        known = {name: self._names.get(name) or itself(name) for name in ours}
        heard = names_in(challenge, known)
        if refused is not None and not refused.worked and heard == known:
            heard = {name: itself(name) for name in ours}
        self._names |= heard
        self._renames = self._renames or any(theirs != itself(ours) for ours, theirs in heard.items())
        while len(self._names) > _MANY:
            del self._names[next(iter(self._names))]
        return heard != known

    def must_hear(self, scopes: Scopes) -> bool:
        """Say whether to ask without a token first, to be told a repository's name: others go by other ones here."""
        return self._renames and self._unheard([scope.name for scope in scopes if scope.kind == "repository"])

    def _unheard(self, names: list[str]) -> bool:
        return not all(name in self._names for name in names)

    def called(self, scopes: Scopes) -> Scopes:
        """Return the scopes as the registry calls them."""
        theirs = ((scope, self._names.get(scope.name) if scope.kind == "repository" else None) for scope in scopes)
        return tuple(dict.fromkeys(one for scope, names in theirs for one in map(scope.called, names or (scope,))))

    def prove(self, way: Shown) -> None:
        """Note that a login shown in this way was taken."""
        self.answered.add(way)
        self.credit = _CREDIT
        self._refused.clear()
        self.login.settle()

    def refuse(
        self,
        scopes: Scopes,
        error: AccessDenied | Refused,
        *,
        until: float,
        shown: Credential | None,
        way: Shown = "basic",
    ) -> None:
        """Remember a refusal: of a login that was shown for the whole area, of anything else for these scopes."""
        if shown is None or not self._refuse_login(shown, error, way=way, until=until):
            self.grant(scopes).refuse(error, until=until)

    def about(self, scopes: Scopes, *, login: Credential | None) -> str:
        """Return what to say a refusal is about; nothing where a login is wrong for whatever scopes."""
        return f" for {in_words(scopes)}" if login is None or self.credit else ""

    def _refuse_login(self, credential: Credential, error: AccessDenied | Refused, *, way: Shown, until: float) -> bool:
        """Note that this login was refused; whether it is wrong for the whole area, and remembered until then.

        Some registries answer 401 too where a good login lacks rights: one that was accepted has `credit`.
        """
        self.answered -= {"basic", "token"}
        wrong = not self.credit
        if wrong:
            self._refused[way] = credential, Refusal(type(error), str(error), until)
        self.credit = max(0, self.credit - 1)
        self.login.settle()
        return wrong

    def check_login(self, credential: Credential, now: float, *, way: Shown = "basic") -> None:
        """Raise what was remembered of exactly this login, shown in this way."""
        if way in self._refused and self._refused[way][0] == credential:
            self._refused[way][1].check(now)

    def untried_login(self, credential: Credential | None, now: float) -> Trial | None:
        """Return the trial to pass before this login is shown to the token server; raises what it was refused with."""
        if credential is None or not (credential.basic or credential.token):
            return None
        self.check_login(credential, now, way="token")
        return None if "token" in self.answered else self.login

    def untried(self, scopes: Scopes) -> Trial | None:
        """Return the trial to pass before a request for these scopes; None when what it will send is known to do."""
        if self.scheme == "bearer":
            grant = self.grant(scopes)
            return grant.trial if grant.in_doubt else None
        return None if self.scheme in self.answered else self.trial

    def accept(self, scopes: Scopes, sent: str | None) -> None:
        """Note that a request with this header was answered with anything but 401."""
        if sent is None:
            self.answered.add("")
        elif sent.startswith("Basic "):
            self.prove("basic")
        holder = self.holder(scopes, sent)
        if holder is not None:
            holder.prove()
        self.settle(scopes)

    def settle(self, scopes: Scopes) -> None:
        """Let those go on who waited to hear what became of a request for these scopes."""
        self.trial.settle()
        self.grant(scopes).trial.settle()

    def grant(self, scopes: Scopes) -> Grant:
        """Return the grant for exactly these scopes."""
        return self._grants[scopes]

    def tidy(self, now: float) -> None:
        """Drop grants that have served, once there are many."""
        self._grants.tidy(now)

    def has_served(self, now: float) -> bool:
        """Say whether a new one would do as well, at the price of a challenge."""
        lasting = any(refusal.lasts(now) for _, refusal in self._refused.values())
        if self.trial.under_way or self.login.under_way or lasting:
            return False
        return all(grant.has_served(now) for grant in self._grants)

    def serving(self, scopes: Scopes) -> Iterator[Grant]:
        """Each grant whose token serves these scopes: their own, and for `pull` one for `pull,push`."""
        yield self.grant(scopes)
        wider = scopes[0].wider() if len(scopes) == 1 else None
        if wider is not None and (wider,) in self._grants:
            yield self._grants[(wider,)]

    def holder(self, scopes: Scopes, sent: str | None) -> Grant | None:
        """Return the grant whose present token is the one that was sent."""
        for grant in self.serving(scopes):
            if grant.token is not None and sent == f"Bearer {grant.token.value}":
                return grant
        return None
