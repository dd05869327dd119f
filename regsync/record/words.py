"""What a run came to in words, for people: counts, sizes, durations and what failures have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from regsync.record.values import ImageRecord, RunRecord

_MARKS: Final = ":,;.()\"'"  # what surrounds a name in a sentence
_NUMBERED: Final = re.compile(r"\S*\d\S*")
_UNITS: Final = ((86400, "day"), (3600, "h"), (60, "min"), (1, "s"))  # in seconds
_AGES: Final = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60))
_SHORT: Final = 12  # characters of a digest that tell it from others


def human_bytes(count: int) -> str:
    """Return a number of bytes as people read it, in binary units with two digits or more."""
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.1f} {unit}" if size < 10 and unit != "B" else f"{size:.0f} {unit}"


def human_seconds(seconds: float) -> str:
    """Return a duration as it was measured: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `47 h 0 min`, `12 days 3 h`."""
    return f"{seconds:.1f} s" if seconds < 10 else _in_units(round(seconds), days=2, wholly=True)


def human_span(seconds: float) -> str:
    """Return how far something is, with the lesser unit only where that matters: `45 s`, `1 h 30 min`, `9 days`."""
    return _in_units(max(round(seconds), 0), days=1, wholly=False)


def human_age(seconds: float) -> str:
    """Return how old something is, in a unit of which there are two at least: `40s`, `5m`, `30h`, `12d`, `3y`."""
    whole = max(0, int(seconds))
    unit, length = next(((unit, length) for unit, length in _AGES if whole >= 2 * length), ("s", 1))
    return f"{whole // length}{unit}"


def _in_units(whole: int, *, days: int, wholly: bool) -> str:
    """Return so many seconds in their largest unit and the next one; from so many `days` on in days."""
    for (unit, name), (lesser, next_name) in pairwise(_UNITS):
        if whole >= unit * (days if name == "day" else 1):
            count, rest = divmod(whole, unit)
            more = f" {rest // lesser} {next_name}" if wholly or (count < 3 and rest >= lesser) else ""
            return f"{count} {name}{'s' if name == 'day' and count != 1 else ''}{more}"
    return f"{whole} s"


def short(digest: str) -> str:
    """Return so much of a digest as people compare, without its algorithm; a dash where there is none."""
    return digest.partition(":")[2][:_SHORT] or "-"


def summary(run: RunRecord) -> str:
    """Return one sentence: how many images and bytes, in what time, and what came without being moved."""
    counts = run.counts
    said = [
        f"{count} {word}"
        for count, word in (
            (counts.copied, "copied"),
            (counts.needed, "to be copied"),
            (counts.unchanged, "unchanged"),
            (counts.skipped, "skipped"),
            (counts.failed, "failed"),
        )
        if count
    ]
    if not said:
        return f"No images, in {human_seconds(run.seconds)}"
    first, _, word = said[0].partition(" ")
    said[0] = f"{first} {'image' if first == '1' else 'images'} {word}"
    moved = f", {human_bytes(counts.moved)}" if counts.moved else ""
    spared = f"; {human_bytes(counts.spared)} came by links" if counts.spared else ""
    seen = ", seen" if counts.needed and not counts.moved else ""  # nothing will be copied in that time
    return f"{', '.join(said)}{moved}{seen} in {human_seconds(run.seconds)}{spared}"


@dataclass(frozen=True, slots=True)
class Cause:
    """An error that several images failed with; `kind` is what is the same of it in every run."""

    error: str
    images: tuple[ImageRecord, ...]
    kind: str = ""


def causes(images: Iterable[ImageRecord]) -> list[Cause]:
    """Group failures by what they say, but for what is each one's own in it; those with the most images first."""
    groups: dict[str, list[ImageRecord]] = {}
    for image in images:
        if image.outcome == "failed":
            groups.setdefault(_common(image), []).append(image)
    found = [Cause(group[0].error, tuple(group), _kind(common)) for common, group in groups.items()]
    return sorted(found, key=lambda cause: -len(cause.images))


def _kind(common: str) -> str:
    """Return what is common to failures without numbers: of bytes, seconds and requests, others each time."""
    return _NUMBERED.sub("#", common)


def _common(image: ImageRecord) -> str:
    """Return the error without the names and digests of its image."""
    words = image.error.split()
    own = {part for name in (image.source, image.target) for part in _parts(name)}
    return " ".join("*" if _holds(word, own) or "sha256:" in word else word for word in words)


def _holds(word: str, own: set[str]) -> bool:
    """Say whether one of these is in the word; a short one, such as `v1`, has to be all of it."""
    return word.strip(_MARKS) in own or any(len(part) > 2 and part in word for part in own)


def _parts(name: str) -> list[str]:
    """Return what of a reference may be met in an error: all of it, what follows its host, and its tag."""
    rest = name.partition("/")[2]
    tag = rest.rpartition(":")[2]
    return [part for part in (name, rest, tag) if part]
