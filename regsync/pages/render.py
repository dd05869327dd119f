"""Pages are made of templates here, every text escaped, and sent with what keeps a browser from doing more than show.

Templates and what belongs to them lie beside this module, and are read when the first page is asked for.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

_KINDS: Final = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_NAMES: Final = ("page.css", "page.js", "control.js", "icon.svg")
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


@dataclass(frozen=True, slots=True)
class Static:
    """A file that pages need."""

    body: bytes
    kind: str


@cache
def statics() -> Mapping[str, Static]:
    """Return the files that pages need, by name."""
    folder = files("regsync.pages") / "static"
    return {name: Static((folder / name).read_bytes(), _KINDS[name.rpartition(".")[2]]) for name in _NAMES}


@cache
def _mark() -> str:
    """Return what is in the address of these files, so that a browser keeps them until they are others."""
    return hashlib.sha256(b"".join(one.body for one in statics().values())).hexdigest()[:12]


def render(template: str, **values: Any) -> bytes:
    """Return the page a template makes of these values; of a large one that takes a while, so it is made aside."""
    from regsync.pages.templating import template as named  # noqa: PLC0415  # no start pays for its library

    return named(template).render(values, mark=_mark()).encode()
