"""What belongs to an image and is not at the target yet: what is below it, and what is tied to any of that by digest.

What the target says it holds is not looked into: a repository answers only for a manifest with all that lies below it
(a layout looks, see `layout/`). A subject does not need its referrers, nor they it, so the only order among manifests
is children before parents; and the image's own name comes last of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from typing import Final

from regsync.errors import Malformed, NotFound, Unsupported
from regsync.oci import mediatype
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import MANIFEST_MAX, Manifest
from regsync.oci.platform import Platforms
from regsync.oci.referrers import fallback_tag, wanted
from regsync.repository import Repository
from regsync.transfer.looking import found_at, listed_at
from regsync.transfer.options import CopyOptions
from regsync.transfer.step import Asking, Detour, Key, Step, Wanted, stands_for, without_child
from regsync.transfer.together import together

_DEEPEST: Final = 16  # indexes below indexes, referrers of referrers; RELIABILITY B12
_MOST: Final = 100_000  # manifests, and blobs, of one image


@dataclass(slots=True)
class _Node:
    """A manifest the target lacks, as a part of something (`plain`), under tags, or both."""

    wanted: Wanted
    below: tuple[Key, ...]
    sparse: Platforms | None
    plain: bool = False
    tags: list[str] = field(default_factory=list)


class Graph:
    """Everything that belongs to the image `root`, which gets the name `at`. Without `trusting` no target is asked."""

    def __init__(
        self,
        root: Wanted,
        at: str | Digest,
        options: CopyOptions,
        *,
        detour: Detour,
        asking: Asking,
        trusting: bool,
    ) -> None:
        self._first = root
        self._options = options
        self._detour = detour
        self._asking = asking
        self._believing = trusting and not options.insists
        self._nodes: dict[Key, _Node] = {}
        self._asked: set[tuple[str, str | Digest, Digest | None]] = {(*root.key, None), (root.target.name, at, None)}
        self._subjects: dict[Digest, Digest] = {}
        self._surveyed: set[tuple[str, Key]] = set()
        self._sizes: dict[Digest, int] = {}
        self._blobs: dict[Key, Step] = {}
        self.configs: set[Digest] = set()
        self.root: Manifest | None = None

    @property
    def blobs(self) -> tuple[Step, ...]:
        """The blobs that have to be there first."""
        return tuple(self._blobs.values())

    async def explore(self) -> None:
        """Go on level by level, each level at once; what is named again, under one tag or subject, is not looked at."""
        level = await self._explored(self._first, there=bool(self._first.there))
        for _ in range(_DEEPEST + 1):
            level = await self._look_at(level)
            if not level:
                return
        raise Unsupported(f"manifests are nested more than {_DEEPEST} deep")

    async def _look_at(self, level: Iterable[Wanted]) -> list[Wanted]:
        """Look at these, and return what they lead to."""
        fresh: list[Wanted] = []
        for one in level:
            name = (one.target.name, one.tag or one.described.digest, one.subject)
            self._agree_on_subject(one)
            if mediatype.is_blob(one.described.media_type):
                self._need(one, one.described)
            elif name not in self._asked and not self._leads_back(one):
                self._asked.add(name)
                fresh.append(one)
        _refuse_crowd(len(self._asked))
        found: list[Wanted] = []

        async def look(one: Wanted) -> None:
            there = await self._is_there(one) if one.there is None else one.there
            more = await self._explored(one, there=there)
            _refuse_crowd(len(found) + len(more))  # now: thousands of indexes that name thousands each are gigabytes
            found.extend(more)

        await together(look(one) for one in fresh)
        return found

    def _leads_back(self, one: Wanted) -> bool:
        """Say whether a list of referrers names its own subject, or the image that all of this belongs to."""
        return one.subject is not None and (one.described.digest == one.subject or one.key == self._first.key)

    async def _is_there(self, one: Wanted) -> bool:
        """Ask the target whether it has this."""
        if one.source.name == one.target.name:
            return True
        return await self._present(one.target, one.described.digest) is not None

    async def _present(self, target: Repository, ref: str | Digest) -> Descriptor | None:
        """Return what a target has, as far as it is to be believed."""
        if not self._believing or self._asking.is_new(target):
            return None
        return await found_at(target, ref, sparse=self._options.platforms)

    async def _explored(self, one: Wanted, *, there: bool) -> list[Wanted]:
        """Note what the target lacks of this, and return what has to be looked at next."""
        if there and (self._options.fast_check or not self._options.looks_around):
            return []
        below: list[Wanted] = []
        if not there or one.described.media_type in mediatype.INDEXES:
            manifest = await self._fetched(one)
            if manifest is None:
                self._need(one, one.described)
                return []
            children = self._children(manifest)
            if not there:
                self._enter(one, manifest, children, await self._blobs_of(one, manifest))
            below = [
                Wanted(one.source, one.target, child)
                for child in children
                if not (there and mediatype.is_blob(child.media_type))
            ]
        return below + await self._around(one, there=there)

    async def _fetched(self, one: Wanted) -> Manifest | None:
        """Return the manifest; None for a child of a type nobody has told us that cannot be had as one: a blob."""
        known = mediatype.is_manifest(one.described.media_type) or one.tag or one.subject is not None
        if not known and one.described.size > MANIFEST_MAX:
            return None
        try:
            manifest = await self._asking.manifest(one.source, one.described)
        except (NotFound, Malformed, Unsupported) as error:
            if not known:
                return None
            if one.key == self._first.key:
                raise
            raise without_child(one, error) from error
        if one.subject is not None and (manifest.subject is None or manifest.subject.digest != one.subject):
            raise _not_its_subject(one)
        return manifest

    def _agree_on_subject(self, one: Wanted) -> None:
        """Refuse what is listed as a referrer of two things: it names one."""
        if one.subject is not None and self._subjects.setdefault(one.described.digest, one.subject) != one.subject:
            raise _not_its_subject(one)

    def _children(self, manifest: Manifest) -> Sequence[Descriptor]:
        chosen = self._options.platforms
        return manifest.children if chosen is None else [one for one in manifest.children if chosen.takes(one)]

    async def _blobs_of(self, one: Wanted, manifest: Manifest) -> Sequence[Descriptor]:
        """Return the blobs to copy, not those that stay where their URLs say; the source knows unsaid sizes."""
        wanted = manifest.blobs if self._options.include_external else manifest.blobs_at_home
        if manifest.media_type not in mediatype.SCHEMA1 or one.source.name == one.target.name:
            return wanted
        sized: list[Descriptor] = []

        async def ask(blob: Descriptor) -> None:
            size = await one.source.blob_size(blob.digest)
            if size is None:
                raise NotFound(f"{one.source.name}: blob {blob.digest} is not there, or nobody says how long it is")
            sized.append(replace(blob, size=size))

        await together(ask(blob) for blob in wanted)
        return sized

    def _enter(
        self, one: Wanted, manifest: Manifest, children: Sequence[Descriptor], blobs: Sequence[Descriptor]
    ) -> None:
        """Note what a manifest needs, and under which name it is wanted."""
        node = self._nodes.get(one.key)
        if node is None:
            below = tuple((one.target.name, child.digest) for child in children)
            node = self._nodes[one.key] = _Node(one, below, self._options.platforms if manifest.children else None)
            for blob in blobs:
                self._need(one, blob)
            if manifest.config is not None:
                self.configs.add(manifest.config.digest)
        if one.key == self._first.key:
            self.root = manifest
        if one.tag:
            node.tags.append(one.tag)
        else:
            node.plain = True

    def _need(self, one: Wanted, blob: Descriptor) -> None:
        size = self._sizes.setdefault(blob.digest, blob.size)
        if size != blob.size:
            raise Malformed(f"blob {blob.digest} is said to have {size} and {blob.size} bytes")
        if one.source.name != one.target.name:
            self._blobs.setdefault((one.target.name, blob.digest), Step(one.source, one.target, blob))
        if len(self._blobs) > _MOST:
            raise Unsupported(f"more than {_MOST} blobs in one image")

    async def _around(self, one: Wanted, *, there: bool) -> list[Wanted]:
        """Return what is tied to this by its digest."""
        if not self._options.looks_around or (one.source.name, one.key) in self._surveyed:
            return []
        self._surveyed.add((one.source.name, one.key))
        return await self._referrers(one, there=there) + await self._tagged(one, there=there)

    async def _referrers(self, one: Wanted, *, there: bool) -> list[Wanted]:
        """Return what refers to this; one list of the target's says which of it is there."""
        options, subject = self._options.referrers, one.described.digest
        if options is None:
            return []
        source, target = self._detour.source or one.source, self._detour.target or one.target
        settled = there and self._believing and one.subject is not None
        listed = await self._asking.referrers(source, subject, slow=options.slow, settled=settled)
        found = wanted(listed, options.filters)
        having = found if source.name == target.name else ()
        if found and not having and self._believing and not self._asking.is_new(target):
            having = await listed_at(target, subject)
        digests = {each.digest for each in having}
        return [Wanted(source, target, each, there=each.digest in digests, subject=subject) for each in found]

    async def _tagged(self, one: Wanted, *, there: bool) -> list[Wanted]:
        """Return the images whose tags are made of this digest, without the list of its referrers if that is kept."""
        if not self._options.digest_tags or one.source.name == one.target.name:
            return []
        digest = one.described.digest
        left_out = fallback_tag(digest) if self._options.referrers is not None else ""
        tags = [tag for tag in await self._asking.digest_tags(one.source, digest) if tag != left_out]
        lacking = await self._asking.lacking(one.target, tags) if self._believing and not there else frozenset()
        found: list[Wanted] = []

        async def look(tag: str) -> None:
            present = None if tag in lacking else await self._present(one.target, tag)
            image = await self._asking.head(one.source, tag, fetching=present is None)
            same = present is not None and await stands_for(self._asking, one.source, image, present.digest)
            found.append(Wanted(one.source, one.target, image, there=same, tag=tag))

        await together(look(tag) for tag in tags)
        return found

    def waves(self) -> tuple[tuple[Step, ...], ...]:
        """Return the manifests that have to be there before the root gets its name, children before their parents."""
        sorter: TopologicalSorter[Key] = TopologicalSorter()
        for key, node in self._nodes.items():
            sorter.add(key, *(child for child in node.below if child in self._nodes))
        try:
            sorter.prepare()
        except CycleError as error:
            raise Malformed("an index contains itself") from error
        waves: list[tuple[Step, ...]] = []
        while sorter.is_active():
            ready = sorter.get_ready()
            waves.append(tuple(step for key in ready for step in self._steps(key)))
            sorter.done(*ready)
        return tuple(wave for wave in waves if wave)

    def _steps(self, key: Key) -> Iterable[Step]:
        node = self._nodes[key]
        one = node.wanted
        if node.plain and (key != self._first.key or any(key in other.below for other in self._nodes.values())):
            yield Step(one.source, one.target, one.described, sparse=node.sparse)
        for tag in node.tags:
            yield Step(one.source, one.target, one.described, tag, node.sparse)

    @property
    def sparse(self) -> Platforms | None:
        """Which children of the root are copied, where that is not all of them."""
        node = self._nodes.get(self._first.key)
        return None if node is None else node.sparse


def _refuse_crowd(manifests: int) -> None:
    if manifests > _MOST:
        raise Unsupported(f"more than {_MOST} manifests in one image")


def _not_its_subject(one: Wanted) -> Malformed:
    return Malformed(f"{one.source.name}@{one.described.digest} is listed as a referrer of {one.subject} and is none")
