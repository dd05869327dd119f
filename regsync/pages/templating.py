"""Templates of pages, with every text escaped, and their words for moments.

They are read, and their library is loaded, for the first page.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context

from regsync.record.objects import stamp
from regsync.record.words import human_bytes, human_seconds, human_span, short

_NOW: Final = 2.0  # seconds


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
        "exact": exact,
        "ago": _ago,
        "until": _until,
    }
    return environment


@pass_context
def _ago(context: Context, moment: datetime) -> str:
    return ago(moment, context["now"])


@pass_context
def _until(context: Context, moment: datetime) -> str:
    return until(moment, context["now"])


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago a moment is."""
    passed = (now - moment).total_seconds()
    return "just now" if passed < _NOW else f"{human_span(passed)} ago"


def until(moment: datetime, now: datetime) -> str:
    """Return in how long a moment comes."""
    left = (moment - now).total_seconds()
    return "now" if left <= 0 else f"in {human_span(left)}"


def exact(moment: datetime) -> str:
    """Return a moment to the second, in UTC."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
