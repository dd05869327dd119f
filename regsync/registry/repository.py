"""A repository on a registry, spoken to in the distribution API."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from functools import partial

from regsync.clock import Clock
from regsync.errors import (
    AccessDenied,
    Failing,
    Malformed,
    Refused,
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
from regsync.registry.content.manifests import Manifests
from regsync.registry.content.pushing import Pushing
from regsync.registry.content.referrer_lists import ReferrerLists, Ways
from regsync.registry.content.referrers import ReferrersApi
from regsync.registry.content.suspended import Suspended
from regsync.registry.content.upload import Uploads
from regsync.registry.host import AS_ITSELF, Asking, HostSettings, Learnt, OnRegistry
from regsync.registry.http.encoding import is_labelled
from regsync.registry.http.transport import Request, Transport
from regsync.registry.login.scope import Scope
from regsync.repository import BlobWriter, Chunks, Quota, Repository


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
        base, path, scopes = self._base, f"{self._base}blobs/", self._scopes
        self._manifests = Manifests(self, self._looks, place=base, scopes=scopes, clock=clock, asking=asking)
        self._uploads = Uploads(transport, host, learnt, suspended, path=path, scopes=scopes, has_blob=self.has_blob)
        hidden = HiddenLists(self.get_manifest, self.tags, clock=clock)
        self._referring = ReferrersApi(
            transport,
            learnt,
            base=base,
            scopes=scopes,
            name=self.name,
            clock=clock,
            manifest=hidden.read,
            asking=asking,
        )
        self._pushing = Pushing(self, transport, self._manifests, base=base, scopes=scopes, clock=clock)
        put = partial(self._pushing.push, patiently=False)
        ways = Ways(hidden.read, self.head_manifest, put, transport.place)
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
                await self._pushing.push(manifest, at, patiently=False)
            return
        headers = await self._pushing.push(manifest, at if at is not None else manifest.digest)
        subject = manifest.subject
        if subject is not None and not await self._referring.lists(headers, subject.digest):
            await self._lists.add(manifest, subject.digest)

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
        if headers is None:
            return False
        return is_labelled(headers) or headers.get("content-length", str(blob.size)) == str(blob.size)

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
