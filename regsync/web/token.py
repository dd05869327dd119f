"""Who may tell the daemon what to do: whoever has the token of the configuration in force.

A wrong one is refused after the same time as any other, and after five in a minute an address is not listened to at
all, not even with the right one: who guesses would see by that which one it is. For the same reason a right one takes
nothing back. Everybody behind a proxy, or at a socket, is one address, and so is a network of IPv6 as one household has
it.
"""

from __future__ import annotations

import hmac
import math
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from regsync.clock import Clock
from regsync.events import Tell, Warned
from regsync.web.parameters import Refused

_MOST: Final = 5  # wrong tokens
_WITHIN: Final = 60.0  # seconds
_ADDRESSES: Final = 1000  # that are remembered, the last ones
_HOUSEHOLD: Final = 64  # bits of an IPv6 address that are not chosen at will
_CHALLENGE: Final = 'Bearer realm="regsync"'
SOCKET: Final = "socket"


class Door:
    """Lets in whoever has the token; `token` is asked each time."""

    def __init__(self, token: Callable[[], str], *, clock: Clock, tell: Tell) -> None:
        self._token = token
        self._clock = clock
        self._tell = tell
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()  # moments, by address

    def admit(self, authorization: str, client: str) -> None:
        """Return if this header has the token; `Refused` otherwise, and if there is none."""
        token = self._token()
        if not token:
            raise Refused(403, "nothing can be told here: server.token in the configuration turns it on")
        address = _address(client)
        self._heed(address)
        scheme, _, given = authorization.partition(" ")
        right = _same(given.strip(), token)
        if right and scheme.lower() == "bearer":
            return
        self._note(address, client)
        challenge = f'{_CHALLENGE}, error="invalid_token"' if authorization else _CHALLENGE
        raise Refused(401, "expected server.token, as Authorization: Bearer TOKEN", {"WWW-Authenticate": challenge})

    def _heed(self, address: str) -> None:
        """Raise `Refused` while there were too many wrong tokens from an address."""
        failures = self._failures.get(address, deque())
        now = self._clock.monotonic()
        while failures and failures[0] <= now - _WITHIN:
            failures.popleft()
        if len(failures) >= _MOST:
            pause = math.ceil(failures[0] + _WITHIN - now)
            why = f"too many wrong tokens from here; nothing is listened to for {pause} s"
            raise Refused(429, why, {"Retry-After": f"{pause}"})

    def _note(self, address: str, client: str) -> None:
        failures = self._failures.setdefault(address, deque())
        failures.append(self._clock.monotonic())
        self._failures.move_to_end(address)
        if len(self._failures) > _ADDRESSES:
            self._failures.popitem(last=False)
        if len(failures) == _MOST:
            self._tell(Warned("Too many wrong tokens", {"client": client, "within": _WITHIN}))


def _same(given: str, token: str) -> bool:
    """Compare in a time that tells nothing, neither of what is the same nor of how long it is."""
    return hmac.compare_digest(*(sha256(text.encode("utf-8", "surrogateescape")).digest() for text in (given, token)))


def _address(client: str) -> str:
    with suppress(ValueError):
        address = ip_address(client.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
            return f"{IPv6Network((address, _HOUSEHOLD), strict=False)}"
    return client
