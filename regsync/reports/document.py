"""A run as JSON. Keys may be added without another `version`."""

from __future__ import annotations

import json

from regsync.record.objects import image_object, run_object
from regsync.record.values import RunRecord

_VERSION = 1


def document(run: RunRecord) -> str:
    """Return the run with all its images, as one JSON object."""
    told = {"version": _VERSION, **run_object(run), "images": [image_object(image) for image in run.images]}
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"
