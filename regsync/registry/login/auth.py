"""How a registry's 401 becomes an Authorization header: the state machine of one host, with no network of its own.

Nothing is sent before a registry asks for it. What it asks is remembered for the host (with `repoAuth`, for each
repository), so that later requests carry their header at once. Tokens are bought for exactly the scopes of a request
and shared by all who wait for the same ones. Refusals are remembered: a thousand tags cost one request, a thousand
repositories one failed login, and accounts stay unlocked. `area.py` has the table of all states.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Never

from regsync.clock import Clock
from regsync.errors import AccessDenied, Malformed, Refused
from regsync.registry.host import HostSettings
from regsync.registry.login.area import Area
from regsync.registry.login.challenge import Challenge, parse_challenges
from regsync.registry.login.credentials import LASTING, Credential, CredentialSource
from regsync.registry.login.memory import Memory
from regsync.registry.login.purchase import CHECK, Purchases
from regsync.registry.login.realm import name_realm, resolve_realm
from regsync.registry.login.scope import Scopes, in_words
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


class Authenticator:
    """Knows what one registry wants to see, and gets it.

    `fetch` asks a token server once, guarded and without redirects; what it raises goes through, and whether the
    whole is tried again is for the caller to say. `local_realms` answers whether the registry itself is at a private
    or loopback address, so that its token server may be; it is asked only of realms that are literal addresses. Tokens
    are made known to `secrets`.
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
    ) -> None:
        self._host = host
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

        async with alone(untried):
            yield await self.header(scopes)

    async def header(self, scopes: Scopes) -> str | None:
        """Return the Authorization value for the next request, None while nothing asked for one.

        `AccessDenied` at once where these scopes, or the login, were refused before.
        """
        self._areas.tidy(self._clock.monotonic())
        area = self._area(scopes)
        area.tidy(self._clock.monotonic())
        area.grant(scopes).check_refusal(self._clock.monotonic())
        if area.scheme == "bearer" and not area.must_hear(scopes):
            return f"Bearer {await self._purchases.token(area, scopes)}"
        if area.scheme == "basic":
            credential = await self._credentials.get()
            if credential is not None and credential.basic:
                area.check_login(credential, self._clock.monotonic())
                return basic_header(credential)
        return None

    async def challenged(self, scopes: Scopes, challenges: Sequence[str], *, sent: str | None) -> None:
        """Learn from a 401 to a request that carried `sent`; `AccessDenied` when nothing new can be tried."""
        area, lasting = self._area(scopes), _NO_LOGIN
        shown: Credential | None = None
        try:
            credential = await self._credentials.get()
            lasting = LASTING
            if credential is not None and credential.basic and sent == basic_header(credential):
                shown = credential
            offers = self._read(challenges)
            if shown is not None and "basic" in offers:
                credential = await self._credentials.instead_of(shown) or credential
            self._learn(scopes, offers, sent, credential)
        except (AccessDenied, Refused) as error:
            area.refuse(scopes, error, until=self._clock.monotonic() + lasting, shown=shown)
            raise
        finally:
            area.settle(scopes)

    def accepted(self, scopes: Scopes, *, sent: str | None) -> None:
        """Note that a request with this header got another answer than 401; to be called after each of those.

        Without it, a second early end of a token could not be told from a token that never worked.
        """
        self._area(scopes).accept(scopes, sent)

    def is_fine(self, scopes: Scopes, *, sent: str | None) -> bool:
        """Say whether a 401 is hardly about this login: there was none, it is a token, or it was taken before."""
        return sent is None or sent.startswith("Bearer ") or "basic" in self._area(scopes).answered

    def _area(self, scopes: Scopes) -> Area:
        name = scopes[0].name if self._host.repo_auth and scopes else ""
        return self._areas[name]

    def _read(self, challenges: Sequence[str]) -> dict[str, Challenge]:
        try:
            offers = parse_challenges(challenges)
        except Malformed as error:
            raise AccessDenied(f"{self._host.name} wants a login, but how cannot be read: {error}") from error
        return {offer.scheme: offer for offer in reversed(offers)}

    def _learn(
        self, scopes: Scopes, offers: dict[str, Challenge], sent: str | None, credential: Credential | None
    ) -> None:
        area, basic = self._area(scopes), basic_header(credential) if credential and credential.basic else ""
        if basic and sent == basic and ("basic" in offers or "bearer" not in offers):
            self._deny(f"refused the user name and password{area.about(scopes, login=credential)}; {CHECK}")
        if basic and "basic" in offers:
            area.scheme = "basic"
        elif "bearer" in offers:
            self._learn_bearer(area, scopes, offers["bearer"], sent)
        elif "basic" in offers:
            lack = f"{self._host.helper} holds none" if self._host.helper else "none are configured"
            self._deny(f"wants a user name and password for {in_words(scopes)} and {lack}; {CHECK}")
        else:
            known = ", ".join(sorted(scheme[:40] for scheme in offers)[:5]) or "nothing"
            self._deny(f"refused {in_words(scopes)} and offers no login we know (it offers {known})")

    def _learn_bearer(self, area: Area, scopes: Scopes, offer: Challenge, sent: str | None) -> None:
        if not offer.params.get("realm"):
            self._deny("wants a token but does not say from where")
        realm = resolve_realm(self._host, offer.params["realm"], local_realms=self._local_realms)
        area.turn_to(realm, offer.params.get("service", ""))
        holder = area.holder(scopes, sent)
        if holder is not None and holder.strike:
            self._deny(f"refused a fresh token for {in_words(scopes)} from {name_realm(realm)}; {CHECK}")
        renamed = area.hear(scopes, offer.params.get("scope", ""), refused=holder)
        if holder is None:  # nothing was sent, or a token that is replaced already
            return
        holder.token = None
        lacking = offer.params.get("error") == "insufficient_scope" and not renamed
        holder.strike = "scope" if lacking else "token"

    def _deny(self, why: str) -> Never:
        raise AccessDenied(f"{self._host.name} {why}")
