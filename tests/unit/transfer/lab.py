"""Copies between repositories, one image at a time or one image to several."""

from __future__ import annotations

from collections.abc import Sequence

from regsync.clock import Clock
from regsync.errors import CopyFailed
from regsync.events import Tell, ignore
from regsync.limits import Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.digest import Digest, digest_tags
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.copier import Copier
from regsync.transfer.mover import TRANSFERS, Shared
from regsync.transfer.plan import plan_copy
from regsync.transfer.seen import Seen
from tests.support.clock import FakeClock


class Directly:
    """Sources asked each time, with nothing remembered."""

    async def manifest(self, source: Repository, wanted: Descriptor, /) -> Manifest:
        return await source.get_manifest(wanted.digest)

    async def head(self, source: Repository, tag: str, /, *, fetching: bool) -> Descriptor:
        found = await source.head_manifest(tag)
        assert found is not None
        return found

    def is_new(self, target: Repository, /) -> bool:
        return False

    async def digest_tags(self, source: Repository, digest: Digest, /) -> Sequence[str]:
        return digest_tags([tag async for tag in source.tags()]).get(digest, ())

    async def lacking(self, target: Repository, tags: Sequence[str], /) -> frozenset[str]:
        return frozenset()

    async def referrers(
        self, source: Repository, subject: Digest, /, *, slow: bool, settled: bool
    ) -> Sequence[Descriptor]:
        return await source.referrers(subject, slow=slow)


DIRECTLY = Directly()


def shared(*, limit: int | None = None, clock: Clock | None = None) -> Shared:
    """What the transfers of a process share, with so many slots a host."""
    clock = clock or FakeClock(instant=True)
    return Shared(Limits(lambda host: 32 if host == TRANSFERS else limit), clock, Seen(clock))


async def copied(
    state: Shared, source: Repository, *targets: Repository, tag: str = "v1", trusting: bool = True, tell: Tell = ignore
) -> list[CopyFailed | None]:
    """Copy an image to all of these; return why it could not be copied to each, None where it was."""
    root = await source.get_manifest(tag)
    plans = [
        await plan_copy(source, target, root.descriptor, at=tag, asking=DIRECTLY, trusting=trusting)
        for target in targets
    ]
    copier = Copier(state, fetch=DIRECTLY.manifest, since=float("-inf"), trusting=trusting, tell=tell)
    return await copier.run(plans)


async def copy(
    state: Shared,
    source: Repository,
    target: Repository,
    tag: str = "v1",
    *,
    trusting: bool = True,
    tell: Tell = ignore,
) -> None:
    """Copy an image to one target, or raise why not."""
    (failure,) = await copied(state, source, target, tag=tag, trusting=trusting, tell=tell)
    if failure is not None:
        raise failure
