"""What refers to a digest: asked of the referrers API, else read off the tag that lists it (distribution-spec).

Whether a repository has the API shows when it is asked: a 404, any other refusal, or an answer that is no index mean
that it has not. Silence means nothing: referrers would be missed. An API that answers 5xx as often as it is asked, and
was never seen to work, counts as none, with a word about it. What it turned out to be is remembered for a while; then a
strange answer of an API that was there is an accident and asked for again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from regsync.clock import Clock
from regsync.errors import (
    AccessDenied,
    Failing,
    IntegrityError,
    Malformed,
    NotFound,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.referrers import Referrers, fallback_tag
from regsync.registry.content.links import ODD_LINK, next_page
from regsync.registry.content.reading import ask
from regsync.registry.host import AS_ITSELF, Asking, Learnt, Way
from regsync.registry.http.message import Headers
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope

_ANSWERED = frozenset({200, 204, 400})
_MOST_PAGES = 1000
_MOST_BARREN = 10  # pages in a row without a referrer that was not on those before


@dataclass(slots=True)
class ReferrersApi:
    """One repository's referrers. `base` is its path on the registry, `name` what people call it."""

    transport: Transport
    learnt: Learnt
    base: str
    scopes: tuple[Scope, ...]
    name: str
    clock: Clock
    manifest: Callable[[str], Awaitable[Manifest]]
    asking: Asking = AS_ITSELF
    _first: asyncio.Event | None = field(default=None, init=False)  # somebody is finding out whether there is an API

    @property
    def lacking(self) -> bool:
        """Whether the repository is known to have no API."""
        return self.learnt.lists_referrers(self.base) is False

    async def of(self, subject: Digest) -> tuple[Descriptor, ...]:
        """Return what refers to this digest; nothing, when nobody has heard of it."""
        found = Referrers(f"referrers of {self.name}@{subject}")
        if not await self._by_api(subject, found):
            with suppress(NotFound):
                found.add(await self.manifest(fallback_tag(subject)))
        return found.all

    async def _by_api(self, subject: Digest, found: Referrers) -> bool:
        """Ask the API unless there is none; while nobody knows, one asks, and the others wait for what comes of it."""
        if self.learnt.lists_referrers(self.base) is None and self._first is not None:
            await self._first.wait()
        there = self.learnt.lists_referrers(self.base)
        if there is not None:
            return there and await self._asked(subject, found)
        self._first = first = asyncio.Event()
        try:
            return await self._asked(subject, found)
        finally:
            first.set()
            self._first = None

    async def lists(self, headers: Headers, subject: Digest) -> bool:
        """Say whether the answer to a PUT means that the registry will list what was put with its subject.

        One that was found to have no API is asked whether it has one now: ECR said for long that it lists and did not,
        and others answer 404 as long as a repository is not there. Where that cannot be seen, its word counts: whoever
        may write and not read could not keep a list either.
        """
        if headers.get("oci-subject", "") != str(subject) or not self.learnt.goes(Way.NAMED_SUBJECT):
            return False
        if self.lacking and await self._has_none(subject):
            self.learnt.refused(Way.NAMED_SUBJECT, surely=True)
            self.transport.warn("it says that it lists referrers and has no API for that; listing them under tags")
            return False
        self.learnt.saw_referrers(self.base, listed=True)
        return True

    async def _has_none(self, subject: Digest) -> bool:
        path = f"{self.base}referrers/{subject}"
        try:
            await self._page(path + self.asking.query, f"referrers of {self.name}@{subject}", path=path)
        except (NotFound, Unsupported):
            return True
        except (AccessDenied, Unavailable):
            pass  # who knows
        return False

    async def _asked(self, subject: Digest, found: Referrers) -> bool:
        """Ask the API, page by page; False when there is none. A later page that fails is a list that failed."""
        what = f"referrers of {self.name}@{subject}"
        there = self.learnt.lists_referrers(self.base)
        path = f"{self.base}referrers/{subject}"
        url, seen, pages, barren = path + self.asking.query, set[str](), 0, 0
        while url:
            if url in seen or pages >= _MOST_PAGES or barren >= _MOST_BARREN:
                raise Unsupported(f"{what}: the registry's pages do not end")
            try:
                page, following, came = await self._page(url, what, path=path)
            except (NotFound, AccessDenied, Unsupported) as error:
                if seen:
                    raise
                if not (there and isinstance(error, NotFound)):  # some know an API and not this subject
                    self.learnt.saw_referrers(self.base, listed=False)
                return False
            except Failing as error:
                if seen or there or error.retry_after is not None or self.asking.attempts == 1:
                    raise
                self._fails(error)
                return False
            self.learnt.saw_referrers(self.base, listed=True)
            seen |= {url, came}
            pages += 1
            barren = 0 if found.add(page) else barren + 1
            url = following
        return True

    def _fails(self, error: Failing) -> None:
        self.learnt.saw_referrers(self.base, listed=False)
        self.learnt.refused(Way.REFERRERS, surely=True)
        what = "the referrers API fails; reading the tags that list referrers, what it alone lists is not copied"
        self.transport.warn(what, str(error))

    async def _page(self, url: str, what: str, *, path: str) -> tuple[Manifest, str, str]:
        """Return a page, the URL of the next one, and where this one came from."""
        request = Request(
            "GET",
            url,
            scopes=self.scopes,
            expect=_ANSWERED,
            cap=MANIFEST_MAX,
            attempts=self.asking.attempts if self.learnt.goes(Way.REFERRERS) else 1,
            what=what,
        )

        def read(answer: Answer) -> tuple[Manifest, str, str]:
            following = next_page(answer, what, path=path, registry=self.transport.origin)
            if following.odd:
                self.transport.warn(ODD_LINK)
            return self._index(answer, what), following.url, answer.url

        return await ask(self.transport, request, read=read, clock=self.clock)

    def _index(self, answer: Answer, what: str) -> Manifest:
        if answer.status != 200:
            raise Unsupported(f"{what}: {answer.status}")
        kind = mediatype.base(answer.headers.get("content-type", ""))
        try:
            index = Manifest.read(answer.body, content_type=kind)
        except (Malformed, Unsupported) as error:
            raise self._no_index(kind, f"{what}: {error}") from error
        if index.media_type != mediatype.OCI_INDEX:
            raise self._no_index(kind, f"{what}: {index.media_type} came instead of an index")
        return index

    def _no_index(self, kind: str, why: str) -> RegsyncError:
        """Return what an answer means that is no page: no API is there, or something came in between."""
        spoken = kind == mediatype.OCI_INDEX or self.learnt.lists_referrers(self.base)
        return IntegrityError(why) if spoken else Unsupported(why)
