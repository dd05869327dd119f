"""A repository on a registry, spoken to in the distribution API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

from regsync.clock import Clock
from regsync.errors import (
    AccessDenied,
    Failing,
    Incomplete,
    IntegrityError,
    Malformed,
    Refused,
    RegsyncError,
    Unavailable,
    Unsupported,
)
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import is_fallback_tag
from regsync.registry.content.external import opened
from regsync.registry.content.hidden import HiddenLists
from regsync.registry.content.listing import Listing
from regsync.registry.content.looking import Looks, length_of
from regsync.registry.content.manifests import Manifests, named
from regsync.registry.content.referrer_lists import ReferrerLists, Ways
from regsync.registry.content.referrers import ReferrersApi
from regsync.registry.content.suspended import Suspended
from regsync.registry.content.upload import Uploads
from regsync.registry.host import AS_ITSELF, Asking, HostSettings, Learnt, OnRegistry
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.failure import failure_of
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope
from regsync.repository import BlobWriter, Chunks, Quota, Repository

_PAUSE = 0.5  # seconds until a manifest that was taken and is not there is put again, then doubled
_PUT = frozenset({200, 201, 202, 204})  # the specification says 201; the others are looked after
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
        self._looks = Looks(transport, learnt)
        self._scopes = (Scope.of_repository(self.known_as, push=push),)
        self._base = f"/v2/{self.known_as}/"
        self._manifests = Manifests(
            self, self._looks, place=self._base, scopes=self._scopes, clock=clock, asking=asking
        )
        path, scopes = f"{self._base}blobs/", self._scopes
        self._uploads = Uploads(transport, host, learnt, suspended, path=path, scopes=scopes, has_blob=self.has_blob)
        hidden = HiddenLists(self.get_manifest, self.tags, clock=clock)
        self._referring = ReferrersApi(
            transport,
            learnt,
            base=self._base,
            scopes=self._scopes,
            name=self.name,
            clock=clock,
            manifest=hidden.read,
            asking=asking,
        )
        ways = Ways(read=hidden.read, head=self.head_manifest, push=self._push, place=transport.place)
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
        """What the last answer about a manifest said."""
        return self._manifests.quota

    @property
    def lists_under_tags(self) -> bool:
        """Without the referrers API, if that is known by now."""
        return self._referring.lacking

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        """Return what a tag or digest names; a registry that tells too little by HEAD is asked for the manifest.

        What is below it is the registry's business, `sparse` or not.
        """
        del sparse
        return await self._manifests.head(ref)

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Fetch a manifest; one that came by tag is proved against the digest its own answer names."""
        return await self._manifests.get(ref)

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
        """Put a manifest; where the answer says too little, look whether it is there, and send it again if not."""
        for pause in (_PAUSE, 2 * _PAUSE, 0.0):
            answer = await self._put(manifest, at)
            if answer.status == 201 or named(answer) is not None or await self._has_manifest(at):
                return answer
            if pause:
                await self._clock.sleep(pause)
        raise Unavailable(f"{self.name}: the registry took {at} and does not have it")

    async def _has_manifest(self, at: str | Digest) -> bool:
        try:
            return await self.head_manifest(at) is not None
        except IntegrityError:  # something came in between
            return False

    async def _put(self, manifest: Manifest, at: str | Digest) -> Answer:
        query = ""
        if isinstance(at, str) and manifest.digest.algorithm != "sha256":  # else the registry takes it for sha256
            query = f"?digest={quote(str(manifest.digest), safe='')}"
        self._manifests.put(at)
        answer = await self._transport.send(
            Request(
                "PUT",
                f"{self._base}manifests/{at}{query}",
                headers=(("Content-Type", manifest.media_type),),
                body=manifest.raw,
                scopes=self._scopes,
                expect=_PUT | {400, 404},
                what=f"manifest {self.path}:{at}",
            )
        )
        if answer.status in {400, 404}:
            raise self._refusal(answer, at)
        stored = named(answer)  # docker-registry stores what is pushed by tag under sha256, whatever its digest was
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
        """Ask for the blob; one of another length is damaged there and counts as missing.

        So does one that may not be looked at, or only where we do not go: whether it may be pushed, pushing will show.
        """
        try:
            headers = await self._looks.blob(self._blob(blob.digest))
        except (AccessDenied, Malformed, Refused, Unsupported):
            return False
        except Failing as error:
            if error.is_outage:
                raise
            return False
        return headers is not None and headers.get("content-length", str(blob.size)) == str(blob.size)

    async def blob_size(self, digest: Digest) -> int | None:
        """Ask for the blob, whose length is among the headers."""
        headers = await self._looks.blob(self._blob(digest), named=True)
        return None if headers is None else length_of(headers)

    def open_blob(self, blob: Descriptor, *, start: int = 0) -> AbstractAsyncContextManager[Chunks]:
        """Open the blob's bytes from byte `start` on, resumed where a connection breaks.

        A layer that is not here is fetched from its URLs, if it has any.
        """
        return opened(self._transport, self._blob(blob.digest), blob, start=start, clock=self._clock)

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

    def _blob(self, digest: Digest) -> Request:
        return Request(
            "GET",
            f"{self._base}blobs/{digest}{self._asking.query}",
            scopes=self._scopes,
            attempts=self._asking.attempts,
            what=f"blob {self.path}@{digest}",
        )
