"""How many more manifests a registry lets us fetch, as its answers say (Docker Hub: `ratelimit-remaining: 76;w=21600`).

Only the fields that regclient's regsync reads. `X-RateLimit-Remaining` counts requests of a minute in most places, not
pulls, and a limit meant for pulls would wait there for ever.
"""

from __future__ import annotations

import re
from typing import Final

from regsync.registry.http.message import Headers
from regsync.repository import Quota

_COUNT: Final = re.compile(r"\s*([0-9]{1,18})\s*(?:[;,].*)?", re.DOTALL)


def quota_of(headers: Headers, *, heard: float) -> Quota:
    """Return what an answer says; of several values the first counts, and what is no number was not said."""
    return Quota(_count(headers, "ratelimit-remaining"), _count(headers, "ratelimit-limit"), heard)


def _count(headers: Headers, name: str) -> int | None:
    found = _COUNT.fullmatch(headers.get(name, ""))
    return int(found[1]) if found else None
