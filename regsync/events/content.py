"""What went over the wire, and what became of the blobs and manifests in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Exchanged:
    """A request got an answer; the URL comes without its query, which may hold a signature."""

    method: str
    url: str
    status: int
    authorized: bool


@dataclass(frozen=True, slots=True)
class RequestRetried:
    """A request failed in a way worth trying again; `pause` is in seconds."""

    host: str
    request: str
    attempt: int
    pause: float
    why: str


@dataclass(frozen=True, slots=True)
class BlobStarted:
    """A blob is being looked at; `kind` tells the config of an image from its layers."""

    source: str
    target: str
    digest: str
    kind: Literal["config", "layer"]


@dataclass(frozen=True, slots=True)
class BlobDone:
    """A blob is at the target. `size` is in bytes; `adopted` means mounted or linked, so no byte was moved."""

    target: str
    digest: str
    size: int
    how: Literal["present", "adopted", "copied"]


@dataclass(frozen=True, slots=True)
class BlobProgress:
    """How far a blob is on its way, told at most four times a second; `offset` and `size` are in bytes."""

    source: str
    targets: tuple[str, ...]
    digest: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class BlobRead:
    """So many bytes of a blob were read from its source, to its end or until it broke; once for all its targets."""

    source: str
    digest: str
    read: int


@dataclass(frozen=True, slots=True)
class BlobRetried:
    """A blob broke on its way and is begun again."""

    source: str
    target: str
    digest: str
    attempt: int
    why: str


@dataclass(frozen=True, slots=True)
class ManifestPushed:
    """A manifest is at the target; `ref` is its tag or digest there, `size` its bytes."""

    target: str
    digest: str
    ref: str
    size: int
