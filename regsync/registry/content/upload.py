"""Blobs into a registry (distribution-spec: Pushing Blobs): which session a blob goes into, and in which way.

A session is opened with an anonymous mount, which costs nothing and sometimes saves the upload. One streamed request is
the rule; pieces are for blobs above `blob_max`, for registries that refuse large bodies (413), and for blobs whose
stream broke twice and left nothing. What was broken off by a failure that may pass is gone on with.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

from regsync.errors import IntegrityError, RegsyncError, Unavailable
from regsync.oci.descriptor import Descriptor
from regsync.registry.content.session import Upload, cancel_all
from regsync.registry.content.suspended import Suspended
from regsync.registry.content.writer import RegistryWriter
from regsync.registry.host import HostSettings, Learnt, Way
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope
from regsync.repository import BlobWriter

_LENGTH = re.compile(r"[0-9]{1,19}")
_UNSURE = frozenset({401, 500})  # answers to a mount that may be about it, a login or an accident
_SESSION = frozenset({200, 202, 204})  # the specification says 202
_OPENED = _SESSION | {201}
_BARREN = 2  # streams that broke and left nothing, after which pieces are sent


class Uploads:
    """Uploads into one repository; `has_blob` asks for what a registry claims to have."""

    def __init__(
        self,
        transport: Transport,
        host: HostSettings,
        learnt: Learnt,
        suspended: Suspended,
        *,
        path: str,
        scopes: tuple[Scope, ...],
        has_blob: Callable[[Descriptor], Awaitable[bool]],
    ) -> None:
        self._transport = transport
        self._host = host
        self._learnt = learnt
        self._suspended = suspended
        self._path = path
        self._scopes = scopes
        self._has_blob = has_blob

    async def mount(self, blob: Descriptor, *, repository: str, scopes: tuple[Scope, ...]) -> bool:
        """Ask for a blob of another repository of the same registry; False leaves a session for `write` behind."""
        where = f"{self._path}uploads/?from={quote(repository, safe='')}&mount={quote(str(blob.digest), safe='')}"
        answer = await self._granted(where, scopes, what=f"mount of {blob.digest}", unsure=frozenset({500}))
        if answer is not None and answer.status in _SESSION:
            upload = self._new(blob)
            with suppress(RegsyncError):
                upload.begin(answer)
                await cancel_all(self._suspended.keep(self._path, upload))
        return answer is not None and answer.status == 201

    @asynccontextmanager
    async def write(self, blob: Descriptor, *, insisting: bool) -> AsyncIterator[BlobWriter]:
        """Open a writer of the blob, which begins where the last one was broken off."""
        await cancel_all(self._suspended.outdated())
        upload = self._suspended.take(self._path, blob) or self._new(blob)
        writer: RegistryWriter | None = None
        failure: BaseException | None = None
        try:
            there = not await self._continued(upload) and not await self._opened(upload, insisting=insisting)
            writer = RegistryWriter(
                blob.size,
                None if there else upload,
                pieces=lambda: self._learnt.chunk if self._wants_pieces(upload) else 0,
                renew=lambda: self._renewed(upload),
                confirm=lambda: self._confirm(upload),
            )
            yield writer
        except BaseException as error:
            failure = error
            raise
        finally:
            if writer is not None:
                await writer.stop()
            if writer is None or not writer.committed:
                await self._left(upload, failure)

    async def _left(self, upload: Upload, failure: BaseException | None) -> None:
        """Keep what may be gone on with; what was found wrong (`IntegrityError`) would stay so."""
        passing = isinstance(failure, RegsyncError) and failure.retryable and not isinstance(failure, IntegrityError)
        if passing and (upload.url or upload.handed):
            await cancel_all(self._suspended.keep(self._path, upload))
        else:
            await upload.cancel()

    async def _continued(self, upload: Upload) -> bool:
        """Say whether there is a session to go on with; one that makes no sense any more is given up."""
        handed = upload.handed
        stands = await upload.stands()
        if handed and not (stands and upload.offset):
            upload.barren += 1
        if not stands:
            await upload.cancel()
        return stands

    async def _opened(self, upload: Upload, *, insisting: bool) -> bool:
        """Open a session, by an anonymous mount where the registry lets us; False when it has the blob already.

        `insisting` does not offer it that way out.
        """
        if insisting or not self._learnt.goes(Way.ANONYMOUS_MOUNT):
            await self._begin(upload)
            return True
        where = f"{self._path}uploads/?mount={quote(str(upload.blob.digest), safe='')}"
        answer = await self._granted(where, self._scopes, what=f"upload of {upload.blob.digest}", unsure=_UNSURE)
        if answer is not None and answer.status == 201 and await self._has_blob(upload.blob):
            return False
        await self._begin(upload, answer if answer is not None and answer.status in _SESSION else None)
        if answer is None or answer.status in _UNSURE:  # and a plain upload was fine
            self._learnt.refused(Way.ANONYMOUS_MOUNT, surely=answer is None)
        else:
            self._learnt.went(Way.ANONYMOUS_MOUNT)
        return True

    async def _granted(
        self, where: str, scopes: tuple[Scope, ...], *, what: str, unsure: frozenset[int]
    ) -> Answer | None:
        """Ask for a mount: 201 grants it, another success is a session, `unsure` may mean anything, None refuses it."""
        try:
            return await self._transport.send(Request("POST", where, scopes=scopes, expect=_OPENED | unsure, what=what))
        except RegsyncError as error:
            if error.retryable:  # the registry is in trouble, and would be so for the upload
                raise
            return None

    async def _begin(self, upload: Upload, answer: Answer | None = None) -> None:
        """Use the session of this answer, or open one without any mount."""
        if answer is None:
            what = f"upload of {upload.blob.digest}"
            request = Request("POST", f"{self._path}uploads/", scopes=self._scopes, expect=_OPENED, what=what)
            answer = await self._transport.send(request)
        upload.begin(answer)
        wanted = _LENGTH.fullmatch(answer.headers.get("oci-chunk-min-length", "").strip())
        if wanted:  # distribution-spec: Pushing a blob in chunks
            self._learnt.demanded(int(wanted[0]))

    async def _renewed(self, upload: Upload) -> Upload:
        await upload.cancel()
        await self._begin(upload)
        return upload

    async def _confirm(self, upload: Upload) -> None:
        """Look whether the blob is there, where the answer to its last byte was a success of some other kind."""
        if upload.doubtful and not await self._has_blob(upload.blob):
            raise Unavailable(f"{self._learnt.host} took blob {upload.blob.digest} and does not have it")

    def _new(self, blob: Descriptor) -> Upload:
        return Upload(self._transport, self._learnt, blob, scopes=self._scopes)

    def _wants_pieces(self, upload: Upload) -> bool:
        size = upload.blob.size
        if upload.chunked is not None:
            return upload.chunked and size > 0
        large = 0 <= self._host.blob_max < size or not self._learnt.goes(Way.LARGE_BODY)
        wanted = size > 0 and self._learnt.goes(Way.CHUNKS) and (large or upload.barren >= _BARREN)
        if wanted and not large:
            self._transport.warn("uploads break and leave nothing; sending chunks")
        return wanted
