"""Tag lists and the catalogue, page by page (distribution-spec: Listing Tags).

`Link` is followed where it stays on the registry and on the same listing; a registry that sends none is paged with
`last`, as the Go regsync pages the catalogue. Both are a stranger's numbers, so pages, items and cursors are bounded: a
page that fails is a listing that failed, never a short list.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urlsplit

from regsync.clock import Clock
from regsync.errors import IntegrityError, Refused, Unsupported
from regsync.registry.content.reading import ask, json_object
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope

_MOST_PAGES = 10_000
_MOST_ITEMS = 2_000_000
_PAGE_CAP = 32 << 20  # bytes
_REL_NEXT = re.compile(r'rel="?next"?', re.IGNORECASE)
_LONGEST_LINK = 8192  # characters


@dataclass(frozen=True, slots=True)
class _Page:
    items: tuple[str, ...]
    following: str  # the URL of the next page; empty when the registry names none


@dataclass(frozen=True, slots=True)
class Listing:
    """One paged list: where it starts, which key holds its items, and what people call it."""

    path: str
    key: Literal["tags", "repositories"]
    scopes: tuple[Scope, ...]
    what: str

    async def read(self, transport: Transport, *, clock: Clock) -> AsyncIterator[str]:
        """Yield every item once, in the registry's order."""
        seen: set[str] = set()
        asked: set[str] = set()
        url, linked = self.path, False
        while url:
            if url in asked or len(asked) >= _MOST_PAGES or len(seen) > _MOST_ITEMS:
                raise Unsupported(f"{self.what}: the registry's pages do not end")
            asked.add(url)
            page = await self._page(transport, url, clock=clock)
            fresh = [item for item in dict.fromkeys(page.items) if item not in seen]
            seen.update(fresh)
            for item in fresh:
                yield item
            linked = linked or bool(page.following)
            url = page.following or ("" if linked or not fresh else self._after(page.items[-1]))

    async def _page(self, transport: Transport, url: str, *, clock: Clock) -> _Page:
        request = Request(
            "GET",
            url,
            headers=(("Accept", "application/json"),),
            scopes=self.scopes,
            cap=_PAGE_CAP,
            what=self.what,
        )
        return await ask(transport, request, read=self._read, clock=clock)

    def _read(self, answer: Answer) -> _Page:
        body = json_object(answer, self.what)
        if self.key not in body:
            raise IntegrityError(f"{self.what} came without {self.key}")
        return _Page(self._items(body[self.key]), self._following(answer))

    def _items(self, items: Any) -> tuple[str, ...]:
        if items is None:  # docker-registry says null for a repository whose tags are all gone
            return ()
        if not isinstance(items, list):
            raise IntegrityError(f"{self.what}: {self.key} came as something that is not a list")
        return tuple(item for item in items if isinstance(item, str))

    def _following(self, answer: Answer) -> str:
        for part in answer.headers.get("link", "")[:_LONGEST_LINK].split("<")[1:]:
            location, _, parameters = part.partition(">")
            if any(_REL_NEXT.fullmatch(one.strip()) for one in parameters.replace(",", ";").split(";")):
                return self._checked(answer, answer.resolve(location))
        return ""

    def _after(self, last: str) -> str:
        """Return where a list goes on that names no next page: catalogues may be cut silently, tag lists are whole."""
        if self.key == "tags":
            return ""
        return f"{self.path}{'&' if '?' in self.path else '?'}last={quote(last, safe='')}"

    def _checked(self, answer: Answer, following: str) -> str:
        """Refuse a next page elsewhere: it would carry our credentials to wherever the answer says."""
        here, there = urlsplit(answer.url), urlsplit(following)
        if (here.scheme, here.netloc.lower(), here.path) != (there.scheme, there.netloc.lower(), there.path):
            raise Refused(
                f"{self.what}: the registry names a next page that is not its own: {there.netloc}{there.path}"
            )
        return f"{there.path}?{there.query}" if there.query else there.path
