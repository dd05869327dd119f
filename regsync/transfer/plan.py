"""Decide what a copy must move, without moving it.

The root is given by digest, and everything below it is fetched by digest, so a tag that moves meanwhile cannot tear the
copy. What the target holds already is not looked into: a manifest is stored after its parts, here as everywhere, so one
that is there stands for all below it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from regsync.errors import CopyFailed, IntegrityError, Malformed, NotFound, RegsyncError, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.repository import Repository
from regsync.transfer.together import together

_DEEPEST = 16  # indexes below indexes; RELIABILITY B12
_MOST = 100_000  # manifests below one root

Fetch = Callable[[Repository, Digest], Awaitable[Manifest]]


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Blobs, then each wave of manifests, then the root under its name: every prefix of this is safe.

    `configs` are those of `blobs` that are image configs, for people who read the log.
    """

    root: Manifest
    at: str | Digest
    blobs: tuple[Descriptor, ...] = ()
    configs: frozenset[Digest] = frozenset()
    waves: tuple[tuple[Manifest, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many bytes of blobs the plan may have to move."""
        return sum(blob.size for blob in self.blobs)


async def plan_copy(
    source: Repository, target: Repository, root: Manifest, *, at: str | Digest, fetch: Fetch, trusting: bool = True
) -> CopyPlan:
    """Plan the copy of `root` to the target's name `at`; `fetch` gets manifests of the source by digest.

    Without `trusting`, what the target says it has is planned all the same.
    """
    if source.name == target.name:  # everything below is there: only the name is new
        return CopyPlan(root, at)
    try:
        graph = _Graph(source, target, fetch, trusting=trusting)
        await graph.explore(root)
        return CopyPlan(root, at, tuple(graph.blobs.values()), frozenset(graph.configs), graph.waves(root))
    except RegsyncError as error:
        raise CopyFailed("plan", f"{source.name}@{root.digest}", error) from error


class _Graph:
    """What lies below a root and is not at the target yet."""

    def __init__(self, source: Repository, target: Repository, fetch: Fetch, *, trusting: bool) -> None:
        self._source = source
        self._target = target
        self._fetch = fetch
        self._trusting = trusting
        self._found: dict[Digest, Manifest] = {}
        self._asked: set[Digest] = set()
        self.blobs: dict[Digest, Descriptor] = {}
        self.configs: set[Digest] = set()

    async def explore(self, root: Manifest) -> None:
        """Go down level by level, each level at once; every digest is looked at once, however often it is named."""
        level: list[Manifest] = [root]
        for _ in range(_DEEPEST + 1):
            for manifest in level:
                self._enter(manifest)
            children = [child for manifest in level for child in manifest.children]
            level = await self._look_at(children)
            if not level:
                return
        raise Unsupported(f"indexes are nested more than {_DEEPEST} deep")

    def _enter(self, manifest: Manifest) -> None:
        self._found[manifest.digest] = manifest
        if len(self._found) > _MOST:
            raise Unsupported(f"more than {_MOST} manifests in one image")
        for blob in manifest.blobs:
            if not blob.urls:  # a foreign layer stays where its URLs say
                self._need(blob)
        if manifest.config is not None:
            self.configs.add(manifest.config.digest)

    def _need(self, blob: Descriptor) -> None:
        known = self.blobs.setdefault(blob.digest, blob)
        if known.size != blob.size:
            raise Malformed(f"blob {blob.digest} is said to have {known.size} and {blob.size} bytes")

    async def _look_at(self, children: Iterable[Descriptor]) -> list[Manifest]:
        """Return the manifests among these that the target lacks; each digest is asked for once."""
        fresh = {child.digest: child for child in children if child.digest not in self._asked}
        self._asked.update(fresh)
        for child in fresh.values():
            if mediatype.is_blob(child.media_type):
                self._need(child)
        missing: list[Manifest] = []
        await together(
            self._child(child, missing) for child in fresh.values() if not mediatype.is_blob(child.media_type)
        )
        return missing

    async def _child(self, child: Descriptor, missing: list[Manifest]) -> None:
        if self._trusting and await self._target.head_manifest(child.digest) is not None:
            return
        if mediatype.is_manifest(child.media_type):
            missing.append(await self._get(child))
            return
        if child.size > MANIFEST_MAX:
            self._need(child)
            return
        try:  # of a type nobody has told us: a manifest if it can be had as one, else a blob
            missing.append(await self._get(child))
        except (NotFound, Malformed, Unsupported):
            self._need(child)

    async def _get(self, child: Descriptor) -> Manifest:
        if child.data is not None:
            return Manifest.read(child.data, content_type=child.media_type, expected=child.digest)
        manifest = await self._fetch(self._source, child.digest)
        if (manifest.media_type, len(manifest.raw)) != (child.media_type, child.size):
            raise IntegrityError(
                f"manifest {child.digest} is {manifest.media_type} of {len(manifest.raw)} bytes, "
                f"but its index says {child.media_type} of {child.size}"
            )
        return manifest

    def waves(self, root: Manifest) -> tuple[tuple[Manifest, ...], ...]:
        """Return what was found below the root, children before all of their parents."""
        sorter: TopologicalSorter[Digest] = TopologicalSorter()
        for digest, manifest in self._found.items():
            sorter.add(digest, *(child.digest for child in manifest.children if child.digest in self._found))
        try:
            sorter.prepare()
        except CycleError as error:
            raise Malformed("an index contains itself") from error
        waves: list[tuple[Manifest, ...]] = []
        while sorter.is_active():
            ready = sorter.get_ready()
            waves.append(tuple(self._found[digest] for digest in ready if digest != root.digest))
            sorter.done(*ready)
        return tuple(wave for wave in waves if wave)
