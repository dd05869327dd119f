"""How a registry's 401 becomes an Authorization header: the state machine of one host, with no network of its own.

Nothing is sent before a registry asks for it. What it asks is remembered for the host (with `repoAuth`, for each
repository), so that later requests carry their header at once. Tokens are bought for exactly the scopes of a request
and shared by all who wait for the same ones. Refusals are remembered: a thousand tags cost one request, a thousand
repositories one failed login, and accounts stay unlocked. Of several ways a registry offers the stronger is tried
first, a token, which does not show it the password (RFC 9110, section 11.6.1). `area.py` has the table of all states.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from regsync.clock import Clock
from regsync.errors import AccessDenied, Forbidden, Malformed, Refused, RegsyncError, Unavailable
from regsync.registry.host import HostSettings
from regsync.registry.login.area import Area
from regsync.registry.login.challenge import Challenge, parse_challenges
from regsync.registry.login.credentials import LASTING, Credential, CredentialSource
from regsync.registry.login.memory import Memory
from regsync.registry.login.purchase import CHECK, Purchases
from regsync.registry.login.realm import name_realm, resolve_realm
from regsync.registry.login.scope import Scope, Scopes, in_words
from regsync.registry.login.token import (
    Fetch,
    TokenAnswer,
    TokenRequest,
    basic_header,
)
from regsync.registry.login.trial import Trial, alone
from regsync.secrets import Secrets

__all__ = ["Authenticator", "Fetch", "TokenAnswer", "TokenRequest"]

_NO_LOGIN = 5.0  # seconds a login that could not be obtained counts as a refusal


def _say_nothing(_what: str, _example: str) -> None:
    """Tell nobody."""


class Authenticator:
    """Knows what one registry wants to see, and gets it.

    `fetch` asks a token server once, guarded and without redirects; what it raises goes through, and whether the
    whole is tried again is for the caller to say. `local_realms` answers whether the registry itself is at a private
    or loopback address, so that its token server may be; it is asked only of realms that are literal addresses. Tokens
    are made known to `secrets`, and what is odd is said to `warn`.
    """

    def __init__(
        self,
        host: HostSettings,
        credentials: CredentialSource,
        fetch: Fetch,
        *,
        user_agent: str,
        clock: Clock,
        secrets: Secrets,
        local_realms: Callable[[], bool],
        warn: Callable[[str, str], None] = _say_nothing,
    ) -> None:
        self._host = host
        self._warn = warn
        self._credentials = credentials
        self._clock = clock
        self._local_realms = local_realms
        self._purchases = Purchases(host.name, credentials, fetch, user_agent=user_agent, clock=clock, secrets=secrets)
        self._areas = Memory[str, Area](lambda _: Area())

    @asynccontextmanager
    async def trying(self, scopes: Scopes) -> AsyncIterator[str | None]:
        """Return `header` for one request, alone while nobody knows what the registry makes of it.

        To be held until `accepted` (which lets the others go on at once) or `challenged` was called, or the request
        failed, and to be entered with a slot of the host in hand: whoever waits for a slot must not keep others here.
        """
        area = self._area(scopes)

        def untried() -> Trial | None:
            trial = area.untried(scopes)
            if trial is not None:
                area.grant(scopes).check_refusal(self._clock.monotonic())
            return trial

        while True:
            async with alone(untried):
                way = area.scheme
                sent = await self.header(scopes)
                if area.scheme == way or sent is None:
                    yield sent
                    return

    async def header(self, scopes: Scopes) -> str | None:
        """Return the Authorization value for the next request, None while nothing asked for one.

        `AccessDenied` at once where these scopes, or the login, were refused before.
        """
        self._areas.tidy(self._clock.monotonic())
        area = self._area(scopes)
        area.tidy(self._clock.monotonic())
        area.grant(scopes).check_refusal(self._clock.monotonic())
        if area.scheme == "bearer" and not area.must_hear(scopes):
            try:
                return f"Bearer {await self._purchases.token(area, scopes)}"
            except (AccessDenied, Refused, Unavailable) as error:
                if not area.may_turn:
                    raise
                self._turn_to_basic(area, scopes, error)
        if area.scheme == "basic":
            credential = await self._credentials.get()
            if credential is not None and credential.basic:
                area.check_login(credential, self._clock.monotonic())
                return basic_header(credential)
        return None

    async def challenged(
        self, scopes: Scopes, challenges: Sequence[str], *, sent: str | None, looking: bool = False
    ) -> None:
        """Learn from a 401 to a request that carried `sent`; `AccessDenied` when nothing new can be tried.

        `Forbidden`: a fresh token that is to push is good and lacks rights. Whoever was `looking` lacked that to read,
        and may push all the same (write-only robots, deploy tokens), so it is not held against the token.
        """
        area, lasting = self._area(scopes), _NO_LOGIN
        shown: Credential | None = None
        try:
            credential = await self._credentials.get()
            lasting = LASTING
            if credential is not None and credential.basic and sent == basic_header(credential):
                shown = credential
            offers = self._read(challenges)
            if shown is not None and not area.may_bear(offers):
                credential = await self._credentials.instead_of(shown) or credential
            self._learn(scopes, offers, sent, credential)
        except (AccessDenied, Refused) as error:
            if not (looking and isinstance(error, Forbidden)):
                area.refuse(scopes, error, until=self._clock.monotonic() + lasting, shown=shown)
            raise
        finally:
            area.settle(scopes)

    async def doubted(self, scopes: Scopes, challenges: Sequence[str], *, sent: str | None) -> bool:
        """Say whether a 403 wants a login, as a 401 of others does, and there is a new one to be `challenged` for.

        A 403 means that a login lacks rights unless nothing was sent, a token is said to be over (`invalid_token`), or
        the helper has another password by now.
        """
        area = self._area(scopes)
        with suppress(AccessDenied, Refused, Malformed):
            offers, credential = parse_challenges(challenges), await self._credentials.get()
            offered = {offer.scheme for offer in offers}
            holder = area.holder(scopes, sent)
            if sent is None:
                return area.may_bear(offers) or ("basic" in offered and credential is not None and credential.basic)
            if credential is not None and credential.basic and sent == basic_header(credential):
                return "basic" in offered and await self._credentials.instead_of(credential) is not None
            over = any(offer.params.get("error") == "invalid_token" for offer in offers)
            return over and holder is not None and not holder.strike
        return False

    def accepted(self, scopes: Scopes, *, sent: str | None) -> None:
        """Note that a request with this header got another answer than 401; to be called after each of those.

        Without it, a second early end of a token could not be told from a token that never worked.
        """
        self._area(scopes).accept(scopes, sent)

    def is_fine(self, scopes: Scopes, *, sent: str | None) -> bool:
        """Say whether a 401 is hardly about this login: there was none, it is a token, or it was taken before."""
        return sent is None or sent.startswith("Bearer ") or "basic" in self._area(scopes).answered

    def was_taken(self, scopes: Scopes, *, sent: str | None) -> bool:
        """Say whether a user and password that stay the same were taken before, so that a 401 may be an accident.

        Registries say so where whoever they ask about logins (LDAP) does not answer for a moment.
        """
        mere = sent is not None and sent.startswith("Basic ") and not self._host.helper
        return mere and "basic" in self._area(scopes).answered

    def _area(self, scopes: Scopes) -> Area:
        name = scopes[0].name if self._host.repo_auth and scopes else ""
        return self._areas[name]

    def _read(self, challenges: Sequence[str]) -> tuple[Challenge, ...]:
        try:
            return parse_challenges(challenges)
        except Malformed as error:
            raise AccessDenied(f"{self._host.name} wants a login, but how cannot be read: {error}") from error

    def _learn(
        self, scopes: Scopes, offers: Sequence[Challenge], sent: str | None, credential: Credential | None
    ) -> None:
        area, basic = self._area(scopes), basic_header(credential) if credential and credential.basic else ""
        offered = {offer.scheme for offer in offers}
        fresh = bool(basic) and basic != sent and ("basic" in offered or area.scheme == "basic")
        refusal: AccessDenied | Refused | None = None
        if area.may_bear(offers):
            try:
                self._learn_bearer(area, scopes, offers, sent, bought=bool(credential and credential.registry_token))
            except (AccessDenied, Refused) as error:
                refusal = error
            else:
                area.spare = fresh
                return
        if fresh:
            self._turn_to_basic(area, scopes, refusal)
            return
        area.start_anew()
        raise refusal or self._denied(area, scopes, offered, sent, credential)

    def _turn_to_basic(self, area: Area, scopes: Scopes, instead_of: RegsyncError | None) -> None:
        if area.turn_to_basic(scopes, gave_up=instead_of is not None):
            self._warn("it offers tokens that are not to be had, and user and password are used", str(instead_of or ""))

    def _denied(
        self, area: Area, scopes: Scopes, offered: set[str], sent: str | None, credential: Credential | None
    ) -> AccessDenied:
        """Return what to say where no way is left that was not tried."""
        if credential is not None and credential.basic and sent == basic_header(credential):
            return self._denial(f"refused the user name and password{area.about(scopes, login=credential)}; {CHECK}")
        if "basic" in offered:
            lack = f"{self._host.helper} holds none" if self._host.helper else "none are configured"
            return self._denial(f"wants a user name and password for {in_words(scopes)} and {lack}; {CHECK}")
        known = ", ".join(sorted(scheme[:40] for scheme in offered)[:5]) or "nothing"
        return self._denial(f"refused {in_words(scopes)} and offers no login we know (it offers {known})")

    def _learn_bearer(
        self, area: Area, scopes: Scopes, offers: Sequence[Challenge], sent: str | None, *, bought: bool
    ) -> None:
        offer, realm = (Challenge("bearer"), "") if bought else self._token_server(offers)
        area.turn_to(realm, offer.params.get("service", ""))
        holder = area.holder(scopes, sent)
        lacking = offer.params.get("error") == "insufficient_scope"
        if holder is not None and holder.strike:
            whose = "the registrytoken" if bought else f"a fresh token for {in_words(scopes)} from {name_realm(realm)}"
            denial = self._denial(f"refused {whose}; {CHECK}")
            raise Forbidden(str(denial)) if lacking and any(map(Scope.pushes, scopes)) else denial
        renamed = area.hear(scopes, offer.params.get("scope", ""), refused=holder)
        if holder is None:  # nothing was sent, or a token that is replaced already
            return
        holder.token = None
        holder.strike = "scope" if lacking and not renamed else "token"

    def _token_server(self, offers: Sequence[Challenge]) -> tuple[Challenge, str]:
        """Return the first offer of tokens whose token server may see a login, and its URL."""
        refusal: AccessDenied | Refused = self._denial("wants a token but does not say from where")
        for offer in offers:
            if offer.scheme == "bearer" and offer.params.get("realm"):
                try:
                    realm = resolve_realm(self._host, offer.params["realm"].strip(), local_realms=self._local_realms)
                except Refused as error:
                    refusal = error
                    continue
                if offer.params["realm"].lower().startswith("http:") and realm.startswith("https:"):
                    self._warn("it names its token server in plain http, and that is asked in https", "")
                return offer, realm
        raise refusal

    def _denial(self, why: str) -> AccessDenied:
        return AccessDenied(f"{self._host.name} {why}")
