"""The next page of a list (RFC 8288): followed where it stays on the registry and on the same list."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from regsync.errors import Refused
from regsync.registry.http.redirect import origin_of
from regsync.registry.http.transport import Answer

_REL_NEXT = re.compile(r'rel="?next"?', re.IGNORECASE)
_LONGEST_LINK = 8192  # characters


def next_page(answer: Answer, what: str) -> str:
    """Return path and query of the page behind this one, "" behind the last; `Refused` if it leads elsewhere."""
    for part in answer.headers.get("link", "")[:_LONGEST_LINK].split("<")[1:]:
        location, _, parameters = part.partition(">")
        if any(_REL_NEXT.fullmatch(one.strip()) for one in parameters.replace(",", ";").split(";")):
            return _checked(answer, answer.resolve(location), what)
    return ""


def _checked(answer: Answer, following: str, what: str) -> str:
    """Refuse a next page elsewhere: it would carry our credentials to wherever the answer says."""
    try:
        same = origin_of(answer.url) == origin_of(following)
    except Refused as error:
        raise Refused(f"{what}: the registry names a next page that cannot be followed: {error}") from None
    here, there = urlsplit(answer.url), urlsplit(following)
    if not same or here.path != there.path:
        raise Refused(f"{what}: the registry names a next page that is not its own: {there.netloc}{there.path}")
    return f"{there.path}?{there.query}" if there.query else there.path
