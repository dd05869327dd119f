"""Manifests into one repository (distribution-spec: Pushing Manifests): put, and looked after where there is doubt.

Success may be told by another status, with another digest or not at all (5xx for what was stored); what was just
uploaded may be called missing for a moment. So a doubtful answer is checked by a look, the manifest is put again a few
times, and a tag that may not be overwritten is said to be one.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from regsync.clock import Clock
from regsync.errors import Failing, Incomplete, IntegrityError, RegsyncError, Unavailable, Unsupported
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.registry.content.manifests import Manifests
from regsync.registry.content.naming import named
from regsync.registry.host import OnRegistry
from regsync.registry.http.complaint import complaint_of
from regsync.registry.http.failure import failure_of
from regsync.registry.http.message import Headers
from regsync.registry.http.transport import Answer, Request, Transport
from regsync.registry.login.scope import Scope

_PAUSE: Final = 0.5  # seconds until a manifest that was taken and is not there is put again, then doubled
_PUT: Final = frozenset({200, 201, 202, 204})  # the specification says 201; the others are looked after
_REFUSED: Final = frozenset({400, 403, 404, 405, 409, 412, 422})
_PASSING: Final = frozenset({404, 409, 412})  # may be over in a moment
_AT_ONCE: Final = frozenset({409, 412})  # somebody else puts there
_LACKING: Final = frozenset({"MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"})
_IMMUTABLE: Final = re.compile(r"immutab|already exists|overwrit|not allow (?:updating|redeploy)", re.IGNORECASE)


class Pushing:
    """Puts manifests into one repository, `base` being its path on the registry."""

    def __init__(
        self,
        of: OnRegistry,
        transport: Transport,
        manifests: Manifests,
        *,
        base: str,
        scopes: tuple[Scope, ...],
        clock: Clock,
    ) -> None:
        self._of = of
        self._transport = transport
        self._manifests = manifests
        self._base = base
        self._scopes = scopes
        self._clock = clock

    async def push(self, manifest: Manifest, at: str | Digest, *, patiently: bool = True) -> Headers:
        """Put a manifest and return what the answer said besides, nothing where it was no success and yet is there.

        `Incomplete`: the registry lacks parts of it, `patiently` for longer than a moment; or, where we are not
        patient, somebody else puts there, and what he has put has to be looked at before ours is put again.
        """
        pauses = [_PAUSE, 2 * _PAUSE] if patiently else []
        while True:
            answer, failure = await self._put(manifest, at)
            if failure is None or await self._has(manifest, at):
                return Headers() if answer is None else answer.headers
            if not patiently and answer is not None and answer.status in _AT_ONCE:
                raise Incomplete(str(failure)) from failure
            if not pauses or not self._may_pass(answer):
                raise failure
            await self._clock.sleep(pauses.pop(0))

    def _may_pass(self, answer: Answer | None) -> bool:
        """Say whether it is worth putting again after this; None is a registry that has had all of its tries."""
        if answer is None:
            return False
        return answer.status in _PUT | _PASSING or bool(complaint_of(answer.body).codes & _LACKING)

    async def _put(self, manifest: Manifest, at: str | Digest) -> tuple[Answer | None, RegsyncError | None]:
        """Put it; return the answer, and what is to be said if it is not there."""
        try:
            self._manifests.forget_miss(at)
            answer = await self._transport.send(self._request(manifest, at))
        except Failing as error:
            if error.retry_after is not None:
                raise
            return None, self._explained(error, at)
        if answer.status not in _PUT:
            failure = self._refusal(answer, at)
            if isinstance(failure, Incomplete):
                return answer, failure
            if self._is_kept(failure, at):  # perhaps it is what an earlier try has left there
                return None, self._explained(failure, at)
            if answer.status not in _PASSING:
                raise failure
            return answer, failure
        stored = named(answer)  # docker-registry stores what is pushed by tag under sha256, whatever its digest was
        if stored is not None and not _is(manifest, stored):
            await self._insist_on(manifest, at, stored)
        if answer.status == 201 or stored is not None:
            return answer, None
        return answer, Unavailable(f"{self._of.name}: the registry took {at} and does not have it")

    def _request(self, manifest: Manifest, at: str | Digest) -> Request:
        query = ""
        if isinstance(at, str) and manifest.digest.algorithm != "sha256":  # else the registry takes it for sha256
            query = f"?digest={quote(str(manifest.digest), safe='')}"
        return Request(
            "PUT",
            f"{self._base}manifests/{at}{query}",
            headers=(("Content-Type", manifest.media_type),),
            body=manifest.raw,
            scopes=self._scopes,
            expect=_PUT | _REFUSED,
            what=f"manifest {self._of.path}:{at}",
        )

    def _refusal(self, answer: Answer, at: str | Digest) -> RegsyncError:
        place = f"PUT manifest {self._of.path}:{at} at {self._of.registry}"
        failure = failure_of(answer.status, answer.body, place=place)
        return Incomplete(str(failure)) if complaint_of(answer.body).codes & _LACKING else failure

    def _explained(self, failure: RegsyncError, at: str | Digest) -> RegsyncError:
        """Return what to say of a tag that stands for something else and is kept (ECR, Harbor, Nexus, GAR)."""
        if isinstance(at, Digest) or not self._is_kept(failure, at):
            return failure
        way_out = "let tags be overwritten there, or leave this one out (tags, deny)"
        return Unsupported(f"{self._of.name}:{at} is immutable and stands for something else; {way_out} ({failure})")

    def _is_kept(self, failure: RegsyncError, at: str | Digest) -> bool:
        """Say whether the registry's own words are of a tag that is kept; a repository may be called so, too."""
        return _IMMUTABLE.search(str(failure).replace(f"{self._of.path}:{at}", "")) is not None

    async def _insist_on(self, manifest: Manifest, at: str | Digest, stored: Digest) -> None:
        """Raise unless what is there are our bytes, whatever digest the registry names."""
        if not await self._has_bytes(manifest, at):
            raise IntegrityError(f"{self._of.name}: the registry stored {stored} instead of {manifest.digest}")
        self._transport.warn("manifests are answered for with another digest than they have; comparing their bytes")

    async def _has(self, manifest: Manifest, at: str | Digest) -> bool:
        """Look whether this stands there; a look that fails is none."""
        try:
            found = await self._manifests.head(at)
            return found is not None and (_is(manifest, found.digest) or await self._has_bytes(manifest, at))
        except RegsyncError:  # whoever asks has a failure of its own to tell of
            return False

    async def _has_bytes(self, manifest: Manifest, at: str | Digest) -> bool:
        return await self._manifests.bytes_at(at) == manifest.raw


def _is(manifest: Manifest, digest: Digest) -> bool:
    return digest in {manifest.digest, Digest.of(manifest.raw, digest.algorithm)}
