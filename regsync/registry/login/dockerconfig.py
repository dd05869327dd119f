"""The logins docker keeps: `config.json`, `DOCKER_AUTH_CONFIG`, and the helpers they name.

A host is written under several names there, so keys are normalised; of two that mean one host the later one wins, and
of the ways to log in `credHelpers` wins over `credsStore` and that over `auths`, as in docker. A file that cannot be
read drops every imported host: half a file would send anonymous requests where a login was meant.
"""

from __future__ import annotations

import json
import os
import pwd
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from regsync.errors import AccessDenied, Malformed
from regsync.registry.host import Tls
from regsync.registry.login.helper import PATIENCE, list_helper
from regsync.registry.login.name import RegistryName, normalise_registry_name

_LARGEST = 4 << 20  # bytes of config.json that are read
_PROGRAM = "docker-credential-"


@dataclass(frozen=True, slots=True)
class DockerLogin:
    """How to log in at one host: stored secrets, or the helper that has them (then the others are empty)."""

    hostname: str
    tls: Tls | None
    credential_host: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    helper: str = ""


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """Logins by host name, and lines to warn the operator with.

    `store` is the program of `credsStore`, not asked yet (see `ask_store`); it knows better than the entries named in
    `below_store`.
    """

    entries: Mapping[str, DockerLogin] = field(default_factory=dict)
    store: str = ""
    below_store: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def load_docker_config(environ: Mapping[str, str]) -> DockerConfig:
    """Return the logins of the file and then of the variable; missing ones are empty, broken ones drop all."""
    config = DockerConfig()
    try:
        for origin, text in _texts(environ):
            config = _merge(config, _parse(origin, text))
    except Malformed as error:
        return DockerConfig(warnings=(f"Failed to load docker creds: {error}",))
    return config


async def ask_store(config: DockerConfig, *, environ: Mapping[str, str], patience: float = PATIENCE) -> DockerConfig:
    """Return the configuration with the hosts `credsStore` lists, each asked for its login when it is needed.

    Nothing runs when there is no store. One that fails adds a warning and no host: which it has was never said.
    """
    if not config.store:
        return config
    try:
        servers = await list_helper(config.store, environ=environ, patience=patience)
    except AccessDenied as error:
        warning = f"Failed to list docker creds of credsStore: {error}"
        return replace(config, store="", warnings=(*config.warnings, warning))
    entries = dict(config.entries)
    for server in servers:
        found = normalise_registry_name(server)
        if found is not None and (found.name not in entries or found.name in config.below_store):
            entries[found.name] = _login(found, helper=config.store)
    return replace(config, entries=entries, store="", below_store=frozenset())


def _texts(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Every text of logins there is, with what to call it; a later one wins."""
    path = _path(environ)
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        content = b""
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise Malformed(f"{path}: more than {_LARGEST >> 20} MiB")
    if content:
        yield str(path), content.decode("utf-8-sig", errors="replace")
    if environ.get("DOCKER_AUTH_CONFIG"):
        yield "DOCKER_AUTH_CONFIG", environ["DOCKER_AUTH_CONFIG"]


def _path(environ: Mapping[str, str]) -> Path:
    if environ.get("DOCKER_CONFIG"):
        return Path(environ["DOCKER_CONFIG"]) / "config.json"
    home = environ.get("HOME")
    if not home:
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:  # a container's user without a passwd line
            home = "/"
    return Path(home) / ".docker" / "config.json"


def _parse(origin: str, text: str) -> DockerConfig:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        document = None  # and not the cause: it would hold the text
    if not isinstance(document, dict):
        raise Malformed(f"{origin}: it is no JSON object")
    logins: dict[str, DockerLogin] = {}
    for key, auth in _object(document.get("auths"), f"{origin}: auths").items():
        found = normalise_registry_name(key)
        login = None if found is None else _stored_login(found, _object(auth, f"{origin}: auths of {key!r}"))
        if found is not None and login is not None:
            logins[found.name] = login
    helped: dict[str, DockerLogin] = {}
    for key, program in _object(document.get("credHelpers"), f"{origin}: credHelpers").items():
        found = normalise_registry_name(key)
        name = _text(program, f"{origin}: credHelpers of {key!r}")
        if found is not None and name:
            helped[found.name] = _login(found, helper=_PROGRAM + name)
    store = _text(document.get("credsStore"), f"{origin}: credsStore")
    below = frozenset(logins.keys() - helped.keys()) if store else frozenset()
    return DockerConfig({**logins, **helped}, _PROGRAM + store if store else "", below)


def _stored_login(found: RegistryName, auth: Mapping[str, object]) -> DockerLogin | None:
    """Return the login an entry of `auths` holds, None when it holds none (docker leaves such behind a store)."""
    where = f"auths of {found.name}"
    user, password = _text(auth.get("username"), where), _text(auth.get("password"), where)
    token = _text(auth.get("identitytoken"), where)
    if encoded := _text(auth.get("auth"), where):
        try:
            user, colon, password = b64decode("".join(encoded.split()), validate=True).decode().partition(":")
        except ValueError:  # no base64, no UTF-8
            return None
        password = password.rstrip("\0")
        if not colon:
            return None
    if not token and not (user and password):
        return None
    return _login(found, user=user, password=password, token=token)


def _login(
    found: RegistryName, *, user: str = "", password: str = "", token: str = "", helper: str = ""
) -> DockerLogin:
    return DockerLogin(found.hostname, found.tls, found.credential_host, user, password, token, helper)


def _merge(first: DockerConfig, then: DockerConfig) -> DockerConfig:
    """Return both, the later one winning."""
    below = (first.below_store - then.entries.keys()) | then.below_store
    return DockerConfig({**first.entries, **then.entries}, then.store or first.store, below)


def _object(value: object, where: str) -> dict[str, object]:
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{where}: it is no JSON object")
    return value or {}


def _text(value: object, where: str) -> str:
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{where}: it is no text")
    return value or ""
