"""Which authorities a host is trusted by, besides those of the system, and where people keep them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from regsync.errors import Refused
from regsync.events import Tell, Warned
from regsync.registry.host import HostSettings
from regsync.registry.http.pem import certificates_in

_DOCKER: Final = Path("/etc/docker/certs.d")
_CONTAINERS: Final = Path("/etc/containers/certs.d")
_FAILED: Final = "Failed to load a CA certificate"


def certificate_folders(environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the folders in which docker and podman (containers-certs.d(5)) have one for each `host[:port]`."""
    home = environ.get("HOME")
    return (*((Path(home, ".config/containers/certs.d"),) if home else ()), _CONTAINERS, _DOCKER)


def authorities(
    host: HostSettings, folders: Sequence[Path], environ: Mapping[str, str], *, tell: Tell
) -> Iterator[bytes]:
    """Each authority (DER) of `regcert`, of `*.crt` in the host's own folders, and of the environment.

    `Refused` names the one of the former that cannot be read.
    """
    for name, content in _texts(host, folders, tell=tell):
        found = list(certificates_in(content))
        if None in found:
            number = f"certificate {found.index(None) + 1} of {len(found)}"
            raise Refused(f"{name}: {number}, which {host.name} is to be trusted by, cannot be read; mend or remove it")
        if not found:
            tell(useless(_FAILED, host, name, "there is no certificate in it to trust a server by"))
        yield from filter(None, found)
    yield from _of_environment(host, environ, tell=tell)


def _texts(host: HostSettings, folders: Sequence[Path], *, tell: Tell) -> Iterator[tuple[str, bytes]]:
    if host.ca:
        yield "regcert", host.ca.encode()
    for folder in folders:
        for path in files(folder, ".crt", host=host, tell=tell):
            yield str(path), content_of(path, f"the certificate {host.name} is to be trusted by")


def content_of(path: Path, what: str) -> bytes:
    """Return what a file holds; `Refused` says that this cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {what} cannot be read: {error.strerror}") from error


def _of_environment(host: HostSettings, environ: Mapping[str, str], *, tell: Tell) -> Iterator[bytes]:
    """Each authority of `SSL_CERT_FILE` and of all files in `SSL_CERT_DIR`, as in Go, that can be read.

    OpenSSL itself looks only for file names it has made up from what they hold, and stops at the first damaged one.
    """
    folders = map(Path, filter(None, environ.get("SSL_CERT_DIR", "").split(os.pathsep)))
    named = [Path(environ["SSL_CERT_FILE"])] if environ.get("SSL_CERT_FILE") else []
    for path in (*named, *(file for folder in folders for file in files(folder, host=host, tell=tell))):
        try:
            stat = path.stat()
            found = _bundle(path, stat.st_mtime_ns, stat.st_size)
        except OSError as error:
            tell(useless(_FAILED, host, str(path), error.strerror or str(error)))
            continue
        if not found and path in named:
            tell(useless(_FAILED, host, str(path), "there is no certificate in it to trust a server by"))
        yield from found


def places_of_authorities(environ: Mapping[str, str]) -> list[Path]:
    """Return the files and folders of authorities that the environment names."""
    named = [environ.get("SSL_CERT_FILE", ""), *environ.get("SSL_CERT_DIR", "").split(os.pathsep)]
    return [Path(name) for name in named if name]


@lru_cache(maxsize=1024)
def _bundle(path: Path, changed: int, size: int) -> tuple[bytes, ...]:  # noqa: ARG001  # as it was at that time
    """Return the authorities in a file of the environment's, read once: every host asks for the same 150."""
    return tuple(filter(None, certificates_in(path.read_bytes())))


def files(folder: Path, suffix: str = "", *, host: HostSettings, tell: Tell) -> list[Path]:
    """Return the files of a folder in the order of their names, links that lead nowhere included."""
    try:
        found = sorted(path for path in folder.iterdir() if path.name.endswith(suffix))
        return [path for path in found if path.is_file() or (suffix and not path.exists())]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        tell(useless(_FAILED, host, str(folder), error.strerror or str(error)))
        return []


def useless(message: str, host: HostSettings, name: str, why: str) -> Warned:
    """Return the warning that a file or key is of no use to this host."""
    return Warned(message, {"host": host.name, "certificate": name, "error": why})
