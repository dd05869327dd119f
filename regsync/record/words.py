"""What a run came to in words, for people: counts, sizes, durations and what failures have in common."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from regsync.record.values import ImageRecord, RunRecord

_MARKS: Final = ":,;.()\"'"  # what surrounds a name in a sentence
_NUMBERED: Final = re.compile(r"\S*\d\S*")
_UNITS: Final = (("y", 365 * 86400), ("d", 86400), ("h", 3600), ("m", 60))  # in seconds
_DAYS: Final = 2 * 86400  # seconds from which on days are said
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
    """Return a duration as people read it: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`, `12 days 3 h`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < _DAYS:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} days {whole % 86400 // 3600} h"


def human_age(seconds: float) -> str:
    """Return how old something is, in a unit of which there are two at least: `40s`, `5m`, `30h`, `12d`, `3y`."""
    whole = max(0, int(seconds))
    unit, length = next(((unit, length) for unit, length in _UNITS if whole >= 2 * length), ("s", 1))
    return f"{whole // length}{unit}"


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
    return f"{', '.join(said)}{moved} in {human_seconds(run.seconds)}{spared}"


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
