"""What would change: every difference a run was told of, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

from regsync.events import Change, ImageDiffers
from regsync.facts import Fact
from regsync.record.words import human_bytes

CHANGES: Final[Sequence[Change]] = ("new", "changed", "partial", "gone")
_NUMBER: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, slots=True)
class Difference(ImageDiffers):
    """An image whose two ends differ, and whose it is."""

    entry: str = ""

    @property
    def tag(self) -> str:
        """What the image is called in the target's repository: a tag, or a digest."""
        return _named(self.target)[1]

    @property
    def places(self) -> tuple[str, str]:
        """The repositories of source and target."""
        return _named(self.source)[0], _named(self.target)[0]


@dataclass(frozen=True, slots=True)
class Differences:
    """All of them, those of an entry together; a copy would move `size` bytes, what several share counted once."""

    images: tuple[Difference, ...] = ()
    size: int = 0

    def count(self, change: Change) -> int:
        """Return how many images that is true of."""
        return sum(image.change == change for image in self.images)

    def sentence(self) -> str:
        """Say in words what would change, and how many bytes would move."""
        counts = {change: self.count(change) for change in CHANGES}
        gone = counts.pop("gone")
        said = [f"{count} {change}" for change, count in counts.items() if count]
        said += [f"{gone} gone at the source"] if gone else []
        if gone == len(self.images):
            return "; ".join([*said, "nothing would change"])
        unknown = any(image.size is None and image.change != "gone" for image in self.images)
        return f"{', '.join(said)}; {human_bytes(self.size)}{' or more' if unknown else ''} would move"

    def cleaned(self, clean: Callable[[str], str]) -> Differences:
        """Return the same without what is secret; `clean` takes it out of a text."""
        images = (
            replace(image, entry=clean(image.entry), source=clean(image.source), target=clean(image.target))
            for image in self.images
        )
        return replace(self, images=tuple(images))


class Comparison:
    """An observer that collects differences."""

    def __init__(self) -> None:
        self._images: list[Difference] = []
        self._size = 0

    def __call__(self, fact: Fact, /) -> None:
        """Take note of one fact."""
        if isinstance(event := fact.event, ImageDiffers):
            self._images.append(Difference(**asdict(event), entry=fact.entry))
            self._size += event.more

    def found(self) -> Differences:
        """Return what was told so far, by entry and name, numbers in names by their size."""
        return Differences(tuple(sorted(self._images, key=_order)), self._size)


def _order(image: Difference) -> tuple[str, list[tuple[int, str]]]:
    pieces = _NUMBER.split(image.target)
    return image.entry, [(int(piece), "") if at % 2 else (-1, piece) for at, piece in enumerate(pieces)]


def _named(image: str) -> tuple[str, str]:
    """Return the repository of a name, and what is called so there."""
    place, at, digest = image.partition("@")
    name, _, tag = place.rpartition(":")
    return (place, digest) if at or "/" in tag else (name, tag)
