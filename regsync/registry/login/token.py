"""The token server's protocol: what is asked, and what is made of the answer (distribution, "token" and "oauth2")."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import quote, urlencode

from regsync.clock import Clock
from regsync.errors import Unavailable
from regsync.registry.login.credentials import Credential
from regsync.registry.login.scope import Scope

_LIFETIME = 60.0  # seconds a token lives at least, says the specification
_LONGEST = 7 * 86400.0  # seconds: nobody is believed more
_SHORTEST = 5.0  # seconds left that are taken for granted, so that a skewed clock makes no storm
_SPENT = 0.8  # of its life, after which a token is replaced
_TOKEN = re.compile(r"[!-~]{1,65536}")  # it becomes a header: printable ASCII without spaces
_LENIENT = "surrogatepass"  # letters nobody has, in a login or a service, are for the other side to judge


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """One request to a token server; `body` is a form when it is a POST. Secrets stay out of repr."""

    method: Literal["GET", "POST"]
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def shows_login(self) -> bool:
        """Say whether an answer to this is one about a login, and not about anybody."""
        return self.method == "POST" or "Authorization" in self.headers


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the token server said, with its Retry-After header; the body may be a secret and stays out of repr."""

    status: int
    body: bytes = field(repr=False)
    retry_after: str = ""

    @property
    def good(self) -> bool:
        """Say whether it was granted: some say 201 where 200 belongs."""
        return 200 <= self.status < 300


Fetch = Callable[[TokenRequest], Awaitable[TokenAnswer]]


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token, to be replaced from `stale` on (monotonic); `refresh` buys further ones, if it is not empty."""

    value: str = field(repr=False)
    stale: float
    refresh: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class TokenServer:
    """Where tokens are to be had, for which service, and who we say we are."""

    url: str = field(repr=False)
    service: str
    client: str

    def with_refresh(self, refresh: str, scopes: tuple[Scope, ...]) -> TokenRequest:
        """Return the request that buys a token with an identity or refresh token."""
        return self._posted({"grant_type": "refresh_token", "refresh_token": refresh}, scopes)

    def with_password(self, credential: Credential, scopes: tuple[Scope, ...]) -> TokenRequest:
        """Return the request with user and password for a server that wants them in a form (OAuth2)."""
        login = {"grant_type": "password", "username": credential.user, "password": credential.password}
        return self._posted(login, scopes)

    def _posted(self, grant: Mapping[str, str], scopes: tuple[Scope, ...]) -> TokenRequest:
        form = {**grant, "client_id": self.client}
        form |= {"scope": " ".join(map(str, scopes))} if scopes else {}
        form |= {"service": self.service} if self.service else {}
        headers = {"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"}
        return TokenRequest("POST", self.url, headers, urlencode(form, errors=_LENIENT).encode())

    def with_login(self, credential: Credential | None, scopes: tuple[Scope, ...]) -> TokenRequest:
        """Return the request that asks for a token with user and password, or without any."""
        query = [("client_id", self.client), *(("scope", str(scope)) for scope in scopes)]
        headers = {"Accept": "application/json"}
        if self.service:
            query.append(("service", self.service))
        if credential is not None and credential.user:
            query.insert(0, ("account", credential.user))
        if credential is not None and credential.basic:
            headers["Authorization"] = basic_header(credential)
        joint = "&" if "?" in self.url else "?"
        return TokenRequest("GET", f"{self.url}{joint}{urlencode(query, quote_via=quote, errors=_LENIENT)}", headers)


def basic_header(credential: Credential) -> str:
    """Return the Authorization value of a user and password (RFC 7617)."""
    return "Basic " + b64encode(f"{credential.user}:{credential.password}".encode(errors=_LENIENT)).decode()


def read_token(body: bytes, *, clock: Clock, source: str) -> Token:
    """Return the token in a good answer; `Unavailable` when there is none in it: a glitch on the way, or a page."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None  # and not the cause: it would hold the body
    if not isinstance(document, dict):
        raise Unavailable(f"the token server {source} sent something that is no token")
    fields = {name.lower(): value for name, value in document.items()}  # programs in Go do not mind the case
    value = _text_of(fields.get("access_token")) or _text_of(fields.get("token"))
    if not value:
        raise Unavailable(f"the token server {source} sent an answer without a token")
    refresh = _text_of(fields.get("refresh_token"))
    left = _left(fields.get("expires_in"), fields.get("issued_at"), clock.now())
    return Token(value, clock.monotonic() + _SPENT * left, refresh)


def _text_of(token: object) -> str:
    """Return a token that can be sent, empty if it is none."""
    text = token.strip() if isinstance(token, str) else ""
    return text if _TOKEN.fullmatch(text) else ""


def _left(expires_in: object, issued_at: object, now: datetime) -> float:
    """Return the seconds a token has still to live; an `issued_at` that makes no sense is now."""
    if isinstance(expires_in, str):
        with suppress(ValueError):
            expires_in = float(expires_in)
    life = expires_in if isinstance(expires_in, int | float) and not isinstance(expires_in, bool) else _LIFETIME
    life = float(max(_LIFETIME, min(life, _LONGEST)))  # before float(), which huge integers overflow; NaN is the least
    try:
        issued = datetime.fromisoformat(issued_at) if isinstance(issued_at, str) else now
        age = (now - issued).total_seconds()
    except (ValueError, TypeError, OverflowError):  # not a date, or one without a zone
        return life
    return max(_SHORTEST, life - age) if 0 <= age < life else life
