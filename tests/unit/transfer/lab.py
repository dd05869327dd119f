"""Copies between repositories, one image at a time or one image to several."""

from __future__ import annotations

from regsync.clock import Clock
from regsync.errors import CopyFailed
from regsync.events import Tell, ignore
from regsync.limits import Limits
from regsync.oci.descriptor import Descriptor
from regsync.oci.manifest import Manifest
from regsync.repository import Repository
from regsync.transfer.copier import Copier
from regsync.transfer.mover import TRANSFERS, Shared
from regsync.transfer.plan import plan_copy
from regsync.transfer.seen import Seen
from tests.support.clock import FakeClock


async def fetch(source: Repository, wanted: Descriptor) -> Manifest:
    return await source.get_manifest(wanted.digest)


def shared(*, limit: int | None = None, clock: Clock | None = None) -> Shared:
    """What the transfers of a process share, with so many slots a host."""
    clock = clock or FakeClock(instant=True)
    return Shared(Limits(lambda host: 32 if host == TRANSFERS else limit), clock, Seen(clock))


async def copied(
    state: Shared, source: Repository, *targets: Repository, tag: str = "v1", trusting: bool = True, tell: Tell = ignore
) -> list[CopyFailed | None]:
    """Copy an image to all of these; return why it could not be copied to each, None where it was."""
    root = await source.get_manifest(tag)
    plans = [await plan_copy(source, target, root, at=tag, fetch=fetch, trusting=trusting) for target in targets]
    copier = Copier(state, fetch=fetch, since=float("-inf"), trusting=trusting, tell=tell)
    return await copier.run(source, plans)


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
