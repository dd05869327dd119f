"""The logins docker and podman keep: `config.json`, `DOCKER_AUTH_CONFIG`, `auth.json`, and the helpers they name.

A host is written under several names there, so keys are normalised; of two that mean one host the usual spelling wins
and then the later one, and of the ways to log in `credHelpers` wins over `credsStore` and that over `auths`, as in
docker. A file of docker's that cannot be read drops every imported host: half a file would send anonymous requests
where a login was meant. What docker says wins over podman's files, and one of these that is broken is left out.
"""

from __future__ import annotations

import codecs
import json
import os
import pwd
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from regsync.errors import AccessDenied, Malformed
from regsync.registry.host import Tls
from regsync.registry.login.authfiles import auth_files
from regsync.registry.login.helper import PATIENCE, has_helper, list_helper
from regsync.registry.login.name import RegistryName, is_usual, named_in_docker
from regsync.registry.login.stored import StoredLogin, stored_login, text_of
from regsync.text import plain

_LARGEST = 4 << 20  # bytes of config.json that are read
_SHOWN = 80  # characters of a key that are quoted
_PROGRAM = "docker-credential-"
_DESKTOP = "https://index.docker.io/v1/"  # below which Docker Desktop keeps tokens that are its own business


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
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class DockerConfig:
    """Logins by host name or `host/path` (for the repositories there), and lines to warn the operator with.

    `store` is the program of `credsStore`, to be asked about every host without a login here; `ask_store` takes it away
    if it cannot be run. What it lists it knows better than the entries named in `below_store`.
    """

    entries: Mapping[str, DockerLogin] = field(default_factory=dict)
    store: str = ""
    below_store: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()


def load_docker_config(environ: Mapping[str, str], note: Callable[[str], None] = lambda _: None) -> DockerConfig:
    """Return podman's logins, those of docker's file and then of the variable; broken ones of docker drop all.

    `note` is given the name of each file that is about to be read.
    """
    config = _of_podman(environ, note)
    try:
        for origin, text in _texts(environ, note):
            config = _merge(config, _parse(origin, text))
    except Malformed as error:
        return DockerConfig(warnings=(f"Failed to load docker creds: {error}",))
    return config


def _of_podman(environ: Mapping[str, str], note: Callable[[str], None]) -> DockerConfig:
    """Return the logins of every `auth.json`; docker's `credsStore` knows better than these."""
    config = DockerConfig()
    for path in auth_files(environ, _home(environ)):
        note(str(path))
        try:
            text = _read(path)
            parsed = _parse(str(path), text) if text else _missing(path, environ)
        except Malformed as error:
            parsed = DockerConfig(warnings=(f"Failed to load the logins of podman: {error}",))
        config = _merge(config, parsed)
    return replace(config, store="", below_store=frozenset(config.entries))


def _missing(path: Path, environ: Mapping[str, str]) -> DockerConfig:
    named = environ.get("REGISTRY_AUTH_FILE") == str(path)
    return DockerConfig(warnings=(f"REGISTRY_AUTH_FILE: {path} is missing or empty",) if named else ())


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
        store = config.store if has_helper(config.store, environ) else ""
        return replace(config, store=store, warnings=(*config.warnings, warning))
    entries = dict(config.entries)
    for name, found, server in _by_host(servers):
        if name not in config.entries or name in config.below_store:
            asked = "" if server == found.hostname else server
            entries[name] = replace(_helped(found, config.store), credential_host=asked)
    return replace(config, entries=entries, below_store=frozenset())


def _texts(environ: Mapping[str, str], note: Callable[[str], None]) -> Iterator[tuple[str, str]]:
    """Every text of logins there is, with what to call it; a later one wins."""
    path = Path(environ["DOCKER_CONFIG"]) if environ.get("DOCKER_CONFIG") else _home(environ) / ".docker"
    if environ.get("DOCKER_CONFIG") and path.is_file():
        raise Malformed(f"DOCKER_CONFIG: {path} is a file; expected the folder that holds config.json")
    note(str(path / "config.json"))
    if content := _read(path / "config.json"):
        yield str(path / "config.json"), content
    if environ.get("DOCKER_AUTH_CONFIG", "").strip():
        yield "DOCKER_AUTH_CONFIG", environ["DOCKER_AUTH_CONFIG"]


