"""What the configuration says of registries, as the settings each is spoken to with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from regsync import __version__
from regsync.config.model import Config, Cred
from regsync.events import Warned
from regsync.registry.host import HostSettings, LoginBelow, Manner
from regsync.registry.http.authorities import certificate_folders
from regsync.registry.login.dockerconfig import DockerConfig, DockerLogin
from regsync.registry.login.name import RegistryName, named_in_creds

# What an item of creds says: its field, that of HostSettings, and what the Go regsync calls it where it is changed.
_SETTINGS: Final = (
    ("hostname", "hostname", "hostname settings"),
    ("tls", "tls", "TLS settings"),
    ("regcert", "ca", "certificate settings"),
    ("client_cert", "client_cert", "client certificate settings"),
    ("client_key", "client_key", "client certificate key settings"),
    ("user", "user", "login user"),
    ("password", "password", "login password"),
    ("token", "token", "login token"),
    ("cred_helper", "helper", "credential helper"),
    ("cred_expire", "credential_expiry", "credential expire"),
    ("cred_host", "credential_host", "credential host"),
    ("path_prefix", "path_prefix", "path prefix settings"),
    ("mirrors", "mirrors", "mirror settings"),
    ("priority", "priority", "priority settings"),
    ("repo_auth", "repo_auth", "repoAuth settings"),
    ("blob_chunk", "blob_chunk", "blobChunk settings"),
    ("blob_max", "blob_max", "blobMax settings"),
    ("req_per_sec", "per_second", "reqPerSec settings"),
    ("req_concurrent", "concurrent", "reqConcurrent settings"),
)
_DISABLE_HEAD: Final = "disable_head"
_CHANGED: Final = {field: words for _, field, words in _SETTINGS} | {_DISABLE_HEAD: "APIOpts setting"}


def hosts_of(config: Config, docker: DockerConfig) -> tuple[dict[str, HostSettings], list[Warned]]:
    """Return what is known of each registry, and what the operator should know of how it came about.

    Docker's logins come first and `creds` in the order of the file; what a later one says replaces what stood there.
    """
    hosts = _imported(docker)
    warnings = [Warned(text) for text in docker.warnings]
    known_as_mirrors: dict[str, HostSettings] = {}
    said: dict[str, dict[str, Any]] = {}
    for cred in config.creds:
        found = named_in_creds(cred.registry)
        if found is None:  # told when the file was read
            continue
        says = _said(cred, found)
        before = said.setdefault(found.name, {})
        warnings += _changes(found.name, before, says)
        before.update(says)
        hosts[found.name] = _with(hosts.get(found.name) or _named(found), says)
        for mirror in filter(None, map(named_in_creds, cred.mirrors)):
            known_as_mirrors.setdefault(mirror.name, _named(mirror))  # of which `http://` may be said there
    hosts = {**known_as_mirrors, **hosts}
    asking = {name: _asking(docker.store, host) for name, host in hosts.items()}
    return asking, [*warnings, *_of_tls(hosts)]


def _asking(store: str, host: HostSettings) -> HostSettings:
    """Return the settings of a host without a login, which docker's store is asked for."""
    return host if host.has_login or not store else replace(host, helper=store)


def logins_of(hosts: Mapping[str, HostSettings]) -> Iterable[HostSettings]:
    """Return each registry with each of its logins."""
    for host in hosts.values():
        yield host
        yield from map(host.logged_in, host.below)


def _imported(docker: DockerConfig) -> dict[str, HostSettings]:
    hosts: dict[str, HostSettings] = {}
    for key, login in docker.entries.items():
        name, _, path = key.partition("/")
        host = hosts.get(name) or HostSettings.called(name)
        hosts[name] = _with_below(host, path, login) if path else _with_whole(host, login)
    return hosts


def _with_below(host: HostSettings, path: str, login: DockerLogin) -> HostSettings:
    asked = login.credential_host
    below = LoginBelow(path, login.user, login.password, login.token, login.helper, asked, login.registry_token)
    return replace(host, hostname=login.hostname, below=(*host.below, below))


def _with_whole(host: HostSettings, login: DockerLogin) -> HostSettings:
    return replace(
        host,
        hostname=login.hostname,
        tls=login.tls or "enabled",
        credential_host=login.credential_host or host.credential_host,
        user=login.user,
        password=login.password,
        token=login.token,
        helper=login.helper,
        registry_token=login.registry_token,
    )


def _named(found: RegistryName) -> HostSettings:
    """Return what a registry's name alone says."""
    return replace(HostSettings.called(found.name), hostname=found.hostname, tls=found.tls or "enabled")


def _said(cred: Cred, found: RegistryName) -> dict[str, Any]:
    """Return what an item of creds says, by fields of HostSettings: a key's default says nothing, as in the Go regsync.

    Its tools print all keys, also those that nobody has set.
    """
    fields = Cred.model_fields
    says = {field: value for key, field, _ in _SETTINGS if (value := getattr(cred, key)) != fields[key].default}
    if found.tls and "tls" not in says:
        says["tls"] = found.tls
    if found.credential_host:
        says.setdefault("credential_host", found.credential_host)
    if "path_prefix" in says:
        says["path_prefix"] = says["path_prefix"].strip("/")
    if "mirrors" in says:
        names = dict.fromkeys(mirror.name for mirror in filter(None, map(named_in_creds, cred.mirrors)))
        says["mirrors"] = tuple(name for name in names if name != found.name)
    if _DISABLE_HEAD in cred.api_opts.model_fields_set:  # of apiOpts each key counts by itself
        says[_DISABLE_HEAD] = cred.api_opts.disable_head
    return says


def _with(host: HostSettings, says: Mapping[str, Any]) -> HostSettings:
    """Return the settings with what is said on top: a helper takes the place of stored secrets, and these of a helper.

    A password takes the place of a stored token, too, which may be somebody else's.
    """
    if "helper" in says:
        host = host.with_login()
    elif "password" in says or "token" in says:
        token = "" if "password" in says else host.token
        host = host.with_login(user=host.user, password=host.password, token=token)
    return replace(host, **says)


def _changes(name: str, before: Mapping[str, Any], says: Mapping[str, Any]) -> Iterable[Warned]:
    """Name what a later item says otherwise than an earlier one did; the values may be secrets."""
    for field, value in says.items():
        if before.get(field, value) != value:
            yield Warned(f"Changing {_CHANGED[field]} for registry", {"host": name})


def _of_tls(hosts: Mapping[str, HostSettings]) -> Iterable[Warned]:
    for host in hosts.values():
        if host.tls == "disabled" and any(login.has_login for login in logins_of({"": host})):
            yield Warned(f"credentials for {host.name} go out unencrypted: its TLS is disabled")
        if host.tls == "insecure":
            yield Warned(f"{host.name} is not checked to be who it claims: its TLS is insecure")


def manner_of(config: Config, environ: Mapping[str, str], *, store: str = "") -> Manner:
    """Return how every registry is spoken to; whoever leaves docker's configuration out wants no certificates of it."""
    defaults = config.defaults
    return Manner(
        user_agent=defaults.user_agent or f"regclient/regsync (python v{__version__})",
        blob_limit=defaults.blob_limit,
        certificates=() if defaults.skip_docker_config else certificate_folders(environ),
        store=store,
    )
