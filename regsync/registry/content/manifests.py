"""Manifests of one repository, looked at and fetched.

Not every registry says by HEAD what a tag stands for, and some serve manifests by tag alone (Nexus: by digest 404 or
500). The bytes that came by tag are as good: their digest is reckoned, and it is the one that was wanted or they are
not used. Where the registry names another digest than they have (distribution/distribution#2395), `naming` says whether
that is damage or a lie.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from math import inf

from regsync.clock import Clock
from regsync.errors import (
    AccessDenied,
    IntegrityError,
    Malformed,
    Misled,
    Misnamed,
    NotFound,
    RegsyncError,
    Unavailable,
    Unreadable,
    Unsupported,
)
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.registry.content.looking import Looks, Untold, length_of
from regsync.registry.content.naming import Naming, named
from regsync.registry.content.quota import quota_of
from regsync.registry.content.reading import ask
from regsync.registry.host import Asking, OnRegistry, Way
from regsync.registry.http.transport import Answer, Request
from regsync.registry.login.scope import Scope
from regsync.repository import Quota

_ACCEPT = (("Accept", ", ".join(mediatype.ACCEPT)),)  # in one line: some read no second (cri-o/cri-o#9902)
_QUOTA_LASTS = 900.0  # seconds; for ever would be a wait without end for whoever fetches nothing until more is left
_TAGS = 4096  # remembered by what they stood for
_MISSED = 1024  # names that HEAD has not found
_KEPT = 8  # manifests that came by tag
_KEPT_LENGTH = 64 << 10  # bytes; longer ones are not kept
_FEW = 2  # attempts by digest, where a tag is at hand


class _OtherKind(Malformed):
    """What a tag names is of a type that is no manifest's; `described` is what it is."""

    def __init__(self, message: str, described: Descriptor) -> None:
        super().__init__(message)
        self.described = described


