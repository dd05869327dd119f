"""What we know of one registry before we talk to it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

Tls = Literal["enabled", "insecure", "disabled"]

DOCKER_HUB = "docker.io"
_HUB_HOSTNAME = "registry-1.docker.io"
_HUB_CREDENTIAL_HOST = "https://index.docker.io/v1/"


@dataclass(frozen=True, slots=True)
class HostSettings:
    """One registry, under the name references call it by.

    `hostname` is the `host[:port]` to connect to. Certificates and keys are PEM text. `credential_expiry` is in
    seconds. `blob_chunk` and `blob_max` are in bytes: blobs above `blob_max` go up in chunks (-1: never, unless a
    whole upload fails). `concurrent` caps requests in flight (None: found out), `per_second` paces them (0: not).
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

    def with_login(self, *, user: str = "", password: str = "", token: str = "", helper: str = "") -> HostSettings:
        """Return these settings with another way to log in; a helper and stored secrets exclude each other."""
        return replace(self, user=user, password=password, token=token, helper=helper)


@dataclass(slots=True)
class Learnt:
    """What a host has taught this process.

    Whether it answers HEAD, how large its chunks are (and may become), in bytes, and whether it refuses large bodies.
    """

    heads: bool
    chunk: int
    chunk_limit: int
    refuses_large: bool = False
