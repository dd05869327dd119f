"""Buying tokens: in every way a token server knows, once for all who want the same, with a login that is good."""

from __future__ import annotations

from dataclasses import replace

from regsync.clock import Clock
from regsync.errors import AccessDenied, Refused, Unavailable
from regsync.registry.http.complaint import words_of
from regsync.registry.http.retry import retry_after
from regsync.registry.login.area import Area
from regsync.registry.login.credentials import LASTING, Credential, CredentialSource
from regsync.registry.login.desk import Desk
from regsync.registry.login.helper import NO_USER
from regsync.registry.login.memory import Memory
from regsync.registry.login.realm import name_realm
from regsync.registry.login.scope import Scopes
from regsync.registry.login.token import Fetch, Token, TokenAnswer, TokenRequest, TokenServer, read_token
from regsync.registry.login.trial import alone
from regsync.secrets import Secrets

CHECK = "check its entry in creds or the docker config"
_NOT_YOU = (400, 401, 403)  # a token server that may not like the login (400: RFC 6749, section 5.2)
_NO_SUCH_GRANT = (404, 405, 501)  # a token server that knows no refresh tokens
_NO_SUCH_METHOD = (405, 501)  # one that gives tokens to forms alone
_BUSY = (429, 503)
_LATER = (408, 425, 429)  # and every 5xx


class Purchases:
    """The tokens of one registry, from wherever it sends us."""

    def __init__(
        self,
        host: str,
        credentials: CredentialSource,
        fetch: Fetch,
        *,
        user_agent: str,
        clock: Clock,
        secrets: Secrets,
    ) -> None:
        self._host = host
        self._credentials = credentials
        self._fetch = fetch
        self._user_agent = user_agent
        self._clock = clock
        self._secrets = secrets
        self._desks = Memory[str, Desk](lambda at: Desk(f"the token server {at} of {host}", clock=clock))

    async def token(self, area: Area, scopes: Scopes) -> str:
        """Return a token that serves these scopes; of all who wait for one, one fetches it."""
        for held in area.serving(scopes):
            if held.token is not None and self._clock.monotonic() < held.token.stale:
                return held.token.value
        grant = area.grant(scopes)
        server = TokenServer(area.realm, area.service, self._user_agent)
        seen = self._desk(server).failures
        async with grant.lock:
            now = self._clock.monotonic()
            grant.check_refusal(now)
            token = grant.token
            if token is None or now >= token.stale:
                token = await self._renew(area, scopes, server, seen=seen)
                grant.take(token)
            return token.value

    async def _renew(self, area: Area, scopes: Scopes, server: TokenServer, *, seen: int) -> Token:
        credential = await self._credentials.get()
        if credential is not None and credential.registry_token:
            return Token(credential.registry_token, self._clock.monotonic() + LASTING)
        async with alone(lambda: area.untried_login(credential, self._clock.monotonic())):
            shown: Credential | None = None
            try:
                async with self._desk(server).turn(seen):
                    used, request, answer = await self._ask(area, server, area.called(scopes), credential)
                    shown = used if answer.status == 401 and request.shows_login else None
                    about = area.about(scopes, login=shown)
                    token = self._accept(server, answer, about, shown=request.shows_login)
            except (AccessDenied, Refused) as error:
                area.refuse(scopes, error, until=self._clock.monotonic() + LASTING, shown=shown, way="token")
                raise
            area.take_refresh(token.refresh, of=(server.url, server.service))
            area.prove("token")
        return token

    async def _ask(
        self, area: Area, server: TokenServer, scopes: Scopes, credential: Credential | None
    ) -> tuple[Credential | None, TokenRequest, TokenAnswer]:
        """Ask with this login and, when it is refused, with the one that took its place; return which it was."""
        request, answer = await self._buy(area, server, scopes, credential)
        if credential is not None and request.shows_login and answer.status in _NOT_YOU:
            other = await self._credentials.instead_of(credential)
            if other is not None:
                return other, *await self._buy(area, server, scopes, other)
        return credential, request, answer

    async def _buy(
        self, area: Area, server: TokenServer, scopes: Scopes, credential: Credential | None
    ) -> tuple[TokenRequest, TokenAnswer]:
        """Ask in every way there is until one succeeds; return the last request and its answer."""
        own = credential.token if credential is not None else ""
        for refresh in dict.fromkeys(filter(None, (area.refresh, own))):
            request = server.with_refresh(refresh, scopes)
            answer = await self._answer_to(request)
            if answer.good or answer.status in _BUSY:
                return request, answer
            area.drop_refresh(refresh)
            if refresh == own and not (credential and credential.basic) and answer.status not in _NO_SUCH_GRANT:
                return request, answer  # which is a failure: a refused login does not become anonymous
        known = replace(credential, user=credential.user or NO_USER[1], password=own) if credential and own else None
        basic = credential if credential is None or credential.basic else known or credential
        request = server.with_login(basic, scopes)
        answer = await self._answer_to(request)
        if answer.status in _NO_SUCH_METHOD and credential is not None and credential.basic:
            request = server.with_password(credential, scopes)
            answer = await self._answer_to(request)
        return request, answer

    async def _answer_to(self, request: TokenRequest) -> TokenAnswer:
        try:
            return await self._fetch(request)
        except Refused as error:
            raise Refused(f"the token server {name_realm(request.url)} of {self._host}: {error}") from error

    def _accept(self, server: TokenServer, answer: TokenAnswer, about: str, *, shown: bool) -> Token:
        source = f"{name_realm(server.url)} of {self._host}"
        if answer.good:
            token = read_token(answer.body, clock=self._clock, source=source)
            self._secrets.add(token.value)
            self._secrets.add(token.refresh)
            return token
        if answer.status >= 500 or answer.status in _LATER:
            pause = retry_after(answer.retry_after, self._clock.now())
            if pause is not None:
                self._desk(server).pause(pause)
            raise Unavailable(f"the token server {source} answered {answer.status}", retry_after=pause)
        said = f"{answer.status} {words_of(answer.body, pages=False)}".rstrip()
        if answer.status in {401, 403}:
            no = "refused the login" if shown else "gives nobody a token without a login, and none is configured,"
            raise AccessDenied(f"the token server {source} {no}{about} ({said}); {CHECK}")
        away = ": it sends us elsewhere, where no login goes" if 300 <= answer.status < 400 else ""
        raise AccessDenied(f"the token server {source} answered {said}{about}{away}")

    def _desk(self, server: TokenServer) -> Desk:
        self._desks.tidy(self._clock.monotonic())
        return self._desks[name_realm(server.url)]
