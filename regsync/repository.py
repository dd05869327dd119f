"""The one seam: everything that moves images talks to a Repository and nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from math import inf
from typing import Final, Protocol

from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest
from regsync.oci.manifest import Manifest
from regsync.oci.platform import Platforms
from regsync.oci.reference import Reference

Chunks = AsyncIterator[bytes]


@dataclass(frozen=True, slots=True)
class Quota:
    """How many more images may be fetched, and of how many; None where nothing is said of that.

    `heard` is the moment (monotonic, seconds) from which this is.
    """

    remaining: int | None = None
    limit: int | None = None
    heard: float = inf


UNCOUNTED: Final = Quota()  # of places that never say anything, so that asking them again is of no use


class BlobWriter(Protocol):
    """A blob on its way into a repository: bytes are pushed in order, and nothing is visible before `commit`.

    Leaving its context without `commit` leaves nothing visible. When it is left by a retryable error, whatever the far
    side holds already stays *suspended*, and the next writer of the same blob in this repository begins at its offset;
    left by anything else, it is thrown away, and by an `IntegrityError`, too: going on with wrong bytes is no use.
    """

    @property
    def offset(self) -> int:
        """How many bytes the far side holds or was handed: the next `write` goes there.

        On entering it is what was suspended, or the blob's whole size when the far side turns out to have it all.
        """
        ...

    async def write(self, chunk: bytes) -> None:
        """Hand over the next bytes; returns when it can take more, so the slowest writer sets the pace."""
        ...

    async def commit(self) -> None:
        """Make the blob visible, durably; to be called with all of its bytes written and proved by the caller.

        What the far side finds wrong with them is an `IntegrityError`.
        """
        ...

    async def restart(self) -> None:
        """Forget what was suspended: `offset` is 0 afterwards. For a caller who cannot prove what lies there."""
        ...


class Repository(Protocol):
    """A named set of blobs, manifests and tags: a registry path or an OCI layout directory.

    Missing things are `None` or `False` when asked about, `NotFound` when demanded.
    """

    @property
    def name(self) -> str:
        """What people call it and what keys are made of: `host/path` or `ocidir://path`, without tag."""
        ...

    @property
    def host(self) -> str:
        """Whatever shares a limit with this repository: see `Limits`."""
        ...

    @property
    def lists_under_tags(self) -> bool:
        """Whether referrers are listed under tags here, as far as is known: then a list of tags says where none are."""
        ...

    @property
    def tidied(self) -> bool:
        """Whether what nothing names is removed here, by others of our kind too, while nobody writes.

        What was seen here before it was opened for writing then proves nothing.
        """
        ...

    @property
    def quota(self) -> Quota:
        """What the last answer about a manifest said of how many more may be fetched; looking at one asks anew."""
        ...

    async def head_manifest(self, ref: str | Digest, *, sparse: Platforms | None = None) -> Descriptor | None:
        """Return what a tag or digest names, without its bytes; None when it is not there.

        To a writer, a manifest whose parts are missing is not there; of indexes, with `sparse`, only the children that
        are wanted count as parts.
        """
        ...

    async def get_manifest(self, ref: str | Digest) -> Manifest:
        """Return the manifest, its bytes proved against the digest; `NotFound` when it is not there."""
        ...

    async def put_manifest(
        self, manifest: Manifest, *, at: str | Digest | None = None, sparse: Platforms | None = None
    ) -> None:
        """Store a manifest whose children and blobs are there already; `sparse`: those children that are wanted.

        `Incomplete` when the repository finds that they are not, or takes no index without all of its children.

        `at` is the tag it gets, its own digest when it must be findable without one, or None when it is only part of
        something else. A manifest with a `subject` becomes findable as its referrer. Storing twice is storing once.
        """
        ...

    async def referrers(self, subject: Digest, *, slow: bool = False) -> tuple[Descriptor, ...]:
        """Return what refers to this digest, as it is listed: with artifact type and annotations, each digest once.

        Nothing when nobody refers to it, or it is not there. What a list says is a stranger's word: whoever follows it
        has yet to see that a manifest really names this subject. `slow` looks in a layout among everything its index
        lists, too, since not every tool keeps the list; a registry does that on its own or not at all. To a writer, a
        referrer whose parts are missing is not there.
        """
        ...

    async def has_blob(self, blob: Descriptor) -> bool:
        """Say whether the blob is there, with its whole size."""
        ...

    async def blob_size(self, digest: Digest) -> int | None:
        """Return how many bytes a blob has that is named without its size; None when that cannot be told."""
        ...

    def open_blob(self, blob: Descriptor, *, start: int = 0) -> AbstractAsyncContextManager[Chunks]:
        """Open the blob's bytes from byte `start` on, unproved; `NotFound` on entering when it is not there.

        A context manager and not a bare generator, because an abandoned generator keeps its connection.
        """
        ...

    def write_blob(self, blob: Descriptor, *, insisting: bool = False) -> AbstractAsyncContextManager[BlobWriter]:
        """Open the blob for writing, where what is there of it ends.

        `insisting`: whatever the far side says it has is sent again; it was wrong about that before.
        """
        ...

    async def adopt_blob(self, blob: Descriptor, neighbour: Repository) -> bool:
        """Take the blob from a neighbour without moving its bytes (mount, hard link); False when that cannot be.

        A repository may be its own neighbour: that looks whether it has the blob, on the way to writing it.
        """
        ...

    def tags(self) -> AsyncIterator[str]:
        """Every tag once; `NotFound` when the repository (or layout directory) is not there."""
        ...


class Endpoints(Protocol):
    """Where repositories live."""

    def open(self, reference: Reference, *, itself: bool = False) -> Repository:
        """Return the repository a reference lies in, to read from; nothing is contacted.

        `itself`: no mirror answers for it, as with targets, where nothing counts but what they have.
        """
        ...

    def writing(self, reference: Reference) -> AbstractAsyncContextManager[Repository]:
        """Return the repository to write into, protected while it is held, and tidied when the last holder leaves."""
        ...

    def repositories(self, host: str) -> AsyncIterator[str]:
        """Every repository path a registry lists, in its order."""
        ...
