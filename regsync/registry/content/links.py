"""The next page of a list (RFC 8288): looked for where this one came from, or at the registry itself, nowhere else.

Of what a registry names only the query is a stranger's: fronts drop the first part of their paths or add that of the
server behind them (Artifactory), and its port. So a page elsewhere on the same host counts if its path ends as ours
does, and it is asked for at the path that is known to lead here. Behind a proxy that hides its own name a registry may
name the host it knows itself by; then only the very list counts, and the registry is asked, never that host.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from regsync.errors import Refused, RegsyncError
from regsync.registry.http.redirect import origin_of
from regsync.registry.http.transport import Answer

ODD_LINK = "the next page of a list is named where it is not; asking for it where the list came from"
_REL = re.compile(r"""\s*rel\s*=\s*["']?([^"']*)["']?\s*""", re.IGNORECASE)
_LONGEST_LINK = 8192  # characters
_ESCAPES = {"&amp;": "&", "\\u0026": "&"}  # as HTML and Go's JSON write it, in a header that wants neither
_TAIL = 3  # parts of a path that say which list it is: `app/tags/list`, `app/referrers/sha256:…`


class NextPage(NamedTuple):
    """Where the next page is asked for, "" behind the last one; `odd`: the registry calls it something else."""

    url: str
    odd: bool = False


def next_page(answer: Answer, what: str, *, path: str, registry: str) -> NextPage:
    """Return the page behind this one; `Refused` if it leads elsewhere.

    `path` is what the list is asked for by at the origin `registry`. It counts where somebody behind a redirect names
    it; any other page is an absolute URL at the origin this one came from, and a login goes only to the registry's own.
    """
    header = answer.headers.get("link", "")[:_LONGEST_LINK]
    named = _named(header)
    if not named:
        return _unrelated(answer, _only(header), what, path=path, registry=registry)
    location = named
    for escaped, character in _ESCAPES.items():
        location = location.replace(escaped, character)
    url = _checked(answer, answer.resolve(location), what, path=path, registry=registry)
    return NextPage(url, odd=answer.resolve(named) not in {url, registry + url})


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


def _only(header: str) -> str:
    """Return the one location there is, if nothing is said of how it is related; pages are named so, too (podman)."""
    location, _, parameters = header.strip().removeprefix("<").partition(">")
    alone = header.count("<") == 1 and header.lstrip().startswith("<")
    return location.strip() if alone and "?" in location and "rel" not in parameters.lower() else ""


def _unrelated(answer: Answer, location: str, what: str, *, path: str, registry: str) -> NextPage:
    """Take what is related in no way for the next page if it is one of this list; anything else is none."""
    if not location:
        return NextPage("")
    try:
        url = _checked(answer, answer.resolve(location), what, path=path, registry=registry, anywhere=False)
        return NextPage(url, odd=True)
    except RegsyncError:
        return NextPage("")


def _checked(answer: Answer, following: str, what: str, *, path: str, registry: str, anywhere: bool = True) -> str:
    """Return where the next page is asked for; elsewhere our credentials would go to wherever the answer says.

    `anywhere`: at whatever host the registry's own list is named, its cursor counts.
    """
    try:
        here, there = origin_of(answer.url), origin_of(following)
    except Refused as error:
        raise Refused(f"{what}: the registry names a next page that cannot be followed: {error}") from None
    came, named = urlsplit(answer.url), urlsplit(following)
    query = f"?{named.query}" if named.query else ""
    if there == origin_of(registry) and _same_list(path, named.path):
        return path + query
    if named.path == path != came.path and here.host == there.host:
        return path + query  # whoever is behind the front knows what it is called there
    if anywhere and here == origin_of(registry) and _is_own(path, named.path):
        return path + query
    if here.host != there.host or not _same_list(came.path, named.path):
        raise Refused(f"{what}: the registry names a next page that is not its own: {named.netloc}{named.path}")
    return f"{came.scheme}://{came.netloc}{came.path}{query}"


def _is_own(path: str, named: str) -> bool:
    """Say whether a path is ours, or ours without what a front adds."""
    ours, rest = path.strip("/").split("/"), named.strip("/").removeprefix("v2/").split("/")
    return path == named or (_same_list(path, named) and ours[-len(rest) :] == rest)


def _same_list(came: str, named: str) -> bool:
    ours, theirs = came.strip("/").split("/"), named.strip("/").split("/")
    tail = 1 if ours[-1].startswith("_") else _TAIL
    return came == named or (len(theirs) >= tail and ours[-tail:] == theirs[-tail:])
