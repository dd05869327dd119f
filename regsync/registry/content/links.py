"""The next page of a list (RFC 8288): looked for where this one came from, or at the registry itself, nowhere else.

Of what a registry names only the query is a stranger's: fronts drop the first part of their paths or add that of the
server behind them (Artifactory), and its port. So a page elsewhere on the same host counts if its path ends as ours
does, and it is asked for at the path that is known to lead here.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from regsync.errors import Refused
from regsync.registry.http.redirect import origin_of
from regsync.registry.http.transport import Answer

_REL = re.compile(r"""\s*rel\s*=\s*["']?([^"']*)["']?\s*""", re.IGNORECASE)
_LONGEST_LINK = 8192  # characters
_TAIL = 3  # parts of a path that say which list it is: `app/tags/list`, `app/referrers/sha256:…`


def next_page(answer: Answer, what: str, *, path: str) -> str:
    """Return the URL of the page behind this one, "" behind the last; `Refused` if it leads elsewhere.

    `path` is what the list is asked for by at the registry. It counts where somebody behind a redirect names it; any
    other page is an absolute URL at the origin this one came from, and a login goes only to the registry's own.
    """
    named = _named(answer.headers.get("link", "")[:_LONGEST_LINK])
    return _checked(answer, answer.resolve(named), what, path=path) if named else ""


def _named(header: str) -> str:
    """Return the location that is related as `next`, whatever else there is; some send it without brackets."""
    if "<" not in header:
        header = f"<{header.replace(';', '>;', 1)}"
    for part in header.split("<")[1:]:
        location, _, parameters = part.partition(">")
        for one in parameters.replace(",", ";").split(";"):
            relations = _REL.fullmatch(one)
            if relations is not None and "next" in relations[1].lower().split():
                return location.strip()
    return ""


def _checked(answer: Answer, following: str, what: str, *, path: str) -> str:
    """Return where the next page is asked for; elsewhere our credentials would go to wherever the answer says."""
    try:
        here, there = origin_of(answer.url), origin_of(following)
    except Refused as error:
        raise Refused(f"{what}: the registry names a next page that cannot be followed: {error}") from None
    came, named = urlsplit(answer.url), urlsplit(following)
    query = f"?{named.query}" if named.query else ""
    if named.path == path != came.path and here.host == there.host:
        return path + query  # whoever is behind the front knows what it is called there
    if here.host != there.host or not _same_list(came.path, named.path):
        raise Refused(f"{what}: the registry names a next page that is not its own: {named.netloc}{named.path}")
    return f"{came.scheme}://{came.netloc}{came.path}{query}"


def _same_list(came: str, named: str) -> bool:
    ours, theirs = came.strip("/").split("/"), named.strip("/").split("/")
    tail = 1 if ours[-1].startswith("_") else _TAIL
    return came == named or (len(theirs) >= tail and ours[-tail:] == theirs[-tail:])
