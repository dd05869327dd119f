"""Tag lists and the catalogue, page by page (distribution-spec: Listing Tags).

`Link` is followed where it stays on the registry and on the same listing; a registry that sends none is paged with
`last`, as the Go regsync pages the catalogue, and so is a list of tags that ends at a round number. What does not know
`last` has sent all there is. Both are a stranger's numbers, so pages, names and cursors are bounded, and what can be no
name is not held: a page that fails is a listing that failed, never a short list.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal
from urllib.parse import quote

from regsync.clock import Clock
from regsync.errors import IntegrityError, Unsupported
from regsync.oci.reference import valid_repository, valid_tag
from regsync.registry.content.links import ODD_LINK, NextPage, next_page
from regsync.registry.content.reading import ask, json_object
from regsync.registry.host import AS_ITSELF, Asking
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope
from regsync.text import plain

_MOST_PAGES = 10_000
_MOST_BARREN = 100  # pages in a row without a name that can be used
_MOST_NAMES = 2_000_000
_MOST_TEXT = 64 << 20  # characters of all names together; each is held until its page has been the last
_AT_ONCE = 5_000  # names taken from a page before the event loop has a turn
_PAGE_CAP = 16 << 20  # bytes, held several times while they are read
_PLAIN_BEYOND = 4 << 20  # bytes; longer pages must be ASCII without \u, for other text takes four times its bytes
_OK = frozenset({200, 204})
_GUESSED = _OK | {400, 403, 404, 405, 410, 422}  # who does not know the `last` that we made up has sent all there is
_FULL = frozenset({100, 1000})  # tags; a list that is cut silently ends at a round number
_ASIDE = frozenset({"name", "errors"})  # what an answer without a list may say
_SHOWN = 80  # characters of an item that can be no name
_LONGEST_LAST = 1024  # characters of an item a list goes on after


@dataclass(frozen=True, slots=True)
class _Page:
    names: tuple[str, ...]  # that can be used
    last: str  # the last item, used or not; empty when there is none, or nothing to go on for
    following: NextPage
    url: str  # where it came from
    unusable: str = ""  # the first item that can be no name


@dataclass(slots=True)
class _Seen:
    """What a listing has brought so far; a URL is known by its hash, since each may be long."""

    names: set[str] = field(default_factory=set)
    text: int = 0
    urls: set[int] = field(default_factory=set)
    pages: int = 0
    barren: int = 0

    def begin(self, url: str, what: str) -> None:
        """Note a page that is asked for, unless there were too many."""
        if hash(url) in self.urls or self.pages >= _MOST_PAGES:
            raise Unsupported(f"{what}: the registry's pages do not end")
        if self.barren >= _MOST_BARREN:
            raise Unsupported(f"{what}: the registry's pages do not end and {self.barren} in a row had no usable name")
        if len(self.names) > _MOST_NAMES or self.text > _MOST_TEXT:
            raise Unsupported(f"{what}: more names than can be held")
        self.urls.add(hash(url))
        self.pages += 1

    def add(self, names: Sequence[str]) -> list[str]:
        """Take names of a page; return those that are new."""
        fresh = [name for name in dict.fromkeys(names) if name not in self.names]
        self.names.update(fresh)
        self.text += sum(map(len, fresh))
        return fresh


@dataclass(frozen=True, slots=True)
class Listing:
    """One paged list: where it starts, which key holds its items, and what people call it."""

    path: str
    key: Literal["tags", "repositories"]
    scopes: tuple[Scope, ...]
    what: str
    asking: Asking = AS_ITSELF

    async def read(self, transport: Transport, *, clock: Clock) -> AsyncIterator[str]:
        """Yield every name once, in the registry's order; what can be no tag or no repository is left out."""
        seen = _Seen()
        url, linked, guessed, last = self.path + self.asking.query, False, False, ""
        while url:
            seen.begin(url, self.what)
            page = await self._page(transport, url, clock=clock, expect=_GUESSED if guessed else _OK)
            self._warn(transport, page, guessed=guessed)
            seen.urls.add(hash(page.url))
            fresh = False
            for start in range(0, len(page.names), _AT_ONCE):
                if start:  # so that a long page holds nobody up
                    await clock.sleep(0)
                for name in seen.add(page.names[start : start + _AT_ONCE]):
                    fresh = True
                    yield name
            seen.barren = 0 if fresh else seen.barren + 1
            linked = linked or bool(page.following.url)
            over = linked or page.last in {"", last} or (page.names and not fresh)
            guessed = not page.following.url
            url, last = page.following.url or ("" if over else self._after(page.last)), page.last

    async def _page(self, transport: Transport, url: str, *, clock: Clock, expect: frozenset[int]) -> _Page:
        request = Request(
            "GET",
            url,
            headers=(("Accept", "application/json"),),
            scopes=self.scopes,
            expect=expect,
            cap=_PAGE_CAP,
            attempts=self.asking.attempts,
            what=self.what,
        )
        read = partial(self._read, registry=transport.origin)
        return await ask(transport, request, read=read, clock=clock)

    def _warn(self, transport: Transport, page: _Page, *, guessed: bool) -> None:
        if page.following.odd:
            transport.warn(ODD_LINK)
        if guessed and page.names and self.key == "tags":
            transport.warn("lists of tags are cut without naming a next page; going on after the last tag")
        if page.unusable:
            transport.warn(f"{self.key} are listed that can be none; leaving them out", page.unusable)

    def _read(self, answer: Answer, *, registry: str) -> _Page:
        if answer.status == 204 and self.asking.attempts == 1:
            raise IntegrityError(f"{self.what} came without {self.key}")
        if answer.status != 200:
            return _Page((), "", NextPage(""), answer.url)
        if len(answer.body) > _PLAIN_BEYOND and not (answer.body.isascii() and b"\\u" not in answer.body):
            raise Unsupported(f"{self.what}: a page of {len(answer.body)} bytes that are not plain text")
        items = self._items(answer)
        usable = valid_tag if self.key == "tags" else valid_repository
        names = tuple(filter(usable, items))
        cut = self.key == "repositories" or len(items) in _FULL
        last = items[-1] if cut and items and len(items[-1]) <= _LONGEST_LAST else ""
        following = next_page(answer, self.what, path=self.path, registry=registry)
        unusable = "" if len(names) == len(items) else next(item for item in items if not usable(item))[:_SHOWN]
        return _Page(names, last, following, answer.url, unusable)

    def _items(self, answer: Answer) -> list[str]:
        """Return what a page lists: nothing where a registry says null (docker-registry: all tags are gone) or no word.

        Not where it says something else instead: that may be a key with a flipped bit; nor where it stands in for
        another, which may have some. What is said besides (GCR) is not read.
        """
        body = {} if answer.body.strip() == b"null" else json_object(answer, self.what)
        named = [key for key in body if key.lower() == self.key]  # as Go reads JSON
        if not named and (self.asking.attempts == 1 or not body.keys() <= _ASIDE):
            raise IntegrityError(f"{self.what} came without {self.key}")
        items = body[named[0]] if named else None
        if items is None and body.get("errors"):
            raise IntegrityError(f"{self.what} came as a complaint: {complaint_of(answer.body).words or 'no words'}")
        if items is None and any(isinstance(value, list) and value for value in body.values()):
            raise IntegrityError(f"{self.what} came without {self.key}, and with a list of something else")
        items = [] if items is None else items
        if not isinstance(items, list):
            raise IntegrityError(f"{self.what}: {self.key} came as something that is not a list")
        strange = next((item for item in items if not isinstance(item, str)), "")
        if not isinstance(strange, str):
            shown = plain(json.dumps(strange)[:_SHOWN])
            raise Unsupported(f"{self.what}: {self.key} came with something that is no name: {shown}")
        return items

    def _after(self, last: str) -> str:
        """Return where a list goes on that names no next page."""
        first = self.path + self.asking.query
        return f"{first}{'&' if '?' in first else '?'}last={quote(last, safe='', errors='replace')}"
