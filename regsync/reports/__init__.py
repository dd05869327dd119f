"""A run as a file: for programs (`.json`), for the summary of a CI job (`.md`) and for people (`.html`).

Keys may be added to the JSON without another `version`.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import PurePath

from regsync.record.differences import CHANGES, Difference, Differences
from regsync.record.objects import Object, image_object, run_object, stamp
from regsync.record.values import RunRecord
from regsync.reports.markdown import markdown

_VERSION = 1


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


def document(run: RunRecord, found: Differences | None = None) -> str:
    """Return the run with all its images, and what would change if that was looked for, as one JSON object."""
    told = {"version": _VERSION, **run_object(run), "images": [image_object(image) for image in run.images]}
    if found is not None:
        told["changes"] = {change: found.count(change) for change in CHANGES} | {"bytes": found.size}
        told["differences"] = [_difference_object(image) for image in found.images]
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def _difference_object(image: Difference) -> Object:
    """Return it in the words of images in the same document."""
    node: Object = {"entry": image.entry, **asdict(image), "tag": image.tag, "bytes": image.size}
    del node["size"], node["more"]
    return {**node, "before_created": stamp(image.before_created), "created": stamp(image.created)}
