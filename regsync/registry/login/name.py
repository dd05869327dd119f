"""The names registries are written by, in `creds` and in docker's configuration, and what each of them means."""

from __future__ import annotations

from typing import NamedTuple

from regsync.errors import Malformed
from regsync.oci.reference import folded, valid_host, valid_repository
from regsync.registry.host import DOCKER_HUB, HostSettings, Tls

_HUB_KEYS = ("docker.io", "registry-1.docker.io", "https://index.docker.io/v1/")
_VERSIONS = ("", "v1", "v2")  # what old clients put behind the host
_HUB_HOSTS = frozenset({"docker.io", "registry-1.docker.io", "index.docker.io"})


class RegistryName(NamedTuple):
    """A registry as people write it, taken apart: `tls` is None when nothing was said about it."""

    name: str
    hostname: str
    tls: Tls | None
    credential_host: str


def normalise_registry_name(text: str) -> RegistryName | None:
    """Return the host a plain `[scheme://]host[/]` means; None when it has a path or is no host."""
    if text in _HUB_KEYS:
        return _hub("enabled")
    scheme, found, rest = text.rpartition("://")
    if not found:
        host = folded(text)
        return RegistryName(host, host, None, "" if host == text else text) if valid_host(text) else None
    scheme, hostname = scheme.lower(), folded(rest.removesuffix("/"))
    if scheme not in {"http", "https"} or not valid_host(hostname):
        return None
    return RegistryName(hostname, hostname, "enabled" if scheme == "https" else "disabled", text)


def named_in_docker(text: str) -> tuple[RegistryName, str] | None:
    """Return the host a key of docker's or podman's configuration means, and the path it is limited to.

    As both read it: what stands behind the host of a URL is no path (`/v1/`), and all names of Docker Hub are one. The
    case of a host is no matter. None when it can be no registry, or is one of the keys Docker Desktop keeps tokens of
    its own under.
    """
    scheme, found, rest = text.rpartition("://")
    written, _, path = rest.partition("/")
    host, path = folded(written), path.strip("/")
    if (found and scheme.lower() not in {"http", "https"}) or not valid_host(host):
        return None
    path = "" if path.lower() in _VERSIONS else path
    if host in _HUB_HOSTS:
        return None if found and path else (_hub("enabled"), path)
    if found:
        tls: Tls = "enabled" if scheme.lower() == "https" else "disabled"
        return RegistryName(host, host, tls, text), ""
    if path and not valid_repository(path):
        return None
    asked = f"{written}/{path}" if path else written
    return RegistryName(host, host, None, "" if asked == host else asked), path


def is_usual(key: str) -> bool:
    """Say whether a registry is called by the name docker itself writes; such a key wins over others for the host."""
    return key != "index.docker.io" and normalise_registry_name(key) is not None


def named_in_creds(text: str) -> RegistryName | None:
    """Return the registry an item of `creds` is about, None when it names no host.

    A path behind the host is cut off, as the Go regsync does, and Docker Hub goes by every name references know it by.
    """
    scheme, found, rest = text.rpartition("://")
    host = folded(rest.partition("/")[0])
    scheme = scheme.lower()
    if host in _HUB_HOSTS and scheme in {"", "http", "https"}:
        return _hub("disabled" if scheme == "http" else "enabled")
    whole = normalise_registry_name(text)
    if whole is not None:
        return whole
    cut = normalise_registry_name(f"{scheme}{found}{host}")
    return None if cut is None else cut._replace(credential_host="")


def check_registry_name(text: str) -> tuple[str, str]:
    """Return the name a registry in `creds` goes by, and what its author should know of how it is read, if anything.

    `Malformed` for what no item of `creds` can be about. Nothing of the text is quoted: it may be a secret.
    """
    found = named_in_creds(text)
    if found is None:
        raise Malformed("not a registry; expected host[:port], with https:// or http:// before it or without")
    host, _, path = text.rpartition("://")[2].partition("/")
    host = folded(host)
    if text not in _HUB_KEYS and host == "index.docker.io":
        return found.name, "read as docker.io, which the Go regsync does not do here; write docker.io"
    if text not in _HUB_KEYS and path.strip("/"):
        return found.name, "what stands behind the host is cut off, so this is about all of it; write the host alone"
    return found.name, ""


def _hub(tls: Tls) -> RegistryName:
    hub = HostSettings.called(DOCKER_HUB)
    return RegistryName(hub.name, hub.hostname, tls, hub.credential_host)
