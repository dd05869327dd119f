"""Upload sessions (distribution-spec: Pushing Blobs): how a blob's bytes get into one, in a stream or piece by piece.

A registry says where a session is (`Location`) and how far it has got (`Range`). Both are taken at its word as far as
that makes sense, because it proves the whole by the digest the session is closed with.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import quote

from regsync.errors import IntegrityError, NotFound, RegsyncError, Unavailable, Unsupported
from regsync.oci.descriptor import Descriptor
from regsync.registry.host import Learnt, Way
from regsync.registry.http.failure import failure_of
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope

_OCTETS = ("Content-Type", "application/octet-stream")
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,19})")
_RECOVERIES = 10
_DOUBTS = 2
_TAKEN = frozenset({200, 201, 202, 204})
_LOST = frozenset({404, 416})
_TOO_LARGE = 413
_NOT_THIS_WAY = frozenset({405, 411, _TOO_LARGE, 501})  # to a whole blob or a chunk: the other way may be open
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
        self._scopes = scopes
        self._recoveries = _RECOVERIES
        self._doubts = 0  # times its session could not be asked about

    def begin(self, answer: Answer) -> None:
        """Use the session this answer has opened."""
        self.url, self.offset, self.handed, self._recoveries, self._doubts = "", 0, 0, _RECOVERIES, 0
        location = answer.headers.get("location", "")
        if not location:
            raise IntegrityError("the registry opened an upload without saying where (no Location)")
        self.url = answer.resolve(location)

    async def stands(self) -> bool:
        """Ask where the session stands; False where there is none, it is lost or what is said of it makes no sense."""
        if not self.url or not self.handed:
            return bool(self.url)
        try:
            answer = await self._transport.send(replace(self._status(), expect=frozenset({200, 204, 416})))
            reached = self._reached(answer) if answer.status != 416 else None
        except NotFound:
            self.url = ""
            return False
        except RegsyncError as error:
            self._doubts += 1
            if isinstance(error, Unavailable) and self._doubts < _DOUBTS:
                raise
            return False
        if reached is None or reached > self.handed:
            return False
        self.offset = self.handed = reached
        self._recoveries, self._doubts = _RECOVERIES, 0
        return True

    async def stream(self, chunks: AsyncIterator[bytes]) -> None:
        """Send all that is missing in one request: the blob itself, or the rest of it."""
        if not self.offset:
            self._stored(await self._transport.pour(self._closing(), chunks, length=self.blob.size))
            self._learnt.went(Way.LARGE_BODY)
            return
        left = self.blob.size - self.offset
        request = self._piece(left, expect=_TAKEN | _LOST | _NOT_THIS_WAY | {400})
        answer = await self._transport.pour(request, chunks, length=left)
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
        self._stored(await self._transport.send(self._closing(body=b"")))

    async def cancel(self) -> None:
        """Give the session up; the registry is told so as a courtesy, and whether it hears that is nobody's concern."""
        url, self.url, self.offset, self.handed = self.url, "", 0, 0
        if url:
            request = Request("DELETE", url, scopes=self._scopes, expect=frozenset({202, 204}), attempts=1)
            with suppress(RegsyncError, TimeoutError):
                async with asyncio.timeout(_CANCEL_WITHIN):
                    await self._transport.send(request)

    async def _patched(self, rest: bytes) -> tuple[Answer, bool]:
        """Send a chunk; return what is said of the session then, and whether that means that the chunk was taken."""
        expect = _TAKEN | _NOT_THIS_WAY | {416}
        try:
            request = replace(self._piece(len(rest), expect=expect), body=rest, attempts=1)
            answer = await self._transport.send(request)
        except (Unavailable, IntegrityError) as error:
            return await self._ask(error), False
        if answer.status == _TOO_LARGE and not self._learnt.goes(Way.LARGE_BODY):
            raise self._too_large(len(rest))
        if answer.status in _NOT_THIS_WAY:
            raise self._no_chunks(answer.status)
        if answer.status == 416:
            if not self._recoveries:
                raise self._stuck(f"the registry wants another chunk than that from byte {self.offset} on")
            return await self._ask(Unavailable("the registry wants another chunk")), False
        return answer, True

    async def _ask(self, why: RegsyncError) -> Answer:
        """Ask where the session stands after a piece went wrong; `why` is raised once that has happened too often."""
        self._recoveries -= 1
        if self._recoveries < 0:
            raise why
        return await self._transport.send(self._status())

    def _follow(self, answer: Answer, *, start: int, end: int, sent: int, taken: bool) -> None:
        """Take the registry's word for the offset, as far as it stays within what is under way.

        A chunk that was taken counts for more than what is said of it by one who counts in a way of its own: from 1
        (one byte too many), or in this chunk alone. The digest at the end decides.
        """
        reached = self._reached(answer, single=end == 1)
        counted = self.offset + sent if taken else self.offset
        if reached is None or (taken and self._miscounts(reached, counted=counted, sent=sent)):
            reached = counted
        if not start <= reached <= end:
            raise Unavailable(f"the registry has {reached} bytes of an upload that stood between {start} and {end}")
        if reached <= self.offset:
            self._recoveries -= 1
            if self._recoveries < 0:
                raise self._stuck(f"the registry takes chunks and stays at byte {reached}")
        self.offset = reached

    def _miscounts(self, reached: int, *, counted: int, sent: int) -> bool:
        """Say whether a length is one too many, or that of the last chunk alone; less may be what was kept."""
        odd = reached == counted + 1 or (0 < self.offset != reached == sent)
        if odd:
            self._transport.warn("Range of uploads is miscounted; relying on our own count and the digest")
        return odd

    def _reached(self, answer: Answer, *, single: bool = False) -> int | None:
        """Return how many bytes an answer says are there, None where it says nothing; the session may have moved.

        "0-0" stands for an empty session, too, and is one byte only where no more than a `single` one was sent.
        """
        if location := answer.headers.get("location", ""):
            self.url = answer.resolve(location)
        said = _RANGE.fullmatch(answer.headers.get("range", "").strip())
        if said is None:
            return None
        return 0 if said[1] == "0" and not single else int(said[1]) + 1

    def _accepted(self, answer: Answer, *, sent: int) -> None:
        """Raise where a stream was refused; what was lost or refused is not gone on with.

        Artifactory loses whole blobs (404) and takes chunks; that may also be an accident, so it is the next way for
        this blob, and for others after three in a row.
        """
        whole = not self.offset and sent == self.blob.size > 0
        if answer.status in _NOT_THIS_WAY or (whole and answer.status == 404):
            self.chunked = True
            self._learnt.refused(Way.LARGE_BODY, surely=answer.status != 404)
        if answer.status == _TOO_LARGE:
            self._learnt.too_large(sent, parts=2)
        if answer.status in _NOT_THIS_WAY:
            self.url = ""
            how = f"({answer.status}); sending chunks from now on"
            raise Unavailable(f"{self._learnt.host} refuses a body of {sent} bytes {how}")
        if answer.status in _LOST | {400}:
            self.url = ""
            raise Unavailable(f"the registry does not go on with the upload of {self.blob.digest} ({answer.status})")

    def _stored(self, answer: Answer) -> None:
        """Raise unless the blob is there; a refused one was damaged on its way, for what we send has been proved."""
        if answer.status == 400:
            raise IntegrityError(
                str(failure_of(400, answer.body, place=f"PUT blob {self.blob.digest} at {self._learnt.host}"))
            )
        self._accepted(answer, sent=self.blob.size)
        self.url, self.doubtful = "", answer.status not in _STORED

    @contextmanager
    def _finding_losses(self) -> Iterator[None]:
        try:
            yield
        except NotFound as error:
            self.url = ""
            if not self.offset:
                self.chunked = False
            raise Unavailable(f"the registry lost the upload of {self.blob.digest}: {error}") from error

    def _no_chunks(self, status: int) -> Unavailable:
        self.url, self.chunked = "", False
        self._learnt.refused(Way.CHUNKS, surely=True)
        return Unavailable(f"{self._learnt.host} refuses chunks ({status}); sending whole blobs from now on")

    def _stuck(self, why: str) -> Unavailable:
        """Return why chunks lead nowhere (GHCR takes one); the blob goes up whole, unless that was refused, too."""
        if self._learnt.goes(Way.LARGE_BODY):
            self.url, self.chunked = "", False
            self._learnt.refused(Way.CHUNKS, surely=False)
        return Unavailable(why)

    def _too_large(self, size: int) -> RegsyncError:
        """Return the refusal of a chunk as too large; smaller ones are sent from now on, if there are any."""
        self.url, self.chunked = "", True
        if not self._learnt.too_large(size, parts=4):
            limit = "what stands before the registry has to let more through (nginx: client_max_body_size)"
            return Unsupported(f"{self._learnt.host} refuses a body of {size} bytes (413); {limit}")
        how = f"(413); sending chunks of {self._learnt.chunk} from now on"
        return Unavailable(f"{self._learnt.host} refuses a body of {size} bytes {how}")

    def _status(self) -> Request:
        return Request("GET", self.url, scopes=self._scopes, expect=frozenset({200, 204}), what="upload status")

    def _piece(self, length: int, *, expect: frozenset[int]) -> Request:
        where = ("Content-Range", f"{self.offset}-{self.offset + length - 1}")
        what = f"chunk of blob {self.blob.digest}"
        return Request("PATCH", self.url, headers=(_OCTETS, where), scopes=self._scopes, expect=expect, what=what)

    def _closing(self, *, body: bytes | None = None) -> Request:
        """Return the request that closes the session: its URL, byte for byte, with the digest added."""
        digest = quote(str(self.blob.digest), safe="")
        return Request(
            "PUT",
            f"{self.url}{'&' if '?' in self.url else '?'}digest={digest}",
            headers=(_OCTETS,),
            body=body,
            scopes=self._scopes,
            expect=_TAKEN | _LOST | _NOT_THIS_WAY | {400},
            what=f"blob {self.blob.digest}",
        )


async def cancel_all(uploads: Iterable[Upload]) -> None:
    """Give up several uploads at once, and no later than one of them."""
    await asyncio.gather(*(upload.cancel() for upload in uploads))
