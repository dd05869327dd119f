"""A run as JSON. Keys may be added without another `version`."""

from __future__ import annotations

import json
from dataclasses import asdict

from regsync.record.differences import CHANGES, Difference, Differences
from regsync.record.objects import Object, image_object, run_object, stamp
from regsync.record.values import RunRecord

_VERSION = 1


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
