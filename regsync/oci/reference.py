"""References: the names images are found by, in a registry or in a layout directory.

The grammar is that of the Go regsync, so an existing file means the same here. A text is cut at its separators before
any pattern is tried: no registry, path, tag or digest may hold the separator that ends it, so there is one way to read
a text, each pattern runs once over its own part (possessive, hence linear), and a refusal names the part at fault.

Refused here and not there is only what nothing could ever reach: a port beyond 65535, a host name resolvers cannot
hold, an address that is not IPv6, a repository of more than 255 characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from ipaddress import AddressValueError, IPv6Address
from typing import Final

from regsync.errors import InvalidReference
from regsync.oci.digest import Digest

DEFAULT_REGISTRY: Final = "docker.io"
DEFAULT_TAG: Final = "latest"
REPOSITORY_MAX: Final = 255  # characters; what registries of this field store at most

_ALIASES: Final = frozenset({"index.docker.io", "registry-1.docker.io"})
_SHOWN: Final = 200  # characters of a refused text that a message quotes
_HOST_MAX: Final = 254  # characters with a closing dot, and 63 in a label: RFC 1035; resolvers crash on more
_LABEL_MAX: Final = 63
_PORT_MAX: Final = 65535

_LABEL: Final = "[a-zA-Z0-9]++(?:-++[a-zA-Z0-9]++)*+"
_REGISTRY: Final = re.compile(
    rf"(?P<host>\[[0-9a-fA-F:]{{2,39}}\]|{_LABEL}(?:\.{_LABEL})*+\.?)(?::(?P<port>[0-9]{{1,5}}))?"
)
_REPOSITORY: Final = re.compile(
    r"[a-z0-9]++(?:(?:\.|__?|-++)[a-z0-9]++)*+(?:/[a-z0-9]++(?:(?:\.|__?|-++)[a-z0-9]++)*+)*+"
)
_LOGIN_HOST: Final = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?\.?)(?::(?P<port>[0-9]{1,5}))?"
)
_TAG: Final = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")  # distribution-spec, "Pulling manifests"
_ALGORITHM: Final = "[a-zA-Z][a-zA-Z0-9]*+(?:[+._-][a-zA-Z][a-zA-Z0-9]*+)*+"
_DIGEST: Final = re.compile(rf"{_ALGORITHM}:[0-9a-fA-F]{{32,128}}")
_LAYOUT: Final = re.compile(r"[/a-zA-Z0-9_\-. ~+]++")
_SCHEME: Final = re.compile("([a-z]++)://(.++)")
_LAYOUT_SCHEMES: Final = frozenset({"ocidir", "ocifile"})  # the second one parses, and nothing can open it
_WRITTEN_BEFORE_REGISTRIES: Final = frozenset({"docker", "http", "https"})
_BEFORE_PATHS: Final = (".", "/", "~")  # what people write who mean a directory
_TRANSPORTS: Final = frozenset({"oci", "oci-archive", "dir", "ocidir"})  # skopeo's, and ours without its slashes


@dataclass(frozen=True, slots=True)
class RegistryReference:
    """An image in a registry; `digest` is text because only its form is known until `ref` checks it."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The repository without tag or digest: `registry/repository`."""
        return f"{self.registry}/{self.repository}"

    @property
    def ref(self) -> str | Digest:
        """What to ask for: the digest if there is one (`Malformed` if it is not supported), else the tag."""
        return _ref(self.tag, self.digest)

    def with_tag(self, tag: str) -> RegistryReference:
        """Return the same repository's `tag`; a digest would contradict it and goes."""
        return replace(self, tag=tag, digest="")

    def with_digest(self, digest: Digest) -> RegistryReference:
        """Return the same repository's `digest`; a tag would contradict it and goes."""
        return replace(self, tag="", digest=str(digest))

    def __str__(self) -> str:
        return self.name + _ending(self.tag, self.digest)


@dataclass(frozen=True, slots=True)
class LayoutReference:
    """An image in an OCI layout directory; `path` is kept as written, since it is the name people know."""

    path: str
    tag: str = ""
    digest: str = ""
    scheme: str = "ocidir"

    @property
    def name(self) -> str:
        """The layout without tag or digest: `ocidir://path`."""
        return f"{self.scheme}://{self.path}"

    @property
    def ref(self) -> str | Digest:
        """What to ask for: the digest if there is one (`Malformed` if it is not supported), the tag, or `latest`."""
        return _ref(self.tag, self.digest)

    def with_tag(self, tag: str) -> LayoutReference:
        """Return the same layout's `tag`; a digest would contradict it and goes."""
        return replace(self, tag=tag, digest="")

    def with_digest(self, digest: Digest) -> LayoutReference:
        """Return the same layout's `digest`; a tag would contradict it and goes."""
        return replace(self, tag="", digest=str(digest))

    def __str__(self) -> str:
        return self.name + _ending(self.tag, self.digest)


Reference = RegistryReference | LayoutReference


def parse_reference(text: str) -> Reference:
    """Read `[registry/]repository[:tag][@digest]` or `ocidir://path[:tag][@digest]`; else `InvalidReference`."""
    schemed = _SCHEME.fullmatch(text)
    if schemed is None:
        return _parse_registry_reference(text)
    scheme, rest = schemed.groups()
    if scheme not in _LAYOUT_SCHEMES:
        bare = f"; a registry is written without {scheme}://" if scheme in _WRITTEN_BEFORE_REGISTRIES else ""
        bare += ", and has tls: disabled under creds" if scheme == "http" else ""
        raise _invalid(text, f"unknown scheme {scheme[:_SHOWN]!r}, only ocidir:// is known{bare}")
    name, tag, digest = _cut(text, rest)
    if not _LAYOUT.fullmatch(name):
        raise _invalid(text, f"invalid path for scheme {scheme!r}, it may hold letters, digits, spaces and / _ - . ~ +")
    return LayoutReference(name, tag, digest, scheme)


