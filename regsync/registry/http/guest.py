"""Tokens for anybody, bought where a registry sends us on to another one that wants a token (gateways, vanity names).

Nothing of ours is shown there: no login, no token of the registry that was asked first. What is bought goes to the
place that asked for it and nowhere else, and its token server is judged as that of any registry.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlencode, urlsplit

from regsync.clock import Clock
from regsync.errors import Malformed, Refused, Unavailable
from regsync.registry.host import HostSettings
from regsync.registry.http.redirect import Origin, origin_of
from regsync.registry.login.challenge import Challenge, parse_challenges
from regsync.registry.login.realm import name_realm, resolve_realm
from regsync.registry.login.token import Fetch, Token, TokenRequest, read_token

_MOST = 64  # places


class Guest:
    """What other registries give to anybody; `local_realms` as in `Authenticator`."""

    def __init__(self, fetch: Fetch, *, clock: Clock, local_realms: Callable[[], bool]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._local_realms = local_realms
        self._held: dict[Origin, Token] = {}

    def header(self, url: str) -> str | None:
        """Return the Authorization for this place, if a token of its own is held."""
        token = self._held.get(origin_of(url))
        return None if token is None or token.stale <= self._clock.monotonic() else f"Bearer {token.value}"

    async def challenged(self, url: str, lines: Sequence[str]) -> bool:
        """Buy what this place asks for with its 401; False where it is not to be had without a login."""
        refused = self._held.pop(origin_of(url), None)
        with suppress(Malformed, Refused, Unavailable):
            wanted = next((one for one in parse_challenges(lines) if one.scheme == "bearer"), None)
            if wanted is None or (refused is not None and not wanted.params.get("scope")):
                return False
            token = await self._bought(url, wanted)
            if token is not None:
                if len(self._held) >= _MOST:
                    self._held.clear()
                self._held[origin_of(url)] = token
                return True
        return False

    async def _bought(self, url: str, wanted: Challenge) -> Token | None:
        place = urlsplit(url)
        host = HostSettings(place.netloc, place.netloc, tls="disabled" if place.scheme == "http" else "enabled")
        realm = resolve_realm(host, wanted.params.get("realm", ""), local_realms=self._local_realms)
        query = urlencode({name: wanted.params[name] for name in ("service", "scope") if wanted.params.get(name)})
        joint = "&" if "?" in realm else "?"
        answer = await self._fetch(TokenRequest("GET", f"{realm}{joint}{query}", {"Accept": "application/json"}))
        if not 200 <= answer.status < 300:
            return None
        return read_token(answer.body, clock=self._clock, source=name_realm(realm))
