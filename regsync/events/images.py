"""What was decided about images, and what became of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Change = Literal["new", "changed", "partial", "gone"]


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
    """Nothing to do: the target has it (`present` by name, or `same` by digest, which then is `digest`)."""

    source: str
    target: str
    how: Literal["present", "same"]
    digest: str = ""


@dataclass(frozen=True, slots=True)
class ImageNeeded:
    """The target lacks the image or holds another one.

    `digest` is what the source's name stands for; `before` what the target's does, empty where that is not there or
    may not be looked at.
    """

    source: str
    target: str
    digest: str = ""
    before: str = ""


@dataclass(frozen=True, slots=True)
class ImageDiffers:
    """How the two ends of an image differ, for who asked for more than that they do.

    `change`: the target lacks it, has another one, lacks some of what belongs to it, or has what is `gone` from the
    source. `before` and `digest` are what the names at target and source stand for, empty where that is nothing or not
    known; `before_created` and `created` say when those were made. `size`: how many bytes the target lacks, None where
    that is not known. `more`: how many more a copy of all that was told so far would move than without this image; what
    lies elsewhere at the target's host comes from there, so they may be less than none.
    """

    source: str
    target: str
    change: Change
    before: str = ""
    digest: str = ""
    before_created: datetime | None = None
    created: datetime | None = None
    size: int | None = None
    more: int = 0


@dataclass(frozen=True, slots=True)
class CopyPlanned:
    """An image is about to be copied: so many blobs, of so many bytes in all, may have to move."""

    source: str
    target: str
    blobs: int
    size: int


@dataclass(frozen=True, slots=True)
class ImageRefreshing:
    """The target has the image of this digest, and lacks some of what belongs to it.

    The rest says what its entry looks after.
    """

    source: str
    target: str
    forced: bool
    digest_tags: bool
    referrers: bool
    digest: str = ""


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