def parse_host(text: str) -> str:
    """Read a registry on its own, as in `type: registry`; the aliases of Docker Hub become `docker.io`."""
    parts = _registry_parts(text)
    if parts is None:
        raise _invalid(text, "expected a registry such as example.com, example:5000 or localhost", what="registry")
    return _checked_registry(text, *parts, what="registry")


def valid_tag(text: str) -> bool:
    """Say whether this can be a tag, for names that come from registries (RELIABILITY B16: they are attacker text)."""
    return _TAG.fullmatch(text) is not None


def valid_repository(text: str) -> bool:
    """Say whether this can be a repository path, for names that come from registries."""
    return len(text) <= REPOSITORY_MAX and _REPOSITORY.fullmatch(text) is not None


def valid_host(text: str) -> bool:
    """Say whether this is a `host[:port]` as logins and addresses name it: any name that somebody's DNS may know."""
    match = _LOGIN_HOST.fullmatch(text)
    return match is not None and (match["port"] is None or 0 < int(match["port"]) <= _PORT_MAX)


def folded(registry: str) -> str:
    """Return `host[:port]` in lower case (RFC 3986, section 3.2.2), unless its case is what makes it a registry."""
    return registry.lower() if "." in registry or ":" in registry or registry.lower() == "localhost" else registry


def _parse_registry_reference(text: str) -> RegistryReference:
    head, slash, rest = text.partition("/")
    parts = _registry_parts(head) if slash else None
    registry = DEFAULT_REGISTRY if parts is None else _checked_registry(text, *parts)
    repository, tag, digest = _cut(text, text if parts is None else rest)
    if parts is None and repository == "localhost":
        raise _invalid(text, "localhost is a registry, and the repository after it is missing")
    if not valid_repository(repository):
        raise _invalid(text, _repository_fault(repository))
    if registry == DEFAULT_REGISTRY and "/" not in repository:
        repository = f"library/{repository}"
    return RegistryReference(registry, repository, tag or ("" if digest else DEFAULT_TAG), digest)


def _cut(text: str, rest: str) -> tuple[str, str, str]:
    """Cut `name[:tag][@digest]`, which is all of `text` or its end, and check the last two."""
    rest, at, digest = rest.partition("@")
    name, colon, tag = rest.partition(":")
    if at and not _DIGEST.fullmatch(digest):
        raise _invalid(text, "after @ must come a digest: an algorithm, a colon and at least 32 hex digits")
    if colon and not valid_tag(tag):
        raise _invalid(text, _tag_fault(text, name, tag))
    return name, tag, digest


def _registry_parts(text: str) -> tuple[str, str] | None:
    """Cut `host[:port]`, or return None for what before a slash is the first part of a Docker Hub path."""
    match = _REGISTRY.fullmatch(text)
    if match is None:
        return None
    host, port = match.group("host"), match.group("port") or ""
    if host.startswith("["):
        return (host, port) if _is_ipv6(host[1:-1]) else None
    short = len(host) == 1 or host == host.lower()
    return (host, port) if port or "." in host or host == "localhost" or not short else None


def _checked_registry(text: str, host: str, port: str, *, what: str = "reference") -> str:
    """Refuse what has the form of a registry and can never be reached, rather than take it for something else."""
    if port and not 0 < int(port) <= _PORT_MAX:
        raise _invalid(text, f"the port {port} is not in 1 to {_PORT_MAX}", what=what)
    if len(host) > _LABEL_MAX and (len(host) > _HOST_MAX or max(map(len, host.split("."))) > _LABEL_MAX):
        raise _invalid(text, f"a registry has at most {_HOST_MAX} characters, {_LABEL_MAX} between two dots", what=what)
    registry = folded(f"{host}:{port}" if port else host)
    return DEFAULT_REGISTRY if registry in _ALIASES else registry


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True


def _ref(tag: str, digest: str) -> str | Digest:
    return Digest.parse(digest) if digest else tag or DEFAULT_TAG


def _ending(tag: str, digest: str) -> str:
    return (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def _tag_fault(text: str, name: str, tag: str) -> str:
    if _SCHEME.fullmatch(text):
        return "invalid path for scheme: after a colon only a tag may come, so a path cannot hold one"
    if "/" in tag:
        return f"{f'{name}:{tag}'.partition('/')[0][:_SHOWN]!r} is not a registry"
    return "after : must come a tag: a letter, digit or _, then at most 127 of those, dots and dashes"


def _repository_fault(repository: str) -> str:
    if not repository:
        return "the repository is missing"
    if len(repository) > REPOSITORY_MAX:
        return f"the repository is longer than {REPOSITORY_MAX} characters"
    return "a repository has parts of a-z and 0-9, joined by one of . _ __ or dashes, separated by single slashes"


def _invalid(text: str, why: str, *, what: str = "reference") -> InvalidReference:
    """Describe the refusal, with the hint that helps most people: upper case where none may be."""
    shown = f"{text[:_SHOWN]!r}" + ("..." if len(text) > _SHOWN else "")
    hint = ", repo must be lowercase" if what == "reference" and _valid_in_lower_case(text) else ""
    if text.partition(":")[0] in _TRANSPORTS or text.startswith(_BEFORE_PATHS):
        hint = ", a layout is written ocidir://path"
    return InvalidReference(f"invalid {what} {shown}: {why}{hint}")


def _valid_in_lower_case(text: str) -> bool:
    lowered = text.lower()
    if lowered == text or not text.isascii() or _SCHEME.fullmatch(lowered):
        return False
    try:
        _parse_registry_reference(lowered)
    except InvalidReference:
        return False
    return True
