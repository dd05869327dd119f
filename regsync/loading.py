"""A configuration file is read and checked with all that the engine knows of what is right, as often as asked for."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from io import BytesIO

from regsync.clock import SystemClock
from regsync.config.hooks import secrets_in, webhooks_of
from regsync.config.load import FILE_MAX, Checks, Loaded, load_config
from regsync.config.model import Config, Cred
from regsync.config.receivers import secrets_of
from regsync.config.templated import Surroundings
from regsync.daemon.schedule import parse_schedule
from regsync.notify.others import check_service
from regsync.registry.host import HostSettings
from regsync.registry.http.proxies import proxy_logins
from regsync.registry.login.name import check_registry_name
from regsync.secrets import Secrets
from regsync.sync.patterns import check_pattern
from regsync.sync.semver import check_range
from regsync.watching import Watched


class Source:
    """Where a configuration comes from. What is not a file (a pipe, standard input) is read once and remembered.

    `read` is what was read to make the last one of it, and whatever else others note there.
    """

    def __init__(self, path: str, *, allow_unknown_keys: bool, skip_invalid_entries: bool = False) -> None:
        self._path = path
        self._allow_unknown_keys = allow_unknown_keys
        self._skip_invalid_entries = skip_invalid_entries
        self._content: bytes | None = None
        self.read = Watched()

    def load(self, keep: Callable[[str], None], traps: list[str] | None = None) -> Loaded:
        """Read and check it; `ConfigError` lists everything that is wrong.

        `keep` is given what templates learn that must not be shown, be the file of use or not. `traps` takes a line for
        whatever regclient's regsync ignores or reads otherwise than it looks.
        """
        self.read = Watched()
        if self._content is None:
            self._content = _passing(self._path)
        if self._content is None:
            self.read.note(self._path)
        return load_config(
            self._path,
            checks=_checks(),
            allow_unknown_keys=self._allow_unknown_keys,
            skip_invalid_entries=self._skip_invalid_entries,
            stdin=None if self._content is None else BytesIO(self._content),
            traps=traps,
            surroundings=Surroundings(os.environ, SystemClock().now, keep, self.read.note),
        )


def load(path: str, *, allow_unknown_keys: bool, skip_invalid_entries: bool = False) -> Loaded:
    """Read and check a configuration file once."""
    source = Source(path, allow_unknown_keys=allow_unknown_keys, skip_invalid_entries=skip_invalid_entries)
    return source.load(keep=lambda _: None)


def load_text(text: str, name: str) -> Loaded:
    """Check a configuration without templates that is to become the file of this name."""
    return load_config(name, checks=_checks(), stdin=BytesIO(text.encode()))


def _checks() -> Checks:
    return Checks(
        pattern=check_pattern,
        semver_range=check_range,
        schedule=_check_schedule,
        registry=check_registry_name,
        service=check_service,
    )


def _passing(path: str) -> bytes | None:
    """Return the content of what can be read but once; None for a file, and for what cannot be read at all."""
    if path == "-":
        return sys.stdin.buffer.read(FILE_MAX + 1)
    with suppress(OSError, ValueError):
        if not stat.S_ISREG(mode := os.stat(path).st_mode) and not stat.S_ISDIR(mode):  # noqa: PTH116  # as typed
            with open(path, "rb") as stream:  # noqa: PTH123
                return stream.read(FILE_MAX + 1)
    return None


def _check_schedule(text: str) -> None:
    parse_schedule(text)


def keep_secrets(logins: Iterable[Cred | HostSettings], secrets: Secrets) -> None:
    """Take note of what is secret in these."""
    for login in logins:
        secrets.keep(login.password, user=login.user)
        secrets.keep(login.token)
        secrets.keep(login.client_key)


def keep_other_secrets(config: Config, secrets: Secrets) -> None:
    """Take note of the daemon's token, and of what may be secret in the URLs of hooks and of whoever is notified."""
    secrets.keep(config.server.token)
    for url in webhooks_of(config):
        for secret, user in secrets_in(url):
            secrets.keep(secret, user=user)
    for item in config.defaults.notify:
        for secret in secrets_of(item):
            secrets.keep(secret)


def keep_proxy_secrets(environ: Mapping[str, str], secrets: Secrets) -> None:
    """Take note of the logins in the URLs of proxies; a user without a password is a token."""
    for user, password in proxy_logins(environ):
        secrets.keep(password or user, user=user if password else "")
