"""A repository on a registry, spoken to in the distribution API."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from math import inf
from urllib.parse import quote

from regsync.clock import Clock
from regsync.errors import Incomplete, IntegrityError, Malformed, NotFound, RegsyncError
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import is_fallback_tag
from regsync.registry.content.external import opened
from regsync.registry.content.listing import Listing
from regsync.registry.content.lists import ReferrerLists, Ways
from regsync.registry.content.quota import quota_of
from regsync.registry.content.reading import ask
from regsync.registry.content.referrers import ReferrersApi
from regsync.registry.content.suspended import Suspended
from regsync.registry.content.upload import Uploads
from regsync.registry.host import AS_ITSELF, Asking, HostSettings, Learnt, OnRegistry, Way
from regsync.registry.http.failure import complaint_of, failure_of
from regsync.registry.http.transport import Answer, Headers, Request, Transport
from regsync.registry.login.scope import Scope
from regsync.repository import BlobWriter, Chunks, Quota, Repository

_ACCEPT = tuple(("Accept", media_type) for media_type in mediatype.ACCEPT)
_OK = frozenset({200})
_NO_HEAD = frozenset({405, 501})
_OK_OR_NO_HEAD = _NO_HEAD | {200}
_LENGTH = re.compile(r"[1-9][0-9]{0,18}")
_LACKING = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})


class RegistryRepository(OnRegistry):
    """One repository; asks for push rights at once where it is going to be written to.

    `learnt` and `suspended` are what the process knows of the host, for all of its repositories; `asking` is how it is
    read from.
    """

    def __init__(
        self,
        transport: Transport,
        host: HostSettings,
        path: str,
        *,
        push: bool,
        learnt: Learnt,
        suspended: Suspended,
        clock: Clock,
        asking: Asking = AS_ITSELF,
    ) -> None:
        super().__init__(host, path)
        self._transport = transport
        self._host = host
        self._learnt = learnt
        self._asking = asking
        self._clock = clock
        self._quota = Quota(heard=-inf)
        self._scopes = (Scope.of_repository(self.known_as, push=push),)
        self._base = f"/v2/{self.known_as}/"
        path, scopes = f"{self._base}blobs/", self._scopes
        self._uploads = Uploads(transport, host, learnt, suspended, path=path, scopes=scopes, has_blob=self.has_blob)
        self._referring = ReferrersApi(
            transport,
            learnt,
            base=self._base,
            scopes=self._scopes,
            name=self.name,
            clock=clock,
            manifest=self.get_manifest,
            asking=asking,
        )
        ways = Ways(read=self.get_manifest, head=self.head_manifest, push=self._push, place=transport.place)
        self._lists = ReferrerLists(self.name, ways, clock=clock)

    @property
    def host(self) -> str:
        """The registry's name: its limits are shared by all of its repositories."""
        return self.registry

    @property
    def standing(self) -> tuple[bool, int]:
        """Where it stands among others that could be asked: whoever is in trouble last, then by `priority`."""
        return self._transport.closed, self._host.priority

    @property
    def quota(self) -> Quota:
        """What the last answer about a manifest said; where looking at one is fetching it, that is all there is."""
        return self._quota if self._learnt.goes(Way.MANIFEST_HEAD) else replace(self._quota, heard=inf)

    @property
    def lists_under_tags(self) -> bool:
        """Without the referrers API, if that is known by now."""
        return self._referring.lacking

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        """Return what a tag or digest names; a registry that tells too little by HEAD is asked for the manifest.

        What is below it is the registry's business, `sparse` or not.
        """
        del sparse
        try:
            answer = await self._headed(self._manifest("HEAD", ref), Way.MANIFEST_HEAD)
        except NotFound:
            return None
        if answer is None:
            return await self._head_by_get(ref)
        self._quota = quota_of(answer.headers, heard=self._clock.monotonic())
        return _described(answer, ref) or await self._head_by_get(ref)

    async def _headed(self, request: Request, way: Way) -> Answer | None:
        """Return the answer to a HEAD, None where the registry does not do that (or what stands before it, now)."""
        if not self._learnt.goes(way):
            return None
        try:
            answer = await self._transport.send(request)
        except NotFound:
            self._learnt.went(way)
            raise
        if answer.status in _NO_HEAD:
            self._learnt.refused(way, surely=False)
            return None
        self._learnt.went(way)
        return answer

    async def _head_by_get(self, ref: str | Digest) -> Descriptor | None:
        try:
            return (await self.get_manifest(ref)).descriptor
        except NotFound:
            return None

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Fetch a manifest; one that came by tag is proved against the digest its own answer names."""

        def read(answer: Answer) -> Manifest:
            self._quota = quota_of(answer.headers, heard=self._clock.monotonic())
            kind = answer.headers.get("content-type", "")
            if isinstance(ref, Digest):
                return Manifest.read(answer.body, content_type=kind, expected=ref)
            try:
                return Manifest.read(answer.body, content_type=kind, expected=_named(answer))
            except Malformed as error:  # nothing proves these bytes, so they may be a proxy's error page
                raise IntegrityError(f"{self.name}:{ref}: {error}") from error

        return await ask(self._transport, self._manifest("GET", ref), read=read, clock=self._clock)

    async def put_manifest(
        self, manifest: Manifest, *, at: str | Digest | None = None, sparse: Platforms | None = None
    ) -> None:
        """Push a manifest under its tag or digest, and list it with its subject if the registry does not do that."""
        del sparse  # whether it takes such an index, it says itself
        if isinstance(at, str) and is_fallback_tag(at):
            async with self._lists.one_writer(at):
                await self._push(manifest, at)
            return
        answer = await self._push(manifest, at if at is not None else manifest.digest)
        subject = manifest.subject
        if subject is not None and not self._referring.lists(answer.headers, subject.digest):
            await self._lists.add(manifest, subject.digest)

    async def _push(self, manifest: Manifest, at: str | Digest) -> Answer:
        query = ""
        if isinstance(at, str) and manifest.digest.algorithm != "sha256":  # else the registry takes it for sha256
            query = f"?digest={quote(str(manifest.digest), safe='')}"
        answer = await self._transport.send(
            Request(
                "PUT",
                f"{self._base}manifests/{at}{query}",
                headers=(("Content-Type", manifest.media_type),),
                body=manifest.raw,
                scopes=self._scopes,
                expect=frozenset({201, 400, 404}),
                what=f"manifest {self.path}:{at}",
            )
        )
        if answer.status in {400, 404}:
            raise self._refusal(answer, at)
        stored = _named(answer)  # docker-registry stores what is pushed by tag under sha256, whatever its digest was
        if stored is not None and stored not in {manifest.digest, Digest.of(manifest.raw, stored.algorithm)}:
            raise IntegrityError(f"{self.name}: the registry stored {stored} instead of {manifest.digest}")
        return answer

    def _refusal(self, answer: Answer, at: str | Digest) -> RegsyncError:
        failure = failure_of(answer.status, answer.body, place=f"PUT manifest {self.path}:{at} at {self._host.name}")
        return Incomplete(str(failure)) if complaint_of(answer.body).codes & _LACKING else failure

    async def referrers(self, subject: Digest, *, slow: bool = False) -> tuple[Descriptor, ...]:
        """Ask the referrers API, or read the tag that lists them where there is none; `slow` means nothing here."""
        del slow
        return await self._referring.of(subject)

    async def has_blob(self, blob: Descriptor) -> bool:
        """Ask for the blob; one of another length is damaged there and counts as missing."""
        headers = await self._blob_headers(blob.digest)
        return headers is not None and headers.get("content-length", str(blob.size)) == str(blob.size)

    async def blob_size(self, digest: Digest) -> int | None:
        """Ask for the blob, whose length is among the headers."""
        headers = await self._blob_headers(digest)
        found = None if headers is None else _LENGTH.fullmatch(headers.get("content-length", ""))
        return None if found is None else int(found[0])

    async def _blob_headers(self, digest: Digest) -> Headers | None:
        """Return what is said of a blob, None when it is not there; where HEAD is switched off, GET says it, too."""
        try:
            answer = await self._headed(self._blob("HEAD", digest), Way.BLOB_HEAD)
            if answer is not None:
                return answer.headers
            async with self._transport.stream(self._blob("GET", digest)) as streamed:
                return streamed.headers
        except NotFound:
            return None

    def open_blob(self, blob: Descriptor, *, start: int = 0) -> AbstractAsyncContextManager[Chunks]:
        """Open the blob's bytes from byte `start` on, resumed where a connection breaks.

        A layer that is not here is fetched from its URLs, if it has any.
        """
        return opened(self._transport, self._blob("GET", blob.digest), blob, start=start, clock=self._clock)

    def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AbstractAsyncContextManager[BlobWriter]:
        """Open a writer; where the registry says it has the blob already, and shows it, there is nothing to write.

        `insisting` sends the blob whatever the registry says.
        """
        return self._uploads.write(blob, insisting=insisting)

    async def adopt_blob(self, blob: Descriptor, neighbour: Repository) -> bool:
        """Mount the blob from another repository of this registry, or from this one.

        A mount is believed: one that lied shows when the manifest is refused, and then everything is sent.
        """
        if not isinstance(neighbour, OnRegistry) or neighbour.registry != self.registry:
            return False
        others = () if neighbour.path == self.path else (Scope.of_repository(neighbour.known_as, push=False),)
        scopes = (*self._scopes, *others)
        return await self._uploads.mount(blob, repository=neighbour.known_as, scopes=scopes)

    async def tags(self) -> AsyncIterator[str]:
        """Every tag once; names that are no tags are not passed on."""
        listing = Listing(f"{self._base}tags/list", "tags", self._scopes, f"tags of {self.name}", self._asking)
        async for tag in listing.read(self._transport, clock=self._clock):
            yield tag

    def _manifest(self, method: str, ref: str | Digest) -> Request:
        return Request(
            method,
            f"{self._base}manifests/{ref}{self._asking.query}",
            headers=_ACCEPT,
            scopes=self._scopes,
            expect=_OK_OR_NO_HEAD if method == "HEAD" else _OK,
            cap=MANIFEST_MAX,
            attempts=self._asking.attempts,
            what=f"manifest {self.path}{'@' if isinstance(ref, Digest) else ':'}{ref}",
        )

    def _blob(self, method: str, digest: Digest) -> Request:
        return Request(
            method,
            f"{self._base}blobs/{digest}{self._asking.query}",
            scopes=self._scopes,
            expect=_OK_OR_NO_HEAD if method == "HEAD" else _OK,
            attempts=self._asking.attempts,
            what=f"blob {self.path}@{digest}",
        )


def _described(answer: Answer, ref: str | Digest) -> Descriptor | None:
    """Read a descriptor off the headers; None where they leave something open (all of them are optional)."""
    kind = mediatype.base(answer.headers.get("content-type", ""))
    length = _LENGTH.fullmatch(answer.headers.get("content-length", ""))
    digest = ref if isinstance(ref, Digest) else _named(answer)
    if digest is None or not mediatype.is_manifest(kind) or length is None:
        return None
    return Descriptor(kind, digest, int(length[0]))


def _named(answer: Answer) -> Digest | None:
    """Return the digest an answer names; what is no digest of ours counts as not given."""
    with suppress(Malformed):
        return Digest.parse(answer.headers.get("docker-content-digest", ""))
    return None
