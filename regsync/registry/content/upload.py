"""Blobs into a registry (distribution-spec: Pushing Blobs): one PUT, or chunk by chunk with recovery.

A session is opened with an anonymous mount, which costs nothing and sometimes saves the upload. Whole uploads are the
rule; chunks are for blobs above `blob_max` and for registries that refuse large bodies (413). A chunk that got lost is
sent again from where the server says it stands; a session that got lost is `Unavailable`, and the copier begins again.
"""

from __future__ import annotations

import asyncio
import re
from contextlib import suppress
from urllib.parse import quote

from regsync.errors import IntegrityError, NotFound, RegsyncError, Unavailable
from regsync.oci.digest import Digest
from regsync.registry.content.chunks import OCTETS, ChunkedUpload
from regsync.registry.host import HostSettings, Learnt
from regsync.registry.http.failure import failure_of
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.repository import Verified

_LENGTH = re.compile(r"[0-9]{1,19}")
_LARGEST_CHUNK = 64 << 20  # bytes; each is held in memory
_COMMITTED = frozenset({201, 204})
_CANCEL_WITHIN = 1.0  # seconds for the courtesy of closing a session


class Uploads:
    """Uploads into one repository."""

    def __init__(
        self, transport: Transport, host: HostSettings, learnt: Learnt, *, path: str, scopes: tuple[str, ...]
    ) -> None:
        self._transport = transport
        self._host = host
        self._learnt = learnt
        self._path = path
        self._scopes = scopes
        self._sessions: dict[Digest, str] = {}  # opened by a mount that was not granted, not used yet

    async def mount(self, digest: Digest, *, repository: str, scopes: tuple[str, ...]) -> bool:
        """Ask for a blob of another repository of the same registry; False leaves a session for `put` behind."""
        where = f"{self._path}uploads/?from={quote(repository, safe='')}&mount={quote(str(digest), safe='')}"
        try:
            answer = await self._transport.send(
                Request("POST", where, scopes=scopes, expect=frozenset({201, 202}), what=f"mount of {digest}")
            )
        except RegsyncError as error:
            if error.retryable:  # the registry is in trouble, and would be so for the upload
                raise
            return False
        if answer.status == 202:
            self._keep(digest, answer)
        return answer.status == 201

    async def put(self, content: Verified, *, insisting: bool = False) -> bool:
        """Store the blob, or leave nothing of it behind; False when the registry says it has it and nothing was sent.

        `insisting` asks for a session without offering the registry that way out.
        """
        session = self._sessions.pop(content.blob.digest, "")
        if not session:
            answer = await self._open(content.blob.digest, insisting=insisting)
            if answer.status == 201:
                return False
            session = self._location(answer)
            self._obey_minimum(answer)
        upload = ChunkedUpload(self._transport, session, scopes=self._scopes, size=self._learnt.chunk)
        try:
            if self._wants_chunks(content.blob.size):
                await self._in_chunks(upload, content)
            else:
                await self._whole(session, content)
        except NotFound as error:
            raise Unavailable(f"the registry lost the upload of {content.blob.digest}: {error}") from error
        except BaseException:
            await self._cancel(upload.url)
            raise
        return True

    async def _open(self, digest: Digest, *, insisting: bool) -> Answer:
        """Open a session, by an anonymous mount where the registry lets us; 201 means it has the blob already."""
        plain = Request(
            "POST", f"{self._path}uploads/", scopes=self._scopes, expect=frozenset({202}), what=f"upload of {digest}"
        )
        mount = Request(
            "POST",
            f"{self._path}uploads/?mount={quote(str(digest), safe='')}",
            scopes=self._scopes,
            expect=frozenset({201, 202, 400, 404, 405}),
            what=plain.what,
        )
        if insisting:
            return await self._transport.send(plain)
        answer = await self._transport.send(mount)
        return answer if answer.status in {201, 202} else await self._transport.send(plain)

    def _keep(self, digest: Digest, answer: Answer) -> None:
        with suppress(IntegrityError):
            self._sessions[digest] = self._location(answer)

    def _location(self, answer: Answer) -> str:
        location = answer.headers.get("location", "")
        if not location:
            raise IntegrityError("the registry opened an upload without saying where (no Location)")
        return answer.resolve(location)

    def _obey_minimum(self, answer: Answer) -> None:
        """Send chunks as large as the registry demands (distribution-spec: OCI-Chunk-Min-Length), within our limit."""
        wanted = _LENGTH.fullmatch(answer.headers.get("oci-chunk-min-length", "").strip())
        if wanted:
            limit = min(self._learnt.chunk_limit, _LARGEST_CHUNK)
            self._learnt.chunk = max(self._learnt.chunk, min(int(wanted[0]), limit))

    def _wants_chunks(self, size: int) -> bool:
        return size > 0 and (self._learnt.refuses_large or 0 <= self._host.blob_max < size)

    async def _whole(self, session: str, content: Verified) -> None:
        blob = content.blob
        request = Request(
            "PUT",
            _committing(session, blob.digest),
            headers=(OCTETS,),
            scopes=self._scopes,
            expect=_COMMITTED | {400, 413},
            what=f"blob {blob.digest}",
        )
        answer = await self._transport.pour(request, aiter(content), length=blob.size)
        self._check_stored(answer, blob.digest)
        if answer.status == 413:
            self._learnt.refuses_large = True
            raise Unavailable(f"{self._host.name} refuses a body of {blob.size} bytes; sending chunks from now on")

    async def _in_chunks(self, upload: ChunkedUpload, content: Verified) -> None:
        buffer = bytearray()
        async for chunk in content:
            buffer += chunk
            while len(buffer) > upload.size:
                await upload.send(bytes(buffer[: upload.size]))
                del buffer[: upload.size]
        await upload.send(bytes(buffer))
        answer = await self._transport.send(
            Request(
                "PUT",
                _committing(upload.url, content.blob.digest),
                headers=(OCTETS,),
                body=b"",
                scopes=self._scopes,
                expect=_COMMITTED | {400},
                what=f"blob {content.blob.digest}",
            )
        )
        self._check_stored(answer, content.blob.digest)

    def _check_stored(self, answer: Answer, digest: Digest) -> None:
        """Take a refused blob for one that was damaged on its way: what we sent had been proved."""
        if answer.status == 400:
            failure = failure_of(answer.status, answer.body, place=f"PUT blob {digest} at {self._host.name}")
            raise IntegrityError(str(failure))

    async def _cancel(self, session: str) -> None:
        """Close a session we leave behind, as a courtesy: a failure of that is nobody's."""
        request = Request("DELETE", session, scopes=self._scopes, expect=frozenset({202, 204}), attempts=1)
        with suppress(RegsyncError, TimeoutError):
            async with asyncio.timeout(_CANCEL_WITHIN):
                await self._transport.send(request)


def _committing(session: str, digest: Digest) -> str:
    """Return where an upload is closed: the session's URL, byte for byte, with the digest added."""
    return f"{session}{'&' if '?' in session else '?'}digest={quote(str(digest), safe='')}"
