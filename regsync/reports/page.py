"""A run as a page that stands alone: no script, nothing that is fetched, every name escaped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from regsync.record.differences import Differences
from regsync.record.objects import stamp
from regsync.record.values import RunRecord, Scope
from regsync.record.words import causes, human_bytes, human_seconds, short, summary
from regsync.reports.table import cells, heading, told

_AIMS: Final[Mapping[Scope, str]] = {
    "changed": "to copy what is missing or differs",
    "missing": "to copy what is missing by name",
    "check": "to look and copy nothing",
}


def page(run: RunRecord, found: Differences | None = None) -> str:
    """Return the run with all its images."""
    environment = Environment(
        loader=PackageLoader("regsync.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"bytes": human_bytes, "seconds": human_seconds, "short": short, "stamp": stamp}
    now = run.ended or run.began
    differences = [(heading(image), image, cells(image, now)) for image in found.images] if found else []
    images = [image for image in run.images if not differences or image.outcome != "needed"]
    said = summary(run) if found is None else told(run, found)
    return environment.get_template("page.html").render(
        run=run, aim=_AIMS[run.scope], summary=said, causes=causes(run.images), differences=differences, images=images
    )
