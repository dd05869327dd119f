"""One POST to a URL that is the operator's own and no registry: no login but the URL's, no redirects, no body read."""

from __future__ import annotations

import ssl
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from urllib.parse import unquote, urlsplit, urlunsplit

from regsync.errors import Refused
from regsync.registry.http.detour import TRUST
from regsync.registry.http.proxies import Proxies
from regsync.registry.http.retry import retry_after
from regsync.registry.http.tls import trust_elsewhere
from regsync.registry.http.wire import Wire


class Courier:
    """Sends documents over these connections; `environ` says which proxy is taken and who is to be trusted."""

    def __init__(self, wire: Wire, environ: Mapping[str, str]) -> None:
        self._wire = wire
        self._environ = environ

    async def post(self, url: str, body: bytes, *, user_agent: str, now: datetime) -> tuple[int, float | None]:
        """Send a JSON document; return the status and how many seconds we are asked to wait, if we are.

        What it answers is nobody's business. `Refused`, `Unavailable`: it could not be sent.
        """
        bare, login = _without_login(url)
        headers = (("Content-Type", "application/json"), ("User-Agent", user_agent), *login)
        tls = self._trusted if url.startswith("https:") else True
        proxy = Proxies(self._environ).of(bare)
        try:
            reply = await self._wire.open("POST", bare, headers, body, tls=tls, proxy=proxy, reach=None)
        except Refused as error:
            if not isinstance(error.__cause__, ssl.SSLCertVerificationError) or TRUST in str(error):  # the proxy's
                raise
            raise Refused(f"its TLS certificate is not trusted; {TRUST}") from error
        await reply.leave()
        return reply.status, retry_after(reply.headers.get("retry-after", ""), now)

    def trust_anew(self) -> None:
        """Read anew who is to be trusted when that is asked for next: the files may be other ones."""
        self.__dict__.pop("_trusted", None)

    @cached_property
    def _trusted(self) -> ssl.SSLContext:
        return trust_elsewhere("hooks", self._environ)


def _without_login(url: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the URL as it may be sent, and the header its user and password become."""
    parts = urlsplit(url)
    login, at, place = parts.netloc.rpartition("@")
    if not at:
        return url, ()
    pair = b64encode(unquote(login).encode()).decode()
    return urlunsplit(parts._replace(netloc=place)), (("Authorization", f"Basic {pair}"),)
