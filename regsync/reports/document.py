"""A run as JSON. Keys may be added without another `version`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime

from regsync.record.values import ImageRecord, RunRecord

_VERSION = 1


def document(run: RunRecord) -> str:
    """Return the run with all its images, as one JSON object."""
    told = {
        "version": _VERSION,
        "id": run.id,
        "entry": run.entry,
        "scope": run.scope,
        "began": stamp(run.began),
        "ended": stamp(run.ended),
        "seconds": round(run.seconds, 3),
        "outcome": run.outcome,
        "counts": asdict(run.counts),
        "images": [_image(image) for image in run.images],
    }
    return json.dumps(told, indent=2, ensure_ascii=False) + "\n"


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in the way of RFC 3339, in UTC to the millisecond."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _image(image: ImageRecord) -> dict[str, object]:
    return {**asdict(image), "at": stamp(image.at), "seconds": round(image.seconds, 3)}
