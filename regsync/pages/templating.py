"""Templates of pages, with every text escaped. They are read, and their library is loaded, for the first page."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from regsync.pages import times
from regsync.record.objects import stamp
from regsync.record.words import human_bytes, human_seconds, human_span, short


def template(name: str) -> Template:
    """Return the template of this name."""
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("regsync.pages", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "bytes": human_bytes,
        "seconds": human_seconds,
        "short": short,
        "stamp": stamp,
        "span": human_span,
        "exact": times.exact,
        "ago": _ago,
        "until": _until,
    }
    return environment


@pass_context
def _ago(context: Context, moment: datetime) -> str:
    return times.ago(moment, context["now"])


@pass_context
def _until(context: Context, moment: datetime) -> str:
    return times.until(moment, context["now"])
