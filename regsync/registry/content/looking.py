"""Looking at what a registry has without fetching it: by HEAD, and by GET where HEAD leads nowhere.

Some registries have no HEAD (405, 501), some break at it (5xx), and some answer it with a redirect to storage whose
signed URL is good for GET alone (S3 says 403). None of that says anything of what was asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from regsync.errors import AccessDenied, Failing, Malformed, Misled, NotFound, Unsupported
from regsync.registry.host import Learnt, Way
from regsync.registry.http.encoding import is_labelled
from regsync.registry.http.transport import Answer, Headers, Request, Transport

_LENGTH = re.compile(r"[1-9][0-9]{0,18}")
_THERE = frozenset({200, 204})
_NO_HEAD = frozenset({405, 501})
_NOT_FOR_HEAD = frozenset({400, 401, 403, 405, 501})  # what storage says to a HEAD of a URL that is signed for GET
_FEW = 3  # attempts by HEAD; then GET has its own


class Untold(Unsupported):
    """HEAD failed, as often as makes sense; that is no answer."""


@dataclass(frozen=True, slots=True)
class Looks:
    """How one registry is looked at."""

    transport: Transport
    learnt: Learnt

    async def headed(self, request: Request, way: Way) -> Answer | None:
        """Return the answer to this request as a HEAD, None where that does not tell; `NotFound` is an answer.

        `Untold`: HEAD fails, and whether that is all that fails, GET will show.
        """
        if not self.learnt.goes(way):
            return None
        head = replace(request, method="HEAD", expect=_THERE | _NO_HEAD, astray=_NOT_FOR_HEAD)
        try:
            answer = await self.transport.send(replace(head, attempts=min(_FEW, request.attempts)))
        except NotFound:
            self.learnt.went(way)
            raise
        except Failing as error:
            if request.attempts == 1 or error.retry_after is not None:
                raise
            raise Untold(str(error)) from error
        if answer.status in _THERE:
            self.learnt.went(way)
            return answer
        astray = answer.status not in _NO_HEAD
        self.learnt.refused(way, surely=astray)
        if astray:
            self.transport.warn("HEAD leads to storage that forbids it; asking by GET for an hour")
        return None

    async def blob(self, request: Request, *, named: bool = False) -> Headers | None:
        """Return what is said of a blob, None when it is not there; by GET its bytes are not read.

        Where not even GET gets past the storage, nobody can say that it is there. One that a manifest of the same
        repository has `named` is asked for by GET where HEAD has not found it.
        """
        try:
            answer = await self.headed(request, Way.BLOB_HEAD)
        except (AccessDenied, Malformed, Misled, NotFound, Unsupported) as error:
            if not named and not isinstance(error, Untold):
                if isinstance(error, NotFound):
                    return None
                raise
            found = await self._blob_by_get(request)
            if found is not None:
                self.got(Way.BLOB_HEAD)
            return found
        return await self._blob_by_get(request) if answer is None else answer.headers

    def got(self, way: Way) -> None:
        """Note that GET has what HEAD has not found, refused or failed at."""
        self.learnt.refused(way, surely=True)
        what = "manifests" if way is Way.MANIFEST_HEAD else "blobs"
        self.transport.warn(f"HEAD does not find {what} that GET has; asking by GET for an hour")

    @property
    def names_right(self) -> bool:
        """Whether the digests that are named beside tags are believed."""
        return self.learnt.goes(Way.NAMED_DIGEST)

    def names_wrong(self) -> None:
        """Note that a digest was named beside a tag whose manifest has another, so that HEAD tells nothing."""
        for way in (Way.NAMED_DIGEST, Way.MANIFEST_HEAD):
            self.learnt.refused(way, surely=True)
        self.transport.warn(
            "tags are answered for with digests their manifests do not have; reckoning them for an hour"
        )

    async def _blob_by_get(self, request: Request) -> Headers | None:
        try:
            async with self.transport.stream(replace(request, astray=_NOT_FOR_HEAD)) as streamed:
                return streamed.headers if streamed.status in _THERE else None
        except NotFound:
            return None


def length_of(headers: Headers) -> int | None:
    """Return how many bytes headers announce; None where they do not say, or say nothing that can be.

    Of what is called packed they say how long it is then (CDNs).
    """
    if is_labelled(headers):
        return None
    found = _LENGTH.fullmatch(headers.get("content-length", ""))
    return None if found is None else int(found[0])