def _read(path: Path) -> str:
    """Return what a file says; nothing when it is not there, or empty."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        raise Malformed(f"{path}: {error.strerror}") from error
    if len(content) > _LARGEST:
        raise Malformed(f"{path}: more than {_LARGEST >> 20} MiB")
    wide = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))  # PowerShell's `>`
    return content.decode("utf-16" if wide else "utf-8-sig", errors="replace").strip()


def _home(environ: Mapping[str, str]) -> Path:
    home = environ.get("HOME")
    if not home:
        try:
            home = pwd.getpwuid(os.getuid()).pw_dir
        except KeyError:  # a container's user without a passwd line
            home = "/"
    return Path(home)


def _parse(origin: str, text: str) -> DockerConfig:
    try:
        document = {} if text == "null" else json.loads(text)
    except (ValueError, RecursionError):
        document = None  # and not the cause: it would hold the text
    if not isinstance(document, dict):
        raise Malformed(f"{origin}: it is no JSON object; expected what docker login writes")
    auths = _object(document.get("auths"), f"{origin}: auths")
    helpers = _object(document.get("credHelpers"), f"{origin}: credHelpers")
    store = text_of(document.get("credsStore"), f"{origin}: credsStore")
    store = _PROGRAM + store if store else ""
    logins, warnings = _stored(auths, store, origin)
    helped, plain_ones = _of_helpers(helpers, origin)
    below = frozenset(logins.keys() - helped.keys() - plain_ones) if store else frozenset()
    nobodys = (key for key in (*auths, *helpers) if named_in_docker(key) is None and not key.startswith(_DESKTOP))
    warnings += [_no_registry(origin, key) for key in nobodys]
    return DockerConfig({**logins, **helped}, store, below, tuple(warnings))


def _stored(auths: Mapping[str, object], store: str, origin: str) -> tuple[dict[str, DockerLogin], list[str]]:
    """Return the logins of `auths`, those an empty entry says the store has among them, and what is wrong with some."""
    logins: dict[str, DockerLogin] = {}
    warnings: list[str] = []
    for name, found, key in _by_host(auths):
        where = f"{origin}: auths of {_shown(key)}"
        login = stored_login(_object(auths[key], where), where)
        if isinstance(login, StoredLogin):
            logins[name] = _login(found, login)
        elif login is not None:
            warnings.append(f"{origin}: the login under {_shown(key)} is of no use: {login}")
        elif store and name not in logins:
            logins[name] = replace(_helped(found, store), credential_host="" if key == found.hostname else key)
    return logins, list(dict.fromkeys(warnings))


def _of_helpers(helpers: Mapping[str, object], origin: str) -> tuple[dict[str, DockerLogin], set[str]]:
    """Return the logins helpers have, and the hosts that have none: an empty name is docker's word for `auths`."""
    helped: dict[str, DockerLogin] = {}
    plain_ones: set[str] = set()
    for name, found, key in _by_host(helpers):
        if program := text_of(helpers[key], f"{origin}: credHelpers of {_shown(key)}"):
            helped[name] = _helped(found, _PROGRAM + program)
        else:
            plain_ones.add(name)
    return helped, plain_ones


def _by_host(keys: Iterable[str]) -> Iterator[tuple[str, RegistryName, str]]:
    """Each key with the host, or `host/path`, it is about; of those about the same, the one that counts comes last.

    `host:443` is about `host` as well, which is the same place.
    """
    named = [(key, *found) for key in sorted(keys, key=is_usual) if (found := named_in_docker(key)) is not None]
    for key, registry, path in named:
        bare = registry.hostname.removesuffix(":443")
        if bare != registry.hostname and registry.tls != "disabled":
            yield f"{bare}/{path}" if path else bare, _bare(registry, bare), key
    for key, registry, path in named:
        yield f"{registry.name}/{path}" if path else registry.name, registry, key


def _bare(registry: RegistryName, bare: str) -> RegistryName:
    return registry._replace(name=bare, hostname=bare, credential_host=registry.credential_host or registry.hostname)


def _no_registry(origin: str, key: str) -> str:
    return f"{origin}: the login under {_shown(key)} is of no use: that is no registry; expected host[:port][/path]"


def _shown(key: str) -> str:
    """Return a key to quote, without the login that some put before the host."""
    return repr(plain(key.rpartition("@")[2][:_SHOWN]))


def _login(found: RegistryName, login: StoredLogin) -> DockerLogin:
    return DockerLogin(
        found.hostname,
        found.tls,
        found.credential_host,
        login.user,
        login.password,
        login.token,
        registry_token=login.registry_token,
    )


def _helped(found: RegistryName, program: str) -> DockerLogin:
    return DockerLogin(found.hostname, found.tls, found.credential_host, helper=program)


def _merge(first: DockerConfig, then: DockerConfig) -> DockerConfig:
    """Return both, the later one winning."""
    below = (first.below_store - then.entries.keys()) | then.below_store
    return DockerConfig(
        {**first.entries, **then.entries}, then.store or first.store, below, (*first.warnings, *then.warnings)
    )


def _object(value: object, where: str) -> dict[str, object]:
    if value is not None and not isinstance(value, dict):
        raise Malformed(f"{where}: it is no JSON object")
    return value or {}
