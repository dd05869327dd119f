"""What happened, as frozen values. Code that moves bytes states them; what they become is decided in `observe/`."""

from __future__ import annotations

from typing import Protocol

from regsync.events.content import (
    BlobDone,
    BlobProgress,
    BlobRead,
    BlobRetried,
    BlobStarted,
    Exchanged,
    ManifestPushed,
    RequestRetried,
)
from regsync.events.images import (
    BackupStarted,
    Change,
    CopyPlanned,
    HookRan,
    ImageCopied,
    ImageCurrent,
    ImageDelayed,
    ImageDiffers,
    ImageFailed,
    ImageNeeded,
    ImagePostponed,
    ImageRefreshing,
    ImageSkipped,
    NoTagsMatched,
    TagsSelected,
)
from regsync.events.runs import (
    Commanded,
    Complained,
    EntryIgnored,
    JobFinished,
    JobQueued,
    JobSkipped,
    JobStarted,
    Notified,
    PassedOver,
    Ready,
    Reloaded,
    Reloading,
    ReloadRefused,
    RunFinished,
    RunStarted,
    Stopping,
    Warned,
)

Event = (
    Exchanged | RequestRetried | Warned | Complained
    | BlobStarted | BlobDone | BlobProgress | BlobRead | BlobRetried | ManifestPushed
    | TagsSelected | NoTagsMatched
    | ImageCurrent | ImageNeeded | ImageRefreshing | ImageSkipped | ImageDiffers
    | BackupStarted | HookRan | CopyPlanned | ImageCopied
    | ImageFailed | ImagePostponed | ImageDelayed
    | RunStarted | RunFinished | EntryIgnored | JobQueued | JobSkipped | JobStarted | JobFinished
    | Ready | Reloading | Reloaded | ReloadRefused | Stopping | Notified | Commanded | PassedOver
)  # fmt: skip


class Tell(Protocol):
    """What producers state their events to. Called synchronously; returns at once and raises nothing."""

    def __call__(self, event: Event, /) -> None:
        """Take note of one event."""
        ...


def ignore(event: Event, /) -> None:
    """Tell nobody."""


__all__ = [
    "BackupStarted",
    "BlobDone",
    "BlobProgress",
    "BlobRead",
    "BlobRetried",
    "BlobStarted",
    "Change",
    "Commanded",
    "Complained",
    "CopyPlanned",
    "EntryIgnored",
    "Event",
    "Exchanged",
    "HookRan",
    "ImageCopied",
    "ImageCurrent",
    "ImageDelayed",
    "ImageDiffers",
    "ImageFailed",
    "ImageNeeded",
    "ImagePostponed",
    "ImageRefreshing",
    "ImageSkipped",
    "JobFinished",
    "JobQueued",
    "JobSkipped",
    "JobStarted",
    "ManifestPushed",
    "NoTagsMatched",
    "Notified",
    "PassedOver",
    "Ready",
    "ReloadRefused",
    "Reloaded",
    "Reloading",
    "RequestRetried",
    "RunFinished",
    "RunStarted",
    "Stopping",
    "TagsSelected",
    "Tell",
    "Warned",
    "ignore",
]
