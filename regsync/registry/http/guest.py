"""Tokens for anybody, bought where a registry sends us on to another one that wants a token (gateways, vanity names).

Nothing of ours is shown there: no login, no token of the registry that was asked first. What is bought goes to the
place that asked for it and nowhere else, and its token server is judged as that of any registry.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import quote, urlencode, urlsplit

from regsync.clock import Clock
from regsync.errors import Malformed, Refused, Unavailable
from regsync.registry.host import HostSettings
from regsync.registry.http.redirect import Origin, origin_of
from regsync.registry.http.retry import retry_after
from regsync.registry.login.challenge import Challenge, parse_challenges
from regsync.registry.login.realm import name_realm, resolve_realm
from regsync.registry.login.token import Fetch, Token, TokenRequest, read_token

_MOST = 256  # places
_LATER = (408, 425, 429)  # and every 5xx
_REPOSITORY = re.compile(r"/.+/(?=(?:manifests|blobs|tags|referrers)/)")
Place = tuple[Origin, str]  # and the path of a repository: a token is for one


class Guest:
    """What other registries give to anybody; `local_realms` as in `Authenticator`."""

    def __init__(self, fetch: Fetch, *, clock: Clock, local_realms: Callable[[], bool]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._local_realms = local_realms
        self._held: dict[Place, Token] = {}
        self._buying = asyncio.Lock()

    def header(self, url: str) -> str | None:
        """Return the Authorization for this place, if a token of its own is held."""
        token = self._held.get(_place_of(url))
        return None if token is None or token.stale <= self._clock.monotonic() else f"Bearer {token.value}"

    async def challenged(self, url: str, lines: Sequence[str], *, sent: str | None) -> bool:
        """Buy what this place asks for with its 401; False where it is not to be had without a login.

        `sent` is the header it was asked with. `Unavailable`: its token server is in trouble, or asks to wait.
        """
        async with self._buying:
            held = self.header(url)
            if held is not None and held != sent:  # somebody else was faster
                return True
            refused = self._held.pop(_place_of(url), None)
            with suppress(Malformed, Refused):
                token = await self._bought(url, lines, again=refused is not None)
                if token is not None:
                    if len(self._held) >= _MOST:
                        self._held.clear()
                    self._held[_place_of(url)] = token
                    return True
        return False

    async def _bought(self, url: str, lines: Sequence[str], *, again: bool) -> Token | None:
        wanted = next((one for one in parse_challenges(lines) if one.scheme == "bearer"), None)
        if wanted is None or (again and not wanted.params.get("scope")):
            return None
        place = urlsplit(url)
        host = HostSettings(place.netloc, place.netloc, tls="disabled" if place.scheme == "http" else "enabled")
        realm = resolve_realm(host, wanted.params.get("realm", ""), local_realms=self._local_realms)
        query = [("service", wanted.params.get("service", "")), *(("scope", one) for one in _scopes_of(wanted))]
        joint = "&" if "?" in realm else "?"
        asked = f"{realm}{joint}{urlencode([pair for pair in query if pair[1]], quote_via=quote)}"
        answer = await self._fetch(TokenRequest("GET", asked, {"Accept": "application/json"}))
        if answer.status >= 500 or answer.status in _LATER:
            pause = retry_after(answer.retry_after, self._clock.now())
            raise Unavailable(f"the token server {name_realm(realm)} answered {answer.status}", retry_after=pause)
        if answer.good:
            with suppress(Unavailable):  # a page, or nothing
                return read_token(answer.body, clock=self._clock, source=name_realm(realm))
        return None


def _scopes_of(wanted: Challenge) -> list[str]:
    return wanted.params.get("scope", "").split()


def _place_of(url: str) -> Place:
    found = _REPOSITORY.match(urlsplit(url).path)
    return origin_of(url), found[0] if found else ""
