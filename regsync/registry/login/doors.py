"""Which login a request goes with, where some repositories of a registry have one of their own."""

from __future__ import annotations

from collections.abc import Callable

from regsync.registry.host import HostSettings
from regsync.registry.login.auth import Authenticator
from regsync.registry.login.scope import Scopes


class Doors:
    """The authenticators of one registry: one for all of it, and one for each path with a login of its own."""

    def __init__(self, host: HostSettings, make: Callable[[HostSettings], Authenticator]) -> None:
        self._whole = make(host)
        longest_first = sorted(host.below, key=lambda login: -len(login.path))
        self._below = [(f"{login.path}/", make(host.logged_in(login))) for login in longest_first]

    def of(self, scopes: Scopes) -> Authenticator:
        """Return who knows the login for the first of these scopes: that of the longest path it lies at or below."""
        if scopes and scopes[0].kind == "repository":
            for path, auth in self._below:
                if f"{scopes[0].name}/".startswith(path):
                    return auth
        return self._whole
