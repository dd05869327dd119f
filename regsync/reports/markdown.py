"""A run as Markdown, for the summary of a CI job: what failed, what changed, and the counts of all else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from regsync.record.differences import Differences
from regsync.record.values import ImageRecord, RunRecord
from regsync.record.words import causes, human_bytes, human_seconds, short, summary
from regsync.reports.table import cells, heading, told
from regsync.text import plain

_ROWS: Final = 200  # of a table: a job's summary may have one MiB
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>()#+!|~&])")
_TITLES: Final = {
    "failed": "failed",
    "cut": "was cut off",
    "copied": "copied what had changed",
    "needed": "would copy what has changed",
    "unchanged": "found nothing to do",
}


def markdown(run: RunRecord, found: Differences | None = None) -> str:
    """Return the run with tables of what failed and of what changed, or would."""
    said = summary(run) if found is None else told(run, found)
    parts = [f"## regsync {_title(run)}", f"{said}."]
    if failed := causes(run.images):
        rows = [(str(len(cause.images)), _code(cause.images[0].target), _text(cause.error)) for cause in failed]
        parts += ["### Failed", _table(("images", "for example", "why"), rows)]
    if found is not None:
        return "\n\n".join([*parts, *_would_change(run, found)]) + "\n"
    if changed := [image for image in run.images if image.outcome in {"copied", "needed"}]:
        title = "### To be copied" if run.scope == "check" else "### Copied"
        columns = ("target", "source", "before", "now", "moved", "took")
        parts += [title, _table(columns, [_row(image) for image in changed])]
    return "\n\n".join(parts) + "\n"


def _title(run: RunRecord) -> str:
    """Return what is said first: how much of it failed, if anything did."""
    failed, images = run.counts.failed, run.counts.images
    if run.outcome == "failed" and failed < images:
        return f"failed for {failed} of {images} images"
    return _TITLES.get(run.outcome, run.outcome)


def _would_change(run: RunRecord, found: Differences) -> list[str]:
    if not found.images:
        return []
    now = run.ended or run.began
    rows = []
    for image in found.images:
        change, before, before_created, after, created, size, tag = cells(image, now)
        rows.append(
            (_code(heading(image)), _code(tag), change, _code(before), before_created, _code(after), created, size)
        )
    columns = ("entry", "tag", "change", "at the target", "age", "at the source", "age", "bytes")
    return ["### What would change", _table(columns, rows)]


def _row(image: ImageRecord) -> tuple[str, ...]:
    ends = (_code(image.target), _code(image.source), _code(short(image.before)), _code(short(image.digest)))
    return (*ends, human_bytes(image.moved), human_seconds(image.seconds))


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [_line(columns), _line(["---"] * len(columns)), *map(_line, rows[:_ROWS])]
    more = f"\n\n… and {len(rows) - _ROWS} more" if len(rows) > _ROWS else ""
    return "\n".join(lines) + more


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _text(text: str) -> str:
    """Return what others wrote so that it stays one line of text: no markup, no link, no end of a cell."""
    return _SPECIAL.sub(r"\\\1", plain(text))


def _code(text: str) -> str:
    """Return a name as code. It may hold neither what ends code nor what ends a cell, which no reference does."""
    return f"`{plain(text).replace('`', chr(39)).replace('|', '/')}`"
