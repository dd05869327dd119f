"""What we know of one registry before we talk to it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from regsync.clock import Clock
from regsync.repository import UNCOUNTED

Tls = Literal["enabled", "insecure", "disabled"]

DOCKER_HUB = "docker.io"
_HUB_HOSTNAME = "registry-1.docker.io"
_HUB_CREDENTIAL_HOST = "https://index.docker.io/v1/"
_REMEMBERED = 3600.0  # seconds
_BRIEFLY = 300.0  # seconds; what is known of one repository, as the Go regsync keeps it
_MOST_REPOSITORIES = 10_000  # something is known of
_IN_A_ROW = 3  # refusals that may each be an accident, until they decide together
_LARGEST_CHUNK = 64 << 20  # bytes; each is held in memory
_SMALLEST_CHUNK = 16 << 10  # bytes; who refuses bodies of that size takes none


@dataclass(frozen=True, slots=True)
class LoginBelow:
    """A login for the repositories at or below a path of a registry, as `podman login host/path` keeps it."""

    path: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    helper: str = ""
    credential_host: str = ""
    registry_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One registry, under the name references call it by.

    `hostname` is the `host[:port]` to connect to. Certificates and keys are PEM text. `credential_expiry` is in
    seconds. `blob_chunk` and `blob_max` are in bytes: blobs above `blob_max` go up in chunks (-1: never, unless a
    whole upload fails). `concurrent` caps requests in flight (None: found out), `per_second` paces them (0: not).
    `mirrors` are names of registries that may be read from in place of this one; among them and this one, whoever has
    the lowest `priority` is asked first. `below` are logins for parts of the registry; the longest path wins.
    """

    name: str
    hostname: str
    tls: Tls = "enabled"
    ca: str = field(default="", repr=False)
    client_cert: str = field(default="", repr=False)
    client_key: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    helper: str = ""
    credential_expiry: float = 3600.0
    credential_host: str = ""
    path_prefix: str = ""
    repo_auth: bool = False
    disable_head: bool = False
    blob_chunk: int = 1 << 20
    blob_max: int = -1
    per_second: float = 0.0
    concurrent: int | None = None
    mirrors: tuple[str, ...] = ()
    priority: int = 0
    below: tuple[LoginBelow, ...] = ()
    registry_token: str = field(default="", repr=False)

    @classmethod
    def called(cls, name: str) -> HostSettings:
        """Return the settings of a registry nothing was said about."""
        if name == DOCKER_HUB:
            return cls(name=name, hostname=_HUB_HOSTNAME, credential_host=_HUB_CREDENTIAL_HOST)
        return cls(name=name, hostname=name)

    @property
    def origin(self) -> str:
        """Return `scheme://host[:port]`, the only place this host's credentials may go to (besides its realm)."""
        return f"{'http' if self.tls == 'disabled' else 'https'}://{self.hostname}"

    def with_login(
        self, *, user: str = "", password: str = "", token: str = "", helper: str = "", registry_token: str = ""
    ) -> HostSettings:
        """Return these settings with another login everywhere; a helper and stored secrets exclude each other."""
        return replace(
            self, user=user, password=password, token=token, helper=helper, registry_token=registry_token, below=()
        )

    @property
    def has_login(self) -> bool:
        """Say whether anything was said of a login."""
        return bool(self.user or self.password or self.token or self.helper or self.registry_token)

    def logged_in(self, login: LoginBelow) -> HostSettings:
        """Return these settings with this login."""
        host = self.with_login(
            user=login.user,
            password=login.password,
            token=login.token,
            helper=login.helper,
            registry_token=login.registry_token,
        )
        return replace(host, credential_host=login.credential_host)


class Known:
    """The settings of any registry; one nobody said anything of may have a login in docker's store, if there is one."""

    def __init__(self, hosts: Mapping[str, HostSettings], store: str) -> None:
        self._hosts = hosts
        self._store = store

    def __getitem__(self, name: str) -> HostSettings:
        return self._hosts.get(name) or HostSettings.called(name).with_login(helper=self._store)


class OnRegistry:
    """What lies in one repository of a registry, whoever is asked to read it: it can be mounted from there.

    `path` is what references call the repository, `known_as` what the registry does.
    """

    def __init__(self, host: HostSettings, path: str) -> None:
        self.registry = host.name
        self.path = path
        self.known_as = f"{host.path_prefix}/{path}" if host.path_prefix else path

    @property
    def name(self) -> str:
        """What people call it: `host/path`."""
        return f"{self.registry}/{self.path}"

    @property
    def tidied(self) -> bool:
        """What a registry collects, it collects on terms of its own."""
        return False


