"""One upload session that is filled chunk by chunk (distribution-spec: Pushing a blob in chunks).

A chunk that got lost is sent again from where the server says it stands; after ten of those that bring nothing the
session is given up.
"""

from __future__ import annotations

import re

from regsync.errors import IntegrityError, RegsyncError, Unavailable
from regsync.registry.http.transport import Answer, Request, Transport

OCTETS = ("Content-Type", "application/octet-stream")
_RANGE = re.compile(r"(?:bytes=)?0-([0-9]{1,19})")
_RECOVERIES = 10


class ChunkedUpload:
    """Where a session is, and how far the server says it has got; `size` is that of a chunk, in bytes."""

    def __init__(self, transport: Transport, url: str, *, scopes: tuple[str, ...], size: int) -> None:
        self.url = url
        self.size = size
        self._transport = transport
        self._scopes = scopes
        self._offset = 0
        self._recoveries = _RECOVERIES

    async def send(self, chunk: bytes) -> None:
        """Send one chunk, wholly; what the server did not keep of it is sent again."""
        start = self._offset
        while self._offset < start + len(chunk):
            rest = chunk[self._offset - start :]
            try:
                answer = await self._patch(rest)
            except (Unavailable, IntegrityError) as error:
                answer = await self._status(error)
            self._follow(answer, start=start, end=start + len(chunk), sent=len(rest))
        self._recoveries = min(_RECOVERIES, self._recoveries + 1)

    async def _patch(self, rest: bytes) -> Answer:
        answer = await self._transport.send(
            Request(
                "PATCH",
                self.url,
                headers=(OCTETS, ("Content-Range", f"{self._offset}-{self._offset + len(rest) - 1}")),
                body=rest,
                scopes=self._scopes,
                expect=frozenset({201, 202, 416}),
                attempts=1,
                what="chunk of a blob",
            )
        )
        return answer if answer.status != 416 else await self._status(Unavailable("the registry wants another chunk"))

    async def _status(self, why: RegsyncError) -> Answer:
        """Ask where the session stands after a chunk went wrong; `why` is raised once that has happened too often."""
        self._recoveries -= 1
        if self._recoveries < 0:
            raise why
        return await self._transport.send(
            Request("GET", self.url, scopes=self._scopes, expect=frozenset({200, 204}), what="upload status")
        )

    def _follow(self, answer: Answer, *, start: int, end: int, sent: int) -> None:
        """Take the server's word for URL and offset, as far as it stays within the chunk under way."""
        if location := answer.headers.get("location", ""):
            self.url = answer.resolve(location)
        said = _RANGE.fullmatch(answer.headers.get("range", "").strip())
        if said is None:
            reached = self._offset + sent if answer.status in {201, 202} else self._offset
        else:  # "0-0" stands for an empty upload too, and one byte is no chunk of ours unless it is all of it
            reached = 0 if said[1] == "0" and end != 1 else int(said[1]) + 1
        if not start <= reached <= end:
            raise Unavailable(f"the registry has {reached} bytes of an upload that stood between {start} and {end}")
        if reached <= self._offset:
            self._recoveries -= 1
            if self._recoveries < 0:
                raise Unavailable(f"the registry takes chunks and stays at byte {reached}")
        self._offset = reached
