"""A run as a file: for programs (`.json`), for the summary of a CI job (`.md`) and for people (`.html`)."""

from __future__ import annotations

from pathlib import PurePath

from regsync.record.differences import Differences
from regsync.record.values import RunRecord
from regsync.reports.document import document
from regsync.reports.markdown import markdown


def report(run: RunRecord, path: str, found: Differences | None = None) -> str:
    """Return what is written to a file of this name; without a name that says otherwise, it is Markdown.

    `found` is what would change, if that was looked for.
    """
    match PurePath(path).suffix.lower():
        case ".json":
            return document(run, found)
        case ".html" | ".htm":
            from regsync.reports.page import page  # noqa: PLC0415  # the library for templates costs 30 ms

            return page(run, found)
        case _:
            return markdown(run, found)