@dataclass(frozen=True, slots=True)
class Asking:
    """In which way a registry is asked for what it has.

    `query` ends the URLs, `attempts` is how often a request is tried.
    """

    query: str = ""
    attempts: int = 6

    @classmethod
    def in_place_of(cls, upstream: HostSettings, mirror: HostSettings) -> Asking:
        """Return how a mirror is asked: once, since others are at hand, and told in whose place (`ns`)."""
        named = "" if mirror.hostname == upstream.hostname else f"?ns={quote(upstream.hostname, safe='')}"
        return cls(named, attempts=1)


AS_ITSELF = Asking()


@dataclass(frozen=True, slots=True)
class Manner:
    """How every registry is spoken to.

    `blob_limit` is how large a chunk, in bytes, a registry may demand (`OCI-Chunk-Min-Length`), `certificates` the
    folders like docker's `certs.d`, `store` the credential helper to ask about registries nothing was said of, if any.
    """

    user_agent: str
    blob_limit: int
    certificates: tuple[Path, ...]
    store: str = ""


class Way(enum.Enum):
    """Something that spares requests or bytes and that not every registry does, or does truly."""

    MANIFEST_HEAD = enum.auto()
    NAMED_DIGEST = enum.auto()
    BLOB_HEAD = enum.auto()
    ANONYMOUS_MOUNT = enum.auto()
    LARGE_BODY = enum.auto()
    CHUNKS = enum.auto()
    REFERRERS = enum.auto()
    NAMED_SUBJECT = enum.auto()


class Learnt:
    """What a host has taught this process; each lesson is forgotten after an hour, for hosts and proxies change.

    `chunk_limit` is the largest chunk, in bytes, that a registry may demand. `quota` is what it said last of how much
    may be fetched, about whichever repository.
    """

    def __init__(self, host: HostSettings, *, chunk_limit: int, clock: Clock) -> None:
        self.quota = UNCOUNTED
        self._host = host
        self._chunk_limit = min(chunk_limit, _LARGEST_CHUNK)
        self._clock = clock
        self._refusals: dict[Way, int] = {}  # in a row
        self._closed: dict[Way, float] = {}  # when that was learnt, on the monotonic clock
        self._referrers: dict[str, tuple[bool, float]] = {}  # by repository: whether it has the API, and when it had
        self._demanded = (0, float("-inf"))  # the chunk the registry wants, in bytes, and when it said so
        self._fitting = (0, float("-inf"))  # the body that may get through, in bytes, and when a larger one did not

    @property
    def host(self) -> str:
        """The registry's name."""
        return self._host.name

    def goes(self, way: Way) -> bool:
        """Say whether this way is worth trying."""
        if self._host.disable_head and way in {Way.MANIFEST_HEAD, Way.BLOB_HEAD}:
            return False
        return not self._fresh(self._closed.get(way, float("-inf")))

    def went(self, way: Way) -> None:
        """Note that this way was open."""
        self._refusals.pop(way, None)

    def refused(self, way: Way, *, surely: bool) -> None:
        """Note that this way was closed; where that may have been an accident, three in a row decide."""
        self._refusals[way] = self._refusals.get(way, 0) + 1
        if surely or self._refusals[way] >= _IN_A_ROW:
            self._closed[way] = self._clock.monotonic()
            del self._refusals[way]

    def lists_referrers(self, repository: str) -> bool | None:
        """Say whether a repository has the referrers API; None where that has not been seen for five minutes."""
        there, moment = self._referrers.get(repository, (False, float("-inf")))
        return there if self._clock.monotonic() - moment < _BRIEFLY else None

    def saw_referrers(self, repository: str, *, listed: bool) -> None:
        """Note whether a repository has the referrers API."""
        if len(self._referrers) >= _MOST_REPOSITORIES:
            self._referrers.clear()
        self._referrers[repository] = listed, self._clock.monotonic()

    @property
    def chunk(self) -> int:
        """How large a piece of a blob is, in bytes."""
        size, moment = self._demanded
        wanted = max(self._host.blob_chunk, size) if self._fresh(moment) else self._host.blob_chunk
        most, moment = self._fitting
        return min(wanted, most) if self._fresh(moment) else wanted

    def too_large(self, size: int, *, parts: int) -> bool:
        """Note that a body of this size, in bytes, was refused (413) and will be sent in so many; False if it was tiny.

        The limit is that of a proxy in front (nginx: 1 MiB unless told otherwise), and it does not say which it is.
        """
        most, moment = self._fitting
        fitting = max(_SMALLEST_CHUNK, size // parts)
        self._fitting = (min(most, fitting) if self._fresh(moment) else fitting), self._clock.monotonic()
        return size > _SMALLEST_CHUNK

    def demanded(self, size: int) -> None:
        """Note the least size of a chunk the registry takes, in bytes; we go along within our limit."""
        self._demanded = (min(size, self._chunk_limit), self._clock.monotonic())

    def _fresh(self, moment: float) -> bool:
        return self._clock.monotonic() - moment < _REMEMBERED
