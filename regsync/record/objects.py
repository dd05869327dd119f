"""Records as the objects of JSON documents: the same in reports and in what the daemon answers. Fields may be added."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from regsync.record.queries import Past
from regsync.record.values import ImageRecord, LiveImage, RunRecord

Object = dict[str, object]


def stamp(moment: datetime | None) -> str | None:
    """Return a moment in the way of RFC 3339, in UTC to the millisecond."""
    return None if moment is None else f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def run_object(run: RunRecord) -> Object:
    """Return a run without its images."""
    return {
        "id": run.id,
        "entry": run.entry,
        "scope": run.scope,
        "began": stamp(run.began),
        "ended": stamp(run.ended),
        "seconds": round(run.seconds, 3),
        "outcome": run.outcome,
        "counts": asdict(run.counts),
    }


def past_object(past: Past) -> Object:
    """Return what became of an entry's last run, and since when it is how."""
    return {"outcome": past.outcome, "succeeded": stamp(past.succeeded), "equal": stamp(past.equal)}


def image_object(image: ImageRecord) -> Object:
    """Return what became of an image."""
    return {**asdict(image), "at": stamp(image.at), "seconds": round(image.seconds, 3)}


def live_object(image: LiveImage) -> Object:
    """Return how far an image is."""
    return {**asdict(image), "since": stamp(image.since), "until": stamp(image.until)}
