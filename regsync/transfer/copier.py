"""Carry out plans of one image: blobs together, manifests wave by wave, the name last; to one target or to several.

Killed anywhere, a copy leaves only unreferenced parts; run again, it finds them and skips them. Several targets share
the reading of blobs and nothing else: each gets its manifests as soon as its own blobs are there, and fails alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field

from regsync.errors import CopyFailed, Incomplete, IntegrityError, RegsyncError, Unavailable, Unsupported
from regsync.events import ManifestPushed, Tell
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.mover import Mover, Shared
from regsync.transfer.plan import CopyPlan
from regsync.transfer.step import Step
from regsync.transfer.together import Group, together

_AT_ONCE = 64  # blobs of one image, as many as a host has slots at most; 10,000 tasks of several images are memory
_PAUSE = 1.0  # seconds before a manifest is sent once more

Fetch = Callable[[Repository, Descriptor], Awaitable[Manifest]]


@dataclass(slots=True, eq=False)
class _Course:
    """How one plan goes: how many blobs it still waits for, and why it failed, if it did."""

    plan: CopyPlan
    left: int
    failure: CopyFailed | None = None


@dataclass(slots=True)
class _Wanted:
    """A blob, where it comes from, and who wants it where."""

    source: Repository
    blob: Descriptor
    by: list[tuple[_Course, Repository]] = field(default_factory=list)


class Copier:
    """Moves images for one run; what was seen at a target since `since` (monotonic, seconds) is not asked for again.

    `fetch` gets manifests of sources by digest. Without `trusting`, what targets say they have is sent again: one
    refused a manifest for lack of it.
    """

    def __init__(self, shared: Shared, *, fetch: Fetch, since: float, trusting: bool = True, tell: Tell) -> None:
        self._shared = shared
        self._fetch = fetch
        self._since = since
        self._trusting = trusting
        self._tell = tell
        self._mover = Mover(shared, since=since, trusting=trusting, tell=tell)

    async def run(self, plans: Sequence[CopyPlan]) -> list[CopyFailed | None]:
        """Make each plan's root stand at its name; return, for each, why its name still stands where it stood."""
        courses = [_Course(plan, len(plan.blobs)) for plan in plans]
        wanted: dict[tuple[str, Digest], _Wanted] = {}
        for course in courses:
            for step in course.plan.blobs:
                key = (step.source.name, step.content.digest)
                wanted.setdefault(key, _Wanted(step.source, step.content)).by.append((course, step.target))
        group = Group()
        for course in courses:
            if not course.left:
                group.start(self._finish(course))
        left = iter(wanted.values())
        for _ in range(min(len(wanted), _AT_ONCE)):
            group.start(self._settle_all(group, left, courses))
        await group.joined()
        return [course.failure for course in courses]

    async def _settle_all(self, group: Group, left: Iterator[_Wanted], courses: Sequence[_Course]) -> None:
        """Get blobs to their targets, one after another, beside others that take from the same."""
        for one in left:
            await self._settle(group, one, courses)

    async def _settle(self, group: Group, wanted: _Wanted, courses: Sequence[_Course]) -> None:
        """Get one blob to whoever still wants it; the last one a course waited for lets it go on."""
        by = [(course, target) for course, target in wanted.by if course.failure is None]
        targets = list({target.name: target for _, target in by}.values())
        if not targets:
            return
        config = any(wanted.blob.digest in course.plan.configs for course, _ in by)

        def ended(target: Repository, error: RegsyncError | None) -> None:
            for course in [course for course, place in by if place.name == target.name]:
                self._count(group, course, wanted.blob.digest, error)
            if all(course.failure is not None for course in courses):
                group.cancel()

        await self._mover.settle(wanted.blob, wanted.source, targets, config=config, ended=ended)

    def _count(self, group: Group, course: _Course, blob: Digest, error: RegsyncError | None) -> None:
        """Count one blob that a course need not wait for any more; with its last one it goes on."""
        course.left -= 1
        if course.failure is None and error is not None:
            course.failure = CopyFailed("blob", str(blob), error)
        elif course.failure is None and not course.left:
            group.start(self._finish(course))

    async def _finish(self, course: _Course) -> None:
        """Push the manifests of a plan whose blobs are there, children first, the name last."""
        try:
            for wave in course.plan.waves:
                await together(self._push_part(step) for step in wave)
            if course.plan.root is not None and course.plan.last is not None:
                await self._push(course.plan.root, course.plan.last)
        except CopyFailed as failure:
            course.failure = failure

    async def _push_part(self, step: Step) -> None:
        """Push a manifest that comes before the root; one that several images share, once.

        docker-registry rewrites a manifest's link at every PUT, and an index pushed in that moment is refused.
        """
        digest, target = step.content.digest, step.target
        async with self._shared.movers((target.name, "manifest", digest)):
            known = self._trusting and self._shared.seen.has(target, "manifest", digest, since=self._since)
            if known and step.at is None:
                return
            try:
                manifest = await self._fetch(step.source, step.content)
            except RegsyncError as error:
                raise CopyFailed("manifest", str(digest), error) from error
            await self._push(manifest, step)
            self._shared.seen.note(target, "manifest", digest)

    async def _push(self, manifest: Manifest, step: Step) -> None:
        digest = str(manifest.digest)
        try:
            await self._put(manifest, step)
        except RegsyncError as error:
            why = _explained(error, manifest, step)
            raise CopyFailed("manifest", digest, why) from why
        ref = str(step.at) if step.at is not None else digest
        self._tell(ManifestPushed(step.target.name, digest, ref, len(manifest.raw)))

    async def _put(self, manifest: Manifest, step: Step) -> None:
        try:
            await step.target.put_manifest(manifest, at=step.at, sparse=step.sparse)
        except IntegrityError:  # our bytes are proved, so it was an accident of the way or of the other end
            await self._shared.clock.sleep(_PAUSE)
            await step.target.put_manifest(manifest, at=step.at, sparse=step.sparse)


def _explained(error: RegsyncError, manifest: Manifest, step: Step) -> RegsyncError:
    """Return why a target refuses a manifest, where that is of a kind that not all of them take."""
    host, why = step.target.host, ""
    if isinstance(error, Incomplete) and step.sparse is not None and not all(map(step.sparse.takes, manifest.children)):
        why = (
            f"{host} takes no index without all of its images, and platforms leaves some out: "
            "use platform for a single image, or copy all of them"
        )
    elif isinstance(error, Incomplete) and len(manifest.blobs_at_home) < len(manifest.blobs):
        why = f"{host} may want the layers, too, that lie where their URLs say: includeExternal copies them"
    elif isinstance(error, Unavailable | Unsupported) and manifest.media_type in mediatype.SCHEMA1:
        why = f"{host} may take no manifests of schema 1, as newer registries do not"
    if not why:
        return error
    explained = Unsupported(f"{why} ({error})")
    explained.attempts, explained.retry_after = error.attempts, error.retry_after
    return explained
