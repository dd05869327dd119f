"""The words plans are made of: one step, what is looked at, how sources are asked, and where referrers go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from regsync.errors import NotFound, RegsyncError
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.repository import Repository


@dataclass(frozen=True, slots=True)
class Step:
    """Content that has to stand in a repository; a manifest there under a name, by digest, or (None) as a part only.

    The repositories are each step's own: what belongs to an image may come from elsewhere, and go elsewhere, than the
    image. `sparse` says which children of an index, and of those below it, are copied, where that is not all of them.
    """

    source: Repository
    target: Repository
    content: Descriptor
    at: str | Digest | None = None
    sparse: Platforms | None = None


Key = tuple[str, Digest]  # a manifest in a repository


@dataclass(frozen=True, slots=True)
class Wanted:
    """A manifest to look at, as it is listed. `there`: whether the target has it, None where that is to be asked.

    `tag` is the name it has to have at the target (empty: none), `subject` what it is said to refer to.
    """

    source: Repository
    target: Repository
    described: Descriptor
    there: bool | None = None
    tag: str = ""
    subject: Digest | None = None

    @property
    def key(self) -> Key:
        """What it is, once it is copied."""
        return self.target.name, self.described.digest


@dataclass(frozen=True, slots=True)
class Detour:
    """Where referrers are read from and written to, where that is not (None) where their subject is."""

    source: Repository | None = None
    target: Repository | None = None


class Asking(Protocol):
    """How sources are asked, and which targets need not be."""

    async def manifest(self, source: Repository, wanted: Descriptor, /) -> Manifest:
        """Return a manifest by digest; it is what it is listed as."""
        ...

    async def head(self, source: Repository, tag: str, /, *, fetching: bool) -> Descriptor:
        """Return what a tag stands for; `NotFound` when it is not there.

        `fetching`: its manifest will be asked for next, so one request shall get both.
        """
        ...

    def is_new(self, target: Repository, /) -> bool:
        """Say whether the target was not there yet: what it has by now was copied meanwhile."""
        ...

    async def digest_tags(self, source: Repository, digest: Digest, /) -> Sequence[str]:
        """Return the tags whose names begin with this digest."""
        ...

    async def lacking(self, target: Repository, tags: Sequence[str], /) -> frozenset[str]:
        """Return those of several tags that a target surely lacks, by one list where that is cheaper than to look."""
        ...

    async def referrers(
        self, source: Repository, subject: Digest, /, *, slow: bool, settled: bool
    ) -> Sequence[Descriptor]:
        """Return what refers to this digest; `settled`: an answer of a while ago is good enough."""
        ...


def without_child(one: Wanted, error: RegsyncError) -> RegsyncError:
    """Return why a manifest cannot be had, where an index lists it and it is not there."""
    if not isinstance(error, NotFound) or one.tag or one.subject is not None:
        return error
    place = f" for {one.described.platform}" if one.described.platform is not None else ""
    return NotFound(
        f"an index lists {one.described.digest}{place}, and {one.source.name} does not have it ({error}): "
        "have it pushed anew, or choose with platforms what is there"
    )


async def reckoned(asking: Asking, source: Repository, image: Descriptor, algorithm: str) -> Digest:
    """Return an image's digest in the algorithm the other end speaks; another than its own is that of its bytes."""
    if algorithm == image.digest.algorithm:
        return image.digest
    return Digest.of((await asking.manifest(source, image)).raw, algorithm)


async def stands_for(asking: Asking, source: Repository, image: Descriptor, present: Digest) -> bool:
    """Say whether what a target has is this image, in whatever algorithm the target reckons."""
    return present == await reckoned(asking, source, image, present.algorithm)