class Manifests:
    """What a repository says of its manifests, `place` being its path on the registry."""

    def __init__(
        self, of: OnRegistry, looks: Looks, *, place: str, scopes: tuple[Scope, ...], clock: Clock, asking: Asking
    ) -> None:
        self._of = of
        self._looks = looks
        self._place = place
        self._scopes = scopes
        self._clock = clock
        self._asking = asking
        self._quota = Quota(heard=-inf)
        self._tags: OrderedDict[Digest, str] = OrderedDict()
        self._kept: OrderedDict[Digest, Manifest] = OrderedDict()
        self._missed: set[str | Digest] = set()

    @property
    def quota(self) -> Quota:
        """What the last answer said; where looking at a manifest is fetching it, that is good for longer."""
        age = self._clock.monotonic() - self._quota.heard
        if self._looks.learnt.goes(Way.MANIFEST_HEAD) or _QUOTA_LASTS <= age < inf:
            return self._quota
        return replace(self._quota, heard=inf)

    async def head(self, ref: str | Digest) -> Descriptor | None:
        """Return what a tag or digest names; a registry that tells too little by HEAD is asked for the manifest."""
        try:
            answer = await self._looks.headed(self._request(ref), Way.MANIFEST_HEAD)
        except (AccessDenied, Malformed, Misled, NotFound, Unsupported) as error:
            self._miss(ref)
            if isinstance(error, NotFound):
                return None
            if not isinstance(error, Untold):
                raise
            answer = None
        if answer is not None:
            self._hear(answer)
        found = None if answer is None else _described(answer, ref)
        if found is None:
            return await self._head_by_get(ref, kind="" if answer is None else _kind(answer))
        self._note(found.digest, ref)
        return found

    def _miss(self, ref: str | Digest) -> None:
        if len(self._missed) >= _MISSED:
            self._missed.clear()
        self._missed.add(ref)

    def forget_miss(self, ref: str | Digest) -> None:
        """Forget that HEAD has not found this: it was true, since we are about to put it."""
        self._missed.discard(ref)

    async def _head_by_get(self, ref: str | Digest, *, kind: str) -> Descriptor | None:
        """Return what a manifest is whose HEAD told too little; one of schema 1 need not be readable to be left out."""
        outmoded = kind in mediatype.SCHEMA1
        try:
            manifest = await self.get(ref, attempts=_FEW if outmoded else None)
        except _OtherKind as error:
            return error.described
        except RegsyncError as error:
            if outmoded:
                raise Unreadable(kind, error) from error
            if isinstance(error, NotFound):
                return None
            raise
        if len(manifest.raw) <= _KEPT_LENGTH:
            self._kept[manifest.digest] = manifest
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return manifest.descriptor

    async def get(self, ref: str | Digest, *, attempts: int | None = None) -> Manifest:
        """Fetch a manifest; one that came by tag is proved against the digest its own answer names.

        `Misnamed`: nothing has this digest, which was only said to be a tag's.
        """
        if not isinstance(ref, Digest):
            manifest = await self._fetched(ref, attempts=attempts)
            self._note(manifest.digest, ref)
            self._learn_from(ref)
            return manifest
        kept, tag = self._kept.pop(ref, None), self._tags.get(ref)
        if kept is not None:
            return kept
        if tag is None:
            return await self._fetched(ref)
        try:
            return await self._fetched(ref, attempts=_FEW)
        except (NotFound, Unavailable) as error:
            if error.retry_after is not None:
                raise
            return await self._by_tag(tag, ref, error)

    async def bytes_at(self, ref: str | Digest) -> bytes:
        """Fetch whatever stands there, unread."""
        return (await self._looks.transport.send(self._request(ref))).body

    async def _by_tag(self, tag: str, wanted: Digest, error: RegsyncError) -> Manifest:
        """Fetch by tag what could not be had by digest; where the tag has moved, `error` stands."""
        try:
            manifest = await self._fetched(tag)
        except NotFound:
            raise error from None
        if Digest.of(manifest.raw, wanted.algorithm) != wanted:
            if await self._is_lied_about(tag, wanted):
                raise Misnamed(f"{self._of.name}: {tag} was said to be {wanted}, and is {manifest.digest}") from error
            raise error
        self._looks.transport.warn("manifests cannot be had by digest; using what comes by tag, if it has the digest")
        return manifest

    async def _is_lied_about(self, tag: str, named_so: Digest) -> bool:
        """Say whether HEAD goes on naming a tag's manifest so, although it is another; else the tag has moved."""
        if not self._looks.names_right:
            return True
        try:
            answer = await self._looks.headed(self._request(tag), Way.MANIFEST_HEAD)
        except RegsyncError:  # that says nothing, and what by digest was answered stands
            return False
        if answer is None or named(answer) != named_so:
            return False
        self._looks.names_wrong()
        return True

    def _note(self, digest: Digest, ref: str | Digest) -> None:
        if isinstance(ref, str):
            self._tags[digest] = ref
            while len(self._tags) > _TAGS:
                self._tags.popitem(last=False)

    def _learn_from(self, ref: str) -> None:
        """Note that GET has what HEAD has not found."""
        if ref in self._missed:
            self._missed.discard(ref)
            self._looks.got(Way.MANIFEST_HEAD)

    def _hear(self, answer: Answer) -> None:
        """Take note of what an answer says of how much may still be fetched."""
        self._quota = quota_of(answer.headers, heard=self._clock.monotonic())
        if self._quota.remaining is not None:
            self._looks.learnt.quota = self._quota

    async def _fetched(self, ref: str | Digest, *, attempts: int | None = None) -> Manifest:
        naming = Naming(believed=self._looks.names_right)

        def read(answer: Answer) -> Manifest:
            self._hear(answer)
            kind = answer.headers.get("content-type", "")
            if isinstance(ref, Digest):
                return Manifest.read(answer.body, content_type=kind, expected=ref)
            return self._read_of_tag(answer, ref, naming)

        request = self._request(ref)
        if attempts is not None:
            request = replace(request, attempts=min(attempts, request.attempts))
        manifest = await ask(self._looks.transport, request, read=read, clock=self._clock)
        return manifest if naming.doubted is None else await self._instead_of(manifest, naming.doubted)

    def _read_of_tag(self, answer: Answer, tag: str, naming: Naming) -> Manifest:
        kind = answer.headers.get("content-type", "")
        if mediatype.is_other(mediatype.base(kind)):
            digest = named(answer) or Digest.of(answer.body)
            why = f"{self._of.name}:{tag} is {kind[:200]!r}, and that is not the media type of a manifest"
            raise _OtherKind(why, Descriptor(mediatype.base(kind), digest, len(answer.body)))
        try:
            return naming.read(answer)
        except Malformed as error:  # nothing proves these bytes, so they may be a proxy's error page
            raise IntegrityError(f"{self._of.name}:{tag}: {error}") from error

    async def _instead_of(self, manifest: Manifest, digest: Digest) -> Manifest:
        """Return what came by tag, unless the registry has not that by digest, but what its answer named."""
        if await self._proved(manifest.digest) is None and (meant := await self._proved(digest)) is not None:
            return meant
        self._looks.names_wrong()
        return manifest

    async def _proved(self, digest: Digest) -> Manifest | None:
        try:
            return await self._fetched(digest, attempts=_FEW)
        except (IntegrityError, Malformed, NotFound, Unavailable) as error:
            if error.retry_after is not None:
                raise
            return None

    def _request(self, ref: str | Digest) -> Request:
        return Request(
            "GET",
            f"{self._place}manifests/{ref}{self._asking.query}",
            headers=_ACCEPT,
            scopes=self._scopes,
            cap=MANIFEST_MAX,
            attempts=self._asking.attempts,
            what=f"manifest {self._of.path}{'@' if isinstance(ref, Digest) else ':'}{ref}",
        )


def _described(answer: Answer, ref: str | Digest) -> Descriptor | None:
    """Read a descriptor off the headers; None where they leave something open (all of them are optional)."""
    kind = _kind(answer)
    length = length_of(answer.headers)
    digest = ref if isinstance(ref, Digest) else named(answer)
    if digest is None or not (mediatype.is_manifest(kind) or mediatype.is_other(kind)) or length is None:
        return None
    return Descriptor(kind, digest, length)


def _kind(answer: Answer) -> str:
    return mediatype.base(answer.headers.get("content-type", ""))
