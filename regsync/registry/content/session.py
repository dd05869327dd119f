"""Upload sessions (distribution-spec: Pushing Blobs): how a blob's bytes get into one, in a stream or piece by piece.

A registry says where a session is (`Location`) and how far it has got (`Range`). Both are taken at its word as far as
that makes sense, because it proves the whole by the digest the session is closed with. What it refuses in one way is
sent in the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from regsync.errors import IntegrityError, NotFound, RegsyncError, Unavailable, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.registry.content.session_requests import SessionRequests
from regsync.registry.content.standing import (
    MOVED,
    REFUSALS,
    is_miscounted,
    is_refusal,
    is_sure,
    opened_at,
    reached_by,
    session_of,
)
from regsync.registry.host import Learnt, Way
from regsync.registry.http.failure import failure_of
from regsync.registry.http.transport import Answer, Transport
from regsync.registry.login.scope import Scope

_RECOVERIES = 10
_DOUBTS = 2
_LOSSES = 2  # sessions that were lost half-way, after which a whole blob is sent
_TAKEN = frozenset({200, 201, 202, 204})
_LOST = frozenset({404, 416})
_TOO_LARGE = 413
_CLOSED = _TAKEN | _LOST | REFUSALS
_STORED = frozenset({201, 204})
_CANCEL_WITHIN = 1.0  # seconds for the courtesy of closing sessions


class Upload:
    """One blob on its way into one registry, over as many sessions as that takes.

    `url` is where its session is, empty while there is none. `offset` is how many bytes the registry is known to hold,
    `handed` how many it may hold at most. `barren` counts streams that broke and left nothing. `chunked` is the way
    that is left where the other one was refused, None while neither was. `doubtful`: that the blob was stored is not
    what was said in the end.
    """

    def __init__(self, transport: Transport, learnt: Learnt, blob: Descriptor, *, scopes: tuple[Scope, ...]) -> None:
        self.blob = blob
        self.url = ""
        self.offset = 0
        self.handed = 0
        self.barren = 0
        self.chunked: bool | None = None
        self.doubtful = False
        self._transport = transport
        self._learnt = learnt
        self._requests = SessionRequests(blob, scopes)
        self._recoveries = _RECOVERIES
        self._doubts = 0  # times its session could not be asked about
        self._disputes = 0  # times the rest of it was not taken from where the session stood
        self._losses = 0

    def begin(self, answer: Answer) -> None:
        """Use the session this answer has opened."""
        self.url, self.offset, self.handed, self._recoveries, self._doubts = "", 0, 0, _RECOVERIES, 0
        self.url = opened_at(answer)

    async def stands(self) -> bool:
        """Ask where the session stands; False where there is none, it is lost or what is said of it makes no sense."""
        if not self.url or not self.handed:
            return bool(self.url)
        if self.chunked is False and self.offset:  # the rest would be a chunk
            return False
        try:
            answer = await self._transport.send(
                replace(self._requests.status(self.url), expect=frozenset({200, 204, 416}))
            )
            reached = self._reached(answer) if answer.status != 416 else None
        except NotFound:
            self.url = ""
            return False
        except RegsyncError as error:
            self._doubts += 1
            if isinstance(error, Unavailable) and self._doubts < _DOUBTS:
                raise
            return False
        if reached is None or reached > self.handed + 1:
            return False
        self.offset = self.handed = min(reached, self.handed)  # some count from 1
        self._recoveries, self._doubts = _RECOVERIES, 0
        return True

    async def stream(self, chunks: AsyncIterator[bytes]) -> None:
        """Send all that is missing in one request: the blob itself, or the rest of it."""
        if not self.offset:
            closing = self._requests.closing(self.url, expect=_CLOSED | MOVED)
            answer = await self._transport.pour(closing, chunks, length=self.blob.size)
            self._accepted(answer, sent=self.blob.size)
            self._stored(answer)
            self._learnt.went(Way.LARGE_BODY)
            return
        left = self.blob.size - self.offset
        request = self._requests.piece(self.url, start=self.offset, length=left, expect=_CLOSED | MOVED)
        answer = await self._transport.pour(request, chunks, length=left)
        if answer.status == 416 and not self._disputes:
            self._disputes += 1
            raise Unavailable(f"the registry does not go on with {self.blob.digest} at byte {self.offset}")
        self._accepted(answer, sent=left)
        self._follow(answer, start=self.offset, end=self.blob.size, sent=left, taken=True)
        if self.offset < self.blob.size:
            raise Unavailable(f"the registry kept {self.offset} of {self.blob.size} bytes of {self.blob.digest}")
        await self.close()

    async def send(self, piece: bytes) -> None:
        """Send one piece, wholly; what the registry did not keep of it is sent again from where it says it stands.

        After ten pieces that bring nothing the session is given up.
        """
        start = self.offset
        with self._finding_losses():
            while self.offset < start + len(piece):
                rest = piece[self.offset - start :]
                self.handed = start + len(piece)
                answer, taken = await self._patched(rest)
                self._follow(answer, start=start, end=start + len(piece), sent=len(rest), taken=taken)
        self._recoveries = min(_RECOVERIES, self._recoveries + 1)

    async def close(self) -> None:
        """Make a blob of what the session holds."""
        answer = await self._transport.send(self._requests.closing(self.url, expect=_CLOSED, body=b""))
        if is_refusal(answer):
            raise self._no_chunks(answer)
        self._stored(answer)

    async def cancel(self) -> None:
        """Give the session up; the registry is told so as a courtesy, and whether it hears that is nobody's concern."""
        url, self.url, self.offset, self.handed = self.url, "", 0, 0
        if url:
            with suppress(RegsyncError, TimeoutError):
                async with asyncio.timeout(_CANCEL_WITHIN):
                    await self._transport.send(self._requests.cancelling(url))

    async def _patched(self, rest: bytes) -> tuple[Answer, bool]:
        """Send a chunk; return what is said of the session then, and whether that means that the chunk was taken."""
        try:
            expect = _TAKEN | REFUSALS | {416}
            request = self._requests.piece(self.url, start=self.offset, length=len(rest), expect=expect)
            answer = await self._transport.send(replace(request, body=rest, attempts=1))
        except (Unavailable, IntegrityError) as error:
            return await self._ask(error), False
        if answer.status == _TOO_LARGE and not self._learnt.goes(Way.LARGE_BODY):
            raise self._too_large(len(rest))
        if is_refusal(answer):
            raise self._no_chunks(answer)
        if answer.status == 400:
            raise self._damaged(answer)
        if answer.status == 416:
            why = f"the registry wants another chunk than that from byte {self.offset} on"
            return await self._ask(Unavailable(why), answer), False
        return answer, True

    async def _ask(self, why: RegsyncError, answer: Answer | None = None) -> Answer:
        """Ask where the session stands after a piece went wrong; `why` is raised once that has happened too often.

        Where it cannot be asked, an `answer` that says it will do; without one the blob is begun anew.
        """
        self._recoveries -= 1
        if self._recoveries < 0:
            raise self._stuck(str(why)) from why
        try:
            return await self._transport.send(self._requests.status(self.url))
        except Unsupported as error:
            if answer is not None and reached_by(answer) is not None:
                return answer
            self.url = ""
            raise Unavailable(f"{why}; and where it stands is not said: {error}") from error

    def _follow(self, answer: Answer, *, start: int, end: int, sent: int, taken: bool) -> None:
        """Take the registry's word for the offset, as far as it stays within what is under way.

        A chunk that was taken counts for more than what is said of it by one who counts in a way of its own: from 1
        (one byte too many), or in this chunk alone. The digest at the end decides.
        """
        reached = self._reached(answer, single=end == 1)
        counted = self.offset + sent if taken else self.offset
        if reached is not None and taken and is_miscounted(reached, start=self.offset, counted=counted):
            self._transport.warn("Range of uploads is miscounted; relying on our own count and the digest")
            reached = counted
        reached = counted if reached is None else reached
        if not start <= reached <= end:
            raise Unavailable(f"the registry has {reached} bytes of an upload that stood between {start} and {end}")
        if reached <= self.offset:
            self._recoveries -= 1
            if self._recoveries < 0:
                raise self._stuck(f"the registry takes chunks and stays at byte {reached}")
        self.offset = reached

    def _reached(self, answer: Answer, *, single: bool = False) -> int | None:
        """Return how many bytes an answer says are there, None where it says nothing; the session may have moved."""
        self.url = session_of(answer) or self.url
        return reached_by(answer, single=single)

    def _accepted(self, answer: Answer, *, sent: int) -> None:
        """Raise where a stream was refused; what was lost or refused is not gone on with.

        Artifactory loses whole blobs (404) and takes chunks; that may also be an accident, so it is the next way for
        this blob, and for others after three in a row.
        """
        whole = not self.offset and sent == self.blob.size > 0
        refused = is_refusal(answer)
        if refused or (whole and answer.status == 404):
            self.chunked = True
            self._learnt.refused(Way.LARGE_BODY, surely=is_sure(answer))
            self._transport.warn("blobs in one request are refused; sending chunks", f"{answer.status}")
        if answer.status == _TOO_LARGE:
            self._learnt.too_large(sent, parts=2)
        if refused:
            self.url = ""
            how = f"({answer.status}); sending chunks from now on"
            raise Unavailable(f"{self._learnt.host} refuses a body of {sent} bytes {how}")
        self._not_lost(answer)

    def _not_lost(self, answer: Answer) -> None:
        if answer.status == 400:
            raise self._damaged(answer)
        if answer.status in _LOST:
            self.url = ""
            raise Unavailable(f"the registry does not go on with the upload of {self.blob.digest} ({answer.status})")

    def _stored(self, answer: Answer) -> None:
        """Raise unless the blob is there."""
        self._not_lost(answer)
        self.url, self.doubtful = "", answer.status not in _STORED

    def _damaged(self, answer: Answer) -> IntegrityError:
        """Return what a refusal of bytes means: they were damaged on their way, for what we send has been proved."""
        place = f"blob {self.blob.digest} at {self._learnt.host}"
        return IntegrityError(str(failure_of(answer.status, answer.body, place=f"PUT {place}")))

    @contextmanager
    def _finding_losses(self) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            self.url = ""
            self._losses += 1
            if not self.offset or self._losses >= _LOSSES:
                self._whole_instead(surely=False)
            raise Unavailable(f"the registry lost the upload of {self.blob.digest}: {error}") from error

    def _no_chunks(self, answer: Answer) -> Unavailable:
        self.url = ""
        self._whole_instead(surely=is_sure(answer))
        return Unavailable(f"{self._learnt.host} refuses chunks ({answer.status}); sending whole blobs from now on")

    def _whole_instead(self, *, surely: bool) -> None:
        self.chunked = False
        self._learnt.refused(Way.CHUNKS, surely=surely)
        self._transport.warn("chunks are refused or lost; sending whole blobs")

    def _stuck(self, why: str) -> Unavailable:
        """Return why chunks lead nowhere (GHCR takes one); the blob goes up whole, unless that was refused, too."""
        if self._learnt.goes(Way.LARGE_BODY):
            self.url = ""
            self._whole_instead(surely=False)
        return Unavailable(why)

    def _too_large(self, size: int) -> RegsyncError:
        """Return the refusal of a chunk as too large; smaller ones are sent from now on, if there are any."""
        self.url, self.chunked = "", True
        if not self._learnt.too_large(size, parts=4):
            limit = "what stands before the registry has to let more through (nginx: client_max_body_size)"
            return Unsupported(f"{self._learnt.host} refuses a body of {size} bytes (413); {limit}")
        how = f"(413); sending chunks of {self._learnt.chunk} from now on"
        return Unavailable(f"{self._learnt.host} refuses a body of {size} bytes {how}")


async def cancel_all(uploads: Iterable[Upload]) -> None:
    """Give up several uploads at once, and no later than one of them."""
    await asyncio.gather(*(upload.cancel() for upload in uploads))
