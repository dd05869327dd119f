"""What would change as a table for eyes: a line for each image below its entry. Nothing is cut."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final

from regsync.events import Change
from regsync.record.differences import Difference, Differences
from regsync.record.values import RunRecord
from regsync.record.words import human_age, human_bytes, short
from regsync.text import plain

_HEAD: Final = ("", "target", "age", "source", "age", "bytes", "tag")
_INDENT: Final = "  "
_RIGHT: Final = {2, 4, 5}  # columns of numbers
_COLOURS: Final[dict[Change, str]] = {"new": "32", "changed": "33", "partial": "36", "gone": "31"}


def cells(image: Difference, now: datetime) -> tuple[str, ...]:
    """Return what stands in a row: the change, digest and age at both ends, bytes to move and the tag."""
    size = "-" if image.size is None else human_bytes(image.size)
    before, after = short(image.before), short(image.digest)
    return image.change, before, age(image.before_created, now), after, age(image.created, now), size, image.tag


def age(moment: datetime | None, now: datetime) -> str:
    """Return how old that is; a dash where nobody knows."""
    return "-" if moment is None else human_age((now - moment).total_seconds())


def heading(image: Difference) -> str:
    """Return the entry of an image, with both ends where its name does not say them; tags if they are not the same."""
    source, target = image.places
    if source in image.entry and target in image.entry:
        return image.entry
    renamed = image.source.removeprefix(source) != image.target.removeprefix(target)
    return f"{image.entry}: {f'{image.source} -> {image.target}' if renamed else f'{source} -> {target}'}"


def told(run: RunRecord, found: Differences) -> str:
    """Return the sentence under the table."""
    counts = ((run.counts.unchanged, "unchanged"), (run.counts.skipped, "skipped"), (run.counts.failed, "failed"))
    beside = ", ".join(f"{count} {word}" for count, word in counts if count)
    cut = "; not everything was looked at" if run.cut else ""
    return f"{found.sentence()}{f' ({beside})' if beside else ''}{cut}"


def table(run: RunRecord, found: Differences, *, colours: bool) -> str:
    """Return a line for each difference, and what they come to."""
    return "".join(f"{line}\n" for line in (*_lines(run, found, colours=colours), told(run, found)))


def _lines(run: RunRecord, found: Differences, *, colours: bool) -> Iterator[str]:
    if not found.images:
        return
    now = run.ended or run.began
    rows = [cells(image, now) for image in found.images]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    yield _line(_HEAD, widths)
    for title, group in groupby(zip(found.images, rows, strict=True), lambda pair: heading(pair[0])):
        yield _painted(plain(title), "1", colours=colours)
        for image, row in group:
            rest = _line(row, widths)[len(_INDENT) + len(image.change) :]
            yield f"{_INDENT}{_painted(image.change, _COLOURS[image.change], colours=colours)}{rest}"
    yield ""


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if at in _RIGHT else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    ]
    return plain(f"{_INDENT}{'  '.join(padded)}".rstrip())


def _painted(text: str, colour: str, *, colours: bool) -> str:
    return f"\x1b[{colour}m{text}\x1b[0m" if colours else text
