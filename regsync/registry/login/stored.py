"""One entry of `auths`: the secrets docker, podman or a hand has written there, in every way that means a login."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from regsync.errors import Malformed
from regsync.registry.login.helper import NO_USER

_STANDARD = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class StoredLogin:
    """User and password, a token that buys tokens (`identitytoken`), or one for the registry (`registrytoken`)."""

    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)


def stored_login(auth: Mapping[str, object], where: str) -> StoredLogin | str | None:
    """Return the login an entry holds, None when it is empty, as docker leaves it behind a store, or why it is none.

    `auth` goes before `username` and `password`; nothing of a value is quoted. `Malformed`: a value is no text.
    """
    user, password = text_of(auth.get("username"), where), text_of(auth.get("password"), where)
    token, registry_token = text_of(auth.get("identitytoken"), where), text_of(auth.get("registrytoken"), where)
    encoded, decoded = text_of(auth.get("auth"), where), ""
    if encoded:
        decoded = _decoded(encoded)
        if ":" in decoded:
            user, _, password = decoded.partition(":")
    password = password.rstrip("\0\r\n")  # which `echo` and C put behind a password
    if user in NO_USER and password:
        user, password, token = "", "", token or password
    if token or registry_token or (user and password):
        return StoredLogin(user, password, token, registry_token)
    if encoded and ":" not in decoded:
        return "its auth is not user:password in base64"
    return "it has a user name and no password" if user else None


def text_of(value: object, where: str) -> str:
    """Return a text, empty where there is none."""
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{where}: it is no text")
    return value or ""


def _decoded(encoded: str) -> str:
    """Return what was encoded, in either alphabet, folded and padded or not; nothing if it is no base64 of a text."""
    packed = "".join(encoded.split()).translate(_STANDARD).rstrip("=")
    try:
        return b64decode(packed + "=" * (-len(packed) % 4), validate=True).decode()
    except ValueError:
        return ""
