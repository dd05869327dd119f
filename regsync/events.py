"""What happened, as frozen values. Code that moves bytes states them; what they become is decided in `observe/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol


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
class Warned:
    """Something the operator should know that fails nothing; `message` is what people grep for."""

    message: str
    fields: Mapping[str, object] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class TagsSelected:
    """The tags of one source repository were listed and filtered."""

    source: str
    available: int
    selected: int


@dataclass(frozen=True, slots=True)
class NoTagsMatched:
    """A filter left nothing; that is a warning and no failure. `filters` are the patterns, as people read them."""

    source: str
    filters: str
    available: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageCurrent:
    """Nothing to do: the target has it (`present` by name, or `same` by digest)."""

    source: str
    target: str
    how: Literal["present", "same"]


@dataclass(frozen=True, slots=True)
class ImageNeeded:
    """The target lacks the image or holds another one."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class ImageRefreshing:
    """The target has the image, and lacks some of what belongs to it; the rest says what its entry looks after."""

    source: str
    target: str
    forced: bool
    digest_tags: bool
    referrers: bool


@dataclass(frozen=True, slots=True)
class BackupStarted:
    """What a target's name stands for gets another name, because the first is about to be given to another image."""

    original: str
    backup: str


@dataclass(frozen=True, slots=True)
class HookRan:
    """A hook of an image, or of the entry with these ends, did what it was to do; it took so many `seconds`."""

    hook: str
    source: str
    target: str
    seconds: float


@dataclass(frozen=True, slots=True)
class ImageSkipped:
    """The image is of a media type this entry does not copy."""

    source: str
    media_type: str
    allowed: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImageCopied:
    """The target's name now stands for this digest."""

    source: str
    target: str
    digest: str


@dataclass(frozen=True, slots=True)
class ImageFailed:
    """An image, or what would have listed images, failed. `message` is the line people grep for.

    `crash` is set only by a bug of ours.
    """

    message: str
    source: str
    target: str
    error: str
    attempts: int
    crash: BaseException | None = None


@dataclass(frozen=True, slots=True)
class ImagePostponed:
    """A registry asked to be left alone, so an image (or a listing of images) is tried again in `pause` seconds."""

    source: str
    target: str
    pause: float
    why: str


@dataclass(frozen=True, slots=True)
class ImageDelayed:
    """A registry lets `remaining` images be fetched (of `limit`, if it says so), and `least` are wanted to be left.

    The image waits for `pause` seconds, and then its registry is asked again.
    """

    source: str
    target: str
    remaining: int
    limit: int | None
    least: int
    pause: float


@dataclass(frozen=True, slots=True)
class RunFinished:
    """A run over one entry, or over all of them (`entry` empty), came to its end; sizes are in bytes."""

    entry: str
    copied: int
    unchanged: int
    skipped: int
    failed: int
    moved: int
    spared: int
    seconds: float


@dataclass(frozen=True, slots=True)
class EntryIgnored:
    """An entry of a daemon that is never due."""

    message: str
    source: str
    target: str
    kind: str


@dataclass(frozen=True, slots=True)
class JobQueued:
    """An entry waits for a worker."""

    entry: str
    due: datetime


@dataclass(frozen=True, slots=True)
class JobSkipped:
    """An entry was due while it still waited or ran; `times` is how often in a row that was."""

    entry: str
    due: datetime
    times: int


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A worker took an entry."""

    entry: str
    due: datetime


@dataclass(frozen=True, slots=True)
class JobFinished:
    """An entry's run ended; `crash` is set only by a bug of ours, never by a failed image."""

    entry: str
    failed: int
    crash: BaseException | None = None


@dataclass(frozen=True, slots=True)
class Stopping:
    """A signal asked the daemon to stop; `grace` seconds are left to those who work."""

    grace: float


Event = (
    Exchanged | RequestRetried | Warned
    | BlobStarted | BlobDone | BlobProgress | BlobRetried | ManifestPushed
    | TagsSelected | NoTagsMatched
    | ImageCurrent | ImageNeeded | ImageRefreshing | ImageSkipped | BackupStarted | HookRan | ImageCopied
    | ImageFailed | ImagePostponed | ImageDelayed
    | RunFinished | EntryIgnored | JobQueued | JobSkipped | JobStarted | JobFinished | Stopping
)  # fmt: skip


class Tell(Protocol):
    """What producers state their events to. Called synchronously; returns at once and raises nothing."""

    def __call__(self, event: Event, /) -> None:
        """Take note of one event."""
        ...


def ignore(event: Event, /) -> None:
    """Tell nobody."""
