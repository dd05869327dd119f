"""Decide what a copy must move, without moving it.

The root is given by digest, and everything below it is fetched by digest, so a tag that moves meanwhile cannot tear the
copy. What the target says it holds is not looked into: a repository answers only for a manifest with all that lies
below it (a layout looks, see `layout/`).

A plan holds descriptors and the root, not the bytes of all it plans: an image may wait for its turn for long, and a
hostile index names thousands of children of 8 MiB.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from regsync.errors import CopyFailed, Malformed, NotFound, RegsyncError, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.repository import Repository
from regsync.transfer.together import together

_DEEPEST = 16  # indexes below indexes; RELIABILITY B12
_MOST = 100_000  # manifests, and blobs, below one root

Fetch = Callable[[Repository, Descriptor], Awaitable[Manifest]]


@dataclass(frozen=True, slots=True)
class Step:
    """Content that has to stand in a repository; a manifest there under a name, by digest, or (None) as a part only.

    The repository is each step's own: what belongs to an image may go elsewhere than the image.
    """

    repository: Repository
    content: Descriptor
    at: str | Digest | None = None


@dataclass(frozen=True, slots=True)
class CopyPlan:
    """Blobs, then each wave of manifests, then the root under its name: every prefix of this is safe.

    `configs` are those of `blobs` that are image configs, for people who read the log.
    """

    root: Manifest
    last: Step
    blobs: tuple[Step, ...] = ()
    configs: frozenset[Digest] = frozenset()
    waves: tuple[tuple[Step, ...], ...] = ()

    @property
    def size(self) -> int:
        """How many bytes of blobs the plan may have to move."""
        return sum(step.content.size for step in self.blobs)


async def plan_copy(
    source: Repository, target: Repository, root: Manifest, *, at: str | Digest, fetch: Fetch, trusting: bool = True
) -> CopyPlan:
    """Plan the copy of `root` to the target's name `at`; `fetch` gets manifests of the source by descriptor.

    Without `trusting`, what the target says it has is planned all the same.
    """
    last = Step(target, root.descriptor, at)
    if source.name == target.name:  # everything below is there: only the name is new
        return CopyPlan(root, last)
    try:
        graph = _Graph(source, target, fetch, trusting=trusting)
        await graph.explore(root)
        waves = tuple(tuple(Step(target, manifest) for manifest in wave) for wave in graph.waves(root))
    except RegsyncError as error:
        raise CopyFailed("plan", f"{source.name}@{root.digest}", error) from error
    blobs = tuple(Step(target, blob) for blob in graph.blobs.values())
    return CopyPlan(root, last, blobs, frozenset(graph.configs), waves)


class _Graph:
    """What lies below a root and is not at the target yet."""

    def __init__(self, source: Repository, target: Repository, fetch: Fetch, *, trusting: bool) -> None:
        self._source = source
        self._target = target
        self._fetch = fetch
        self._trusting = trusting
        self._found: dict[Digest, Descriptor] = {}
        self._below: dict[Digest, tuple[Digest, ...]] = {}
        self._asked: set[Digest] = set()
        self.blobs: dict[Digest, Descriptor] = {}
        self.configs: set[Digest] = set()

    async def explore(self, root: Manifest) -> None:
        """Go down level by level, each level at once; every digest is looked at once, however often it is named."""
        level = self._enter(root, root.descriptor)
        for _ in range(_DEEPEST + 1):
            level = await self._look_at(level)
            if not level:
                return
        raise Unsupported(f"indexes are nested more than {_DEEPEST} deep")

    def _enter(self, manifest: Manifest, described: Descriptor) -> list[Descriptor]:
        """Note what a manifest needs, and return its children."""
        self._found[manifest.digest] = described
        self._below[manifest.digest] = tuple(child.digest for child in manifest.children)
        if len(self._found) > _MOST:
            raise Unsupported(f"more than {_MOST} manifests in one image")
        for blob in manifest.blobs:
            if not blob.urls:  # a foreign layer stays where its URLs say
                self._need(blob)
        if manifest.config is not None:
            self.configs.add(manifest.config.digest)
        return list(manifest.children)

    def _need(self, blob: Descriptor) -> None:
        known = self.blobs.setdefault(blob.digest, blob)
        if known.size != blob.size:
            raise Malformed(f"blob {blob.digest} is said to have {known.size} and {blob.size} bytes")
        if len(self.blobs) > _MOST:
            raise Unsupported(f"more than {_MOST} blobs in one image")

    async def _look_at(self, children: Iterable[Descriptor]) -> list[Descriptor]:
        """Note the manifests among these that the target lacks, and return their children."""
        fresh: dict[Digest, Descriptor] = {}
        for child in children:
            if mediatype.is_blob(child.media_type):
                self._need(child)
            elif child.digest not in self._asked:
                self._asked.add(child.digest)
                fresh[child.digest] = child
        below: list[Descriptor] = []
        await together(self._child(child, below) for child in fresh.values())
        return below

    async def _child(self, child: Descriptor, below: list[Descriptor]) -> None:
        if self._trusting and await self._target.head_manifest(child.digest) is not None:
            return
        if mediatype.is_manifest(child.media_type):
            below.extend(self._enter(await self._fetch(self._source, child), child))
            return
        if child.size > MANIFEST_MAX:
            self._need(child)
            return
        try:  # of a type nobody has told us: a manifest if it can be had as one, else a blob
            manifest = await self._fetch(self._source, child)
        except (NotFound, Malformed, Unsupported):
            self._need(child)
        else:
            below.extend(self._enter(manifest, child))

    def waves(self, root: Manifest) -> list[list[Descriptor]]:
        """Return what was found below the root, children before all of their parents."""
        sorter: TopologicalSorter[Digest] = TopologicalSorter()
        for digest, below in self._below.items():
            sorter.add(digest, *(child for child in below if child in self._found))
        try:
            sorter.prepare()
        except CycleError as error:
            raise Malformed("an index contains itself") from error
        waves: list[list[Descriptor]] = []
        while sorter.is_active():
            ready = sorter.get_ready()
            waves.append([self._found[digest] for digest in ready if digest != root.digest])
            sorter.done(*ready)
        return [wave for wave in waves if wave]
